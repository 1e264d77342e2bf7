//! Asks a host for a pack's files the way a page would, and notes what is wrong with the answers.

use super::CheckOptions;
use super::address::Address;
use super::fault::{Fault, Finding, Findings};
use super::http::{HttpClient, HttpError, Request, Response};
use servimage_pack::manifest::FileEntry;
use servimage_pack::{MANIFEST_FILE, MAX_MANIFEST_BYTES, PackError, sha256_hex};
use std::ops::Range;

/// Redirects that are followed for one file; browsers give up after 20.
const MAX_REDIRECTS: usize = 5;

/// Bytes asked for out of a file's middle.
const RANGE_BYTES: u64 = 64;

/// What browsers take; with a range they ask for plain bytes.
const ANY_ENCODING: &str = "gzip, deflate, br, zstd";

/// A host under examination.
pub(super) struct Probe<'a, C> {
    client: &'a C,
    folder: Address,
    page_origin: Option<&'a str>,
    findings: Findings,
    hashed: Vec<String>,
    /// Origins that answered.
    origins: Vec<String>,
}

impl<'a, C: HttpClient> Probe<'a, C> {
    pub fn new(client: &'a C, folder: Address, options: &'a CheckOptions) -> Self {
        Self {
            client,
            folder,
            page_origin: options.page_origin.as_deref(),
            findings: Findings::default(),
            hashed: Vec::new(),
            origins: Vec::new(),
        }
    }

    pub fn folder(&self) -> &Address {
        &self.folder
    }

    /// Files that were fetched whole and hashed.
    pub fn hashed(&self) -> &[String] {
        &self.hashed
    }

    /// Findings and the origins that a page's policy must list.
    pub fn into_findings(self) -> (Vec<Finding>, Vec<String>) {
        (self.findings.into_vec(), self.origins)
    }

    /// The manifest's bytes, where there are any.
    ///
    /// # Errors
    /// Where the host does not answer at all.
    pub fn manifest(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        let Some(response) = self.fetch(MANIFEST_FILE, &[], MAX_MANIFEST_BYTES as u64 + 1)? else {
            return Ok(None);
        };
        self.check_sharing(MANIFEST_FILE, &response);
        if response.status != 200 {
            self.bad_status(MANIFEST_FILE, &response, 200);
            return Ok(None);
        }
        if looks_like_a_page(&response.body) {
            let message = "expected the manifest, found a web page";
            self.findings.add(Fault::WebPage, MANIFEST_FILE, message);
            return Ok(None);
        }
        Ok(Some(response.body))
    }

    /// Notes a manifest that this build refuses.
    pub fn no_manifest(&mut self, error: &PackError) {
        self.findings
            .add(Fault::Manifest, MANIFEST_FILE, error.to_string());
    }

    /// Some bytes of a file, and all of them where it is `sampled`.
    pub fn file(&mut self, file: &FileEntry, sampled: bool) {
        let range = middle(file.size_bytes);
        let Some(part) = self.part(file, &range) else {
            return;
        };
        if !sampled {
            return;
        }
        let Some(whole) = self.whole(file) else {
            return;
        };
        let stated = whole.get(range.start as usize..range.end as usize);
        if part.status == 206 && stated.is_some_and(|stated| stated != part.body) {
            let message = format!(
                "bytes {}-{} differ from those of the whole file",
                range.start,
                range.end - 1
            );
            self.findings.add(Fault::WrongRange, &file.path, message);
        }
    }

    /// Asks for a range; `None` where no part of the file came.
    fn part(&mut self, file: &FileEntry, range: &Range<u64>) -> Option<Response> {
        let asked = format!("bytes={}-{}", range.start, range.end - 1);
        let headers = [("Range", asked), ("Accept-Encoding", "identity".to_owned())];
        let response = self.fetch_noting(&file.path, &headers, RANGE_BYTES)?;
        self.check_sharing(&file.path, &response);
        match response.status {
            206 => self.check_part(file, range, &response),
            200 => {
                let message = "a request for some bytes was answered with the whole file";
                self.findings.add(Fault::NoRange, &file.path, message);
                self.check_length(file, response.length());
            }
            416 => {
                let total = response.header("Content-Range");
                let total = total.and_then(|value| value.strip_prefix("bytes */")?.parse().ok());
                self.check_length(file, Some(total.unwrap_or(0)));
                return None;
            }
            _ => {
                self.bad_status(&file.path, &response, 206);
                return None;
            }
        }
        if response.validator().is_none() {
            let message = match response.header("ETag") {
                Some(weak) => format!("the only validator is weak: ETag {weak}"),
                None => "neither ETag nor Last-Modified came".to_owned(),
            };
            self.findings.add(Fault::NoValidator, &file.path, message);
        }
        Some(response)
    }

