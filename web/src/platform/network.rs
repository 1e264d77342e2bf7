//! Counts this page's network requests, as the browser itself reports them.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::{
    PerformanceEntry, PerformanceObserver, PerformanceObserverEntryList, PerformanceObserverInit,
};

/// Calls `on_requests` with the number of new requests, from now on.
///
/// Resource timing lists what went over the network or its cache; `blob:` addresses are memory and
/// do not count. A request that began before this call does not count either.
pub fn watch_requests(on_requests: impl Fn(u32) + 'static) {
    let now = web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |clock| clock.now());
    let callback = Closure::<dyn FnMut(_)>::new(move |list: PerformanceObserverEntryList| {
        let is_new = |entry: &PerformanceEntry| {
            entry.start_time() >= now && entry.name().starts_with("http")
        };
        let count = list
            .get_entries()
            .iter()
            .filter_map(|entry| entry.dyn_into().ok())
            .filter(is_new)
            .count();
        if count > 0 {
            on_requests(count as u32);
        }
    });
    let function: &Function = callback.as_ref().unchecked_ref();
    if let Ok(observer) = PerformanceObserver::new(function) {
        let what = PerformanceObserverInit::new(&Array::of1(&"resource".into()));
        // Without the `resource` type there is nothing to count; every WebGPU browser has it.
        observer.observe(&what);
        // The observer lives as long as the page does.
        callback.forget();
    }
}
