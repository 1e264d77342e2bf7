//! A pack behind a URL of this page's origin.

use crate::platform::{scope, words_of};
use js_sys::Uint8Array;
use servimage_pack::{MANIFEST_FILE, PackSource, SourceError};
use std::ops::Range;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestCache, RequestInit, Response};

/// HTTP status of a missing file.
const NOT_FOUND: u16 = 404;

/// Fetches the files of a pack.
#[derive(Clone, Debug)]
pub(crate) struct FetchSource {
    folder_url: String,
}

impl FetchSource {
    /// A pack in the folder `folder_url`, which is absolute.
    pub fn new(folder_url: &str) -> Self {
        Self {
            folder_url: format!("{}/", folder_url.trim_end_matches('/')),
        }
    }

    async fn fetch(&self, path: &str, range: Option<&Range<u64>>) -> Result<Vec<u8>, SourceError> {
        let other = |error: JsValue| SourceError::Other {
            path: path.to_owned(),
            reason: words_of(&error),
        };
        let url = format!("{}{path}", self.folder_url);
        let init = RequestInit::new();
        if path == MANIFEST_FILE {
            // The browser asks whether its own copy is still the server's.
            init.set_cache(RequestCache::NoCache);
        }
        let request = Request::new_with_str_and_init(&url, &init).map_err(other)?;
        if let Some(range) = range {
            let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            request.headers().set("Range", &bytes).map_err(other)?;
        }
        let response = JsFuture::from(scope().fetch_with_request(&request))
            .await
            .map_err(other)?;
        let response: Response = response.unchecked_into();
        if response.status() == NOT_FOUND {
            return Err(SourceError::Missing {
                path: path.to_owned(),
            });
        }
        if !response.ok() {
            let reason = format!(
                "{url} answered {} {}",
                response.status(),
                response.status_text()
            );
            return Err(SourceError::Other {
                path: path.to_owned(),
                reason,
            });
        }
        let is_whole = response.status() == 200;
        let buffer = JsFuture::from(response.array_buffer().map_err(other)?)
            .await
            .map_err(other)?;
        let bytes = Uint8Array::new(&buffer);
        match range {
            // A server without Range support sends the whole file.
            Some(range) if is_whole => Ok(slice_of(&bytes, range)),
            _ => Ok(bytes.to_vec()),
        }
    }
}

fn slice_of(bytes: &Uint8Array, range: &Range<u64>) -> Vec<u8> {
    let clamp = |at: u64| u32::try_from(at).unwrap_or(u32::MAX).min(bytes.length());
    bytes
        .subarray(clamp(range.start), clamp(range.end))
        .to_vec()
}

impl PackSource for FetchSource {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        if range.as_ref().is_some_and(|range| range.is_empty()) {
            return Ok(Vec::new());
        }
        self.fetch(path, range.as_ref()).await
    }
}