    /// Holds a 206 against what was asked for.
    fn check_part(&mut self, file: &FileEntry, range: &Range<u64>, response: &Response) {
        let stated = response.range();
        match stated {
            Some((_, _, total)) if total != file.size_bytes => {
                self.check_length(file, Some(total));
            }
            Some((first, last, _))
                if (first, last) == (range.start, range.end - 1)
                    && response.body.len() as u64 == range.end - range.start => {}
            _ => {
                let message = format!(
                    "bytes {}-{} were asked for, `Content-Range: {}` and {} bytes came",
                    range.start,
                    range.end - 1,
                    response.header("Content-Range").unwrap_or("nothing"),
                    response.body.len()
                );
                self.findings.add(Fault::WrongRange, &file.path, message);
            }
        }
    }

    /// The whole file where its length and hash are right, as a browser without a cache would ask for it.
    fn whole(&mut self, file: &FileEntry) -> Option<Vec<u8>> {
        let encoding = [("Accept-Encoding", ANY_ENCODING.to_owned())];
        let most = file.size_bytes + 1;
        let mut response = self.fetch_noting(&file.path, &encoding, most)?;
        if let Some(encoding) = response.encoding() {
            let message = format!("it was sent with `Content-Encoding: {encoding}`");
            // A tokenizer is text: compressed it is a third, and the browser unpacks it.
            if file.path.ends_with(".bin") {
                self.findings.add(Fault::Compressed, &file.path, message);
            }
            let plain = [("Accept-Encoding", "identity".to_owned())];
            response = self.fetch_noting(&file.path, &plain, most)?;
        }
        if response.status != 200 {
            self.bad_status(&file.path, &response, 200);
            return None;
        }
        if response.length().is_none() {
            let message = "no `Content-Length` came with the whole file";
            self.findings.add(Fault::NoLength, &file.path, message);
        }
        let found = response.length().unwrap_or(response.body.len() as u64);
        if !self.check_length(file, Some(found.max(response.body.len() as u64))) {
            return None;
        }
        let hash = sha256_hex(&response.body);
        if hash != file.sha256 {
            let message = format!("expected SHA-256 {}, found {hash}", file.sha256);
            self.findings.add(Fault::Hash, &file.path, message);
            return None;
        }
        self.hashed.push(file.path.clone());
        Some(response.body)
    }

    /// Whether a download of `file` that was cut off could go on: `If-Range` and, for a page elsewhere, the question that it makes
    /// a browser ask first.
    pub fn resuming(&mut self, file: &FileEntry) {
        if self.page_origin.is_some() {
            self.preflight(file);
        }
        let range = middle(file.size_bytes);
        let asked = ("Range", format!("bytes={}-{}", range.start, range.end - 1));
        let other_version = ("If-Range", "\"servimage-other-version\"".to_owned());
        let headers = [asked, other_version];
        let response = self.fetch_noting(&file.path, &headers, RANGE_BYTES);
        if response.is_some_and(|response| response.status == 206) {
            let message = "a range of another version was answered with bytes of this one";
            self.findings
                .add(Fault::IgnoresIfRange, &file.path, message);
        }
    }

    fn preflight(&mut self, file: &FileEntry) {
        let url = self.folder.file(&file.path);
        let mut headers = self.origin_header();
        headers.extend([
            ("Access-Control-Request-Method", "GET".to_owned()),
            (
                "Access-Control-Request-Headers",
                "if-range,range".to_owned(),
            ),
        ]);
        let request = Request {
            method: "OPTIONS",
            url: url.to_string(),
            headers,
            max_body_bytes: RANGE_BYTES,
        };
        let message = match self.client.send(&request) {
            Err(error) => error.reason,
            Ok(response) if !(200..300).contains(&response.status) => {
                format!("OPTIONS was answered with {}", response.status)
            }
            Ok(response) => {
                let missing = ["Range", "If-Range"]
                    .into_iter()
                    .filter(|name| !response.lists("Access-Control-Allow-Headers", name));
                let missing = missing.collect::<Vec<_>>().join(" and ");
                if missing.is_empty() && self.may_read(&response) {
                    return;
                }
                match missing.is_empty() {
                    true => "OPTIONS was answered without `Access-Control-Allow-Origin`".to_owned(),
                    false => format!("`Access-Control-Allow-Headers` lacks {missing}"),
                }
            }
        };
        self.findings.add(Fault::Preflight, &file.path, message);
    }

