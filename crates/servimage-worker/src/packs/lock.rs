//! The browser's locks, shared by all tabs of an origin (Web Locks API).

use crate::platform::{property, scope};
use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A lock that is held until this value is dropped, or the tab ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// `None` in a browser without locks: then nobody is kept out.
    release: Option<Function>,
}

impl Lock {
    /// Waits until no other tab holds the lock `name`.
    pub async fn take(name: &str) -> Self {
        let (granted, release) = oneshot::channel();
        let hold = Closure::once_into_js(move |_lock: JsValue| {
            let mut granted = Some(granted);
            // The lock is held until this promise is kept.
            Promise::new(&mut |keep, _| {
                if let Some(granted) = granted.take() {
                    // Nobody listens any more where the waiting ended.
                    let _ = granted.send(keep);
                }
            })
        });
        let locks = property(&scope().navigator(), "locks");
        let request = property(&locks, "request").dyn_into::<Function>();
        let asked = request.and_then(|request| request.call2(&locks, &name.into(), &hold));
        let Ok(asked) = asked.and_then(|asked| asked.dyn_into::<Promise>()) else {
            return Self { release: None };
        };
        // What was asked for ends before it is granted only where the browser refuses.
        let release = match select(release, JsFuture::from(asked)).await {
            Either::Left((release, _)) => release.ok(),
            Either::Right(_) => None,
        };
        Self { release }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // A promise's own function does not throw.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
