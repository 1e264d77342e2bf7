//! Downloading a pack's files: some at a time, each from the byte on where it stands, proven before it counts.

use super::opfs::{Part, Store, StoreError};
use crate::platform::{now_millis, property, scope, sleep, within, words_of};
use futures::StreamExt;
use js_sys::{Object, Reflect, Uint8Array};
use servimage_pack::Manifest;
use servimage_pack::manifest::FileEntry;
use servimage_pack::transfer::{Answer, Body, TransferError, pause_millis};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, ReadableStreamDefaultReader, Request, RequestCache, RequestInit, Response,
};

/// Files that come at the same time.
const N_AT_ONCE: usize = 3;

/// A server that sends nothing for so long is asked again.
const PATIENCE_MILLIS: u32 = 15_000;

/// Progress is told so often.
const INTERVAL_MILLIS: f64 = 100.0;

/// Why the files are not all here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DownloadError {
    /// No room is left on the device.
    Full,
    /// One sentence: what, which, expected, found.
    Failed(String),
}

impl From<StoreError> for DownloadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Other(words) => {
                Self::Failed(format!("the browser's storage failed: {words}"))
            }
        }
    }
}

/// Why one attempt at a file ended before its end.
enum Interruption {
    /// It may go better the next time.
    Passing(String),
    /// It will not.
    Final(DownloadError),
}

impl From<StoreError> for Interruption {
    fn from(error: StoreError) -> Self {
        Self::Final(error.into())
    }
}

/// Ends the request when it is dropped: one that nobody reads any more would hold its connection.
struct Connection(AbortController);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A download under way.
pub(super) struct Download<'a> {
    /// Folder of the pack.
    pub pack_url: &'a str,
    /// Where it goes.
    pub store: &'a Store,
    /// Told the bytes that are here and all bytes.
    pub on_progress: &'a dyn Fn(u64, u64),
}

/// Bytes of each file that are here.
struct Progress<'a> {
    have_bytes: RefCell<Vec<u64>>,
    rest_bytes: u64,
    total_bytes: u64,
    told_at: Cell<f64>,
    on_progress: &'a dyn Fn(u64, u64),
}

impl Progress<'_> {
    fn set(&self, index: usize, have_bytes: u64) {
        self.have_bytes.borrow_mut()[index] = have_bytes;
        let now = now_millis();
        let done: u64 = self.rest_bytes + self.have_bytes.borrow().iter().sum::<u64>();
        if done == self.total_bytes || now - self.told_at.get() > INTERVAL_MILLIS {
            self.told_at.set(now);
            (self.on_progress)(done, self.total_bytes);
        }
    }
}