    /// Whether a page of the origin may read the answer at all, and see what it resumes by.
    fn check_sharing(&mut self, file: &str, response: &Response) {
        let Some(origin) = self.page_origin else {
            return;
        };
        if !self.may_read(response) {
            let found = response.header("Access-Control-Allow-Origin");
            let message = format!(
                "a page of {origin} may not read it: `Access-Control-Allow-Origin` is {}",
                found.unwrap_or("missing")
            );
            return self.findings.add(Fault::NoCors, file, message);
        }
        let hidden = ["Content-Range", "ETag"].into_iter().filter(|name| {
            response.header(name).is_some()
                && !response.lists("Access-Control-Expose-Headers", name)
        });
        let hidden = hidden.collect::<Vec<_>>().join(" and ");
        if !hidden.is_empty() && response.status == 206 {
            let message = format!("a page of another host cannot see {hidden}");
            self.findings.add(Fault::HiddenHeaders, file, message);
        }
    }

    fn may_read(&self, response: &Response) -> bool {
        let allowed = response.header("Access-Control-Allow-Origin");
        allowed == Some("*") || (allowed.is_some() && allowed == self.page_origin)
    }

    /// Whether the length is the manifest's; notes where it is not. An unknown one passes.
    fn check_length(&mut self, file: &FileEntry, found: Option<u64>) -> bool {
        match found {
            Some(found) if found != file.size_bytes => {
                let message = format!("expected {} bytes, found {found}", file.size_bytes);
                self.findings.add(Fault::Length, &file.path, message);
                false
            }
            _ => true,
        }
    }

    fn bad_status(&mut self, file: &str, response: &Response, expected: u16) {
        let fault = match response.status {
            404 | 410 => Fault::Missing,
            _ => Fault::Status,
        };
        let message = format!("expected status {expected}, found {}", response.status);
        self.findings.add(fault, file, message);
    }

    /// As [`Probe::fetch`]; no answer is a finding.
    fn fetch_noting(
        &mut self,
        file: &str,
        headers: &[(&'static str, String)],
        max_body_bytes: u64,
    ) -> Option<Response> {
        match self.fetch(file, headers, max_body_bytes) {
            Ok(response) => response,
            Err(error) => {
                self.findings.add(Fault::Broken, file, error.to_string());
                None
            }
        }
    }

    /// Asks for a file and follows redirects, each of which is noted; `None` where they lead nowhere.
    fn fetch(
        &mut self,
        file: &str,
        headers: &[(&'static str, String)],
        max_body_bytes: u64,
    ) -> Result<Option<Response>, HttpError> {
        let mut from = self.folder.file(file);
        for _ in 0..=MAX_REDIRECTS {
            self.note_origin(file, &from);
            let mut all = self.origin_header();
            all.extend_from_slice(headers);
            let response = self.client.send(&Request {
                method: "GET",
                url: from.to_string(),
                headers: all,
                max_body_bytes,
            })?;
            if !(300..400).contains(&response.status) {
                return Ok(Some(response));
            }
            let location = response.header("Location").unwrap_or("nowhere");
            let message = format!("{} leads to {location}", response.status);
            self.findings.add(Fault::Redirect, file, message);
            self.check_sharing(file, &response);
            match from.join(location) {
                Some(next) => from = next,
                None => break,
            }
        }
        let message = format!("redirects end nowhere: the last address is {from}");
        self.findings.add(Fault::RedirectLoop, file, message);
        Ok(None)
    }

    fn note_origin(&mut self, file: &str, from: &Address) {
        let origin = from.origin();
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
        if !from.is_secure() {
            let message = format!("{from} does not come by HTTPS");
            self.findings.add(Fault::NotSecure, file, message);
        }
    }

    fn origin_header(&self) -> Vec<(&'static str, String)> {
        let origin = self.page_origin.iter();
        origin
            .map(|origin| ("Origin", (*origin).to_owned()))
            .collect()
    }
}

/// Some bytes out of the middle of a file, all of a small one.
fn middle(size_bytes: u64) -> Range<u64> {
    let start = size_bytes.saturating_sub(RANGE_BYTES) / 2;
    start..(start + RANGE_BYTES).min(size_bytes)
}

/// HTML where a file of a pack was expected.
fn looks_like_a_page(body: &[u8]) -> bool {
    let start = &body[..body.len().min(256)];
    let text = String::from_utf8_lossy(start)
        .trim_start()
        .to_ascii_lowercase();
    text.starts_with("<!doctype") || text.starts_with("<html")
}
