//! Is there a WebGPU adapter that burn can run on? Asked before burn is, because burn panics where the answer is no.

use crate::platform::{property, scope, words_of};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Calls `object.name(argument)` and awaits the promise that it returns.
async fn call_async(object: &JsValue, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
    let function: Function = property(object, name).dyn_into()?;
    let promise: Promise = function.call1(object, argument)?.dyn_into()?;
    JsFuture::from(promise).await
}

/// Name of the adapter that burn will take, or one sentence on why there is none.
pub(crate) async fn probe() -> Result<String, String> {
    let gpu = property(&scope().navigator(), "gpu");
    if gpu.is_undefined() {
        return Err("this browser has no WebGPU".to_owned());
    }
    // burn asks for the high-performance adapter in a browser: probe the same one.
    let options = js_sys::Object::new();
    let set = js_sys::Reflect::set(
        &options,
        &"powerPreference".into(),
        &"high-performance".into(),
    );
    set.map_err(|error| words_of(&error))?;
    let adapter = call_async(&gpu, "requestAdapter", &options)
        .await
        .map_err(|error| words_of(&error))?;
    if adapter.is_null() || adapter.is_undefined() {
        return Err("the browser has WebGPU but offers no adapter".to_owned());
    }
    if !has_feature(&adapter, "timestamp-query") {
        return Err(
            "the adapter lacks the feature timestamp-query, which the runtime needs".to_owned(),
        );
    }
    Ok(adapter_name(&adapter))
}

fn has_feature(adapter: &JsValue, feature: &str) -> bool {
    let features = property(adapter, "features");
    let Ok(has) = property(&features, "has").dyn_into::<Function>() else {
        return false;
    };
    has.call1(&features, &feature.into())
        .is_ok_and(|found| found.is_truthy())
}

fn adapter_name(adapter: &JsValue) -> String {
    let info = property(adapter, "info");
    let words: Vec<String> = ["vendor", "architecture", "description"]
        .iter()
        .filter_map(|name| property(&info, name).as_string())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}