impl Download<'_> {
    /// Downloads the `missing` files of a pack.
    ///
    /// # Errors
    /// The first file that cannot be had; what came of the others stays for the next time.
    pub async fn run(
        &self,
        manifest: &Manifest,
        missing: &[&FileEntry],
    ) -> Result<(), DownloadError> {
        let total_bytes = manifest.files().map(|file| file.size_bytes).sum();
        let missing_bytes: u64 = missing.iter().map(|file| file.size_bytes).sum();
        let progress = Progress {
            have_bytes: RefCell::new(vec![0; missing.len()]),
            rest_bytes: total_bytes - missing_bytes,
            total_bytes,
            told_at: Cell::new(0.0),
            on_progress: self.on_progress,
        };
        let files = missing.iter().enumerate();
        let mut under_way = futures::stream::iter(files)
            .map(|(index, file)| self.file(file, index, &progress))
            .buffer_unordered(N_AT_ONCE);
        while let Some(ended) = under_way.next().await {
            ended?;
        }
        Ok(())
    }

    async fn file(
        &self,
        file: &FileEntry,
        index: usize,
        progress: &Progress<'_>,
    ) -> Result<(), DownloadError> {
        let on_bytes = |have| progress.set(index, have);
        let (mut failures, mut is_second) = (0, false);
        loop {
            let part = self.store.part(&file.sha256).await?;
            let before = part.size()?;
            match self.attempt(file, &part, &on_bytes).await {
                Ok(()) => {}
                Err(Interruption::Final(error)) => return Err(error),
                Err(Interruption::Passing(reason)) => {
                    failures = if part.size()? > before {
                        1
                    } else {
                        failures + 1
                    };
                    drop(part);
                    let Some(pause) = pause_millis(failures) else {
                        return Err(failed(
                            file,
                            &format!("{reason}, {failures} times in a row"),
                        ));
                    };
                    sleep(pause).await;
                    continue;
                }
            }
            let found = part.sha256()?;
            if found == file.sha256 {
                part.flush()?;
                drop(part);
                return Ok(self.store.prove(&file.sha256).await?);
            }
            // A file that is still open somewhere cannot be deleted; without its bytes it is fetched anew all the same.
            part.truncate(0)?;
            drop(part);
            self.store.forget(&file.sha256).await;
            if is_second {
                let expected = &file.sha256;
                return Err(failed(
                    file,
                    &format!("expected SHA-256 {expected}, found {found}, twice"),
                ));
            }
            is_second = true;
        }
    }

    /// Goes on with a file until it has all its bytes.
    async fn attempt(
        &self,
        file: &FileEntry,
        part: &Part,
        on_bytes: &impl Fn(u64),
    ) -> Result<(), Interruption> {
        let mut have = part.size()?;
        if have > file.size_bytes {
            part.truncate(0)?;
            have = 0;
        }
        on_bytes(have);
        if have == file.size_bytes {
            return Ok(());
        }
        let known = match have {
            0 => None,
            _ => self.store.validator(&file.sha256).await,
        };
        let passing = |error: JsValue| Interruption::Passing(words_of(&error));
        let abort = Connection(AbortController::new().map_err(passing)?);
        let url = format!("{}/{}", self.pack_url.trim_end_matches('/'), file.path);
        let request = request(&url, have, known.as_deref(), &abort.0).map_err(passing)?;
        let answer = within(PATIENCE_MILLIS, scope().fetch_with_request(&request)).await;
        let response: Response = match answer {
            Some(answer) => answer.map_err(passing)?.unchecked_into(),
            None => return Err(stalled()),
        };
        let (answer, version) = (answer_of(&response), version_of(&response));
        match answer.body(have, file.size_bytes) {
            Ok(Body::StartsOver) => have = 0,
            Ok(Body::Continues) if known.is_some() && version.is_some() && known != version => {
                // It went on in another version, whatever it was asked.
                part.truncate(0)?;
                return Err(Interruption::Passing("the file changed".to_owned()));
            }
            Ok(Body::Continues) => {}
            Err(error @ TransferError::Size { .. }) if have > 0 && answer.status == 416 => {
                part.truncate(0)?;
                return Err(Interruption::Passing(error.to_string()));
            }
            Err(error) if error.is_passing() => {
                return Err(Interruption::Passing(error.to_string()));
            }
            Err(error) => return Err(Interruption::Final(failed(file, &error.to_string()))),
        }
        if have == 0 {
            part.truncate(0)?;
            let version = version.unwrap_or_default();
            self.store.set_validator(&file.sha256, &version).await?;
        }
        let body = response
            .body()
            .ok_or_else(|| Interruption::Passing("the server's answer has no body".to_owned()))?;
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let Some(read) = within(PATIENCE_MILLIS, reader.read()).await else {
                return Err(stalled());
            };
            let read = read.map_err(passing)?;
            let Ok(bytes) = property(&read, "value").dyn_into::<Uint8Array>() else {
                break;
            };
            if have + u64::from(bytes.length()) > file.size_bytes {
                part.truncate(0)?;
                let expected = file.size_bytes;
                let reason = format!(
                    "expected {expected} bytes as the manifest says, the server sends more"
                );
                return Err(Interruption::Final(failed(file, &reason)));
            }
            part.append(&bytes, have)?;
            have += u64::from(bytes.length());
            on_bytes(have);
        }
        if have < file.size_bytes {
            let size = file.size_bytes;
            return Err(Interruption::Passing(format!(
                "the connection ended after {have} of {size} bytes"
            )));
        }
        Ok(())
    }
}

/// Asks for the bytes from `have` on, of the version that is known; never for what the browser has cached, which may be what is wrong.
fn request(
    url: &str,
    have: u64,
    known: Option<&str>,
    abort: &AbortController,
) -> Result<Request, JsValue> {
    let init = RequestInit::new();
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(&abort.signal()));
    let headers = Object::new();
    Reflect::set(&headers, &"Range".into(), &format!("bytes={have}-").into())?;
    if let Some(known) = known {
        Reflect::set(&headers, &"If-Range".into(), &known.into())?;
    }
    init.set_headers(&headers);
    Request::new_with_str_and_init(url, &init)
}

fn stalled() -> Interruption {
    let seconds = PATIENCE_MILLIS / 1000;
    Interruption::Passing(format!("the server sent nothing for {seconds} s"))
}

fn failed(file: &FileEntry, reason: &str) -> DownloadError {
    DownloadError::Failed(format!(
        "file `{}` could not be downloaded: {reason}",
        file.path
    ))
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

fn answer_of(response: &Response) -> Answer {
    // The length of a compressed body is not that of the file.
    let is_plain = header(response, "Content-Encoding").is_none();
    let length = header(response, "Content-Length").filter(|_| is_plain);
    Answer {
        status: response.status(),
        content_length: length.and_then(|text| text.parse().ok()),
        content_range: header(response, "Content-Range"),
    }
}

/// What the server calls this version, where that is good for `If-Range`: no weak ETag.
fn version_of(response: &Response) -> Option<String> {
    let strong = header(response, "ETag").filter(|tag| !tag.starts_with("W/"));
    strong.or_else(|| header(response, "Last-Modified"))
}
