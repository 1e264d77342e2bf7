//! A sound host passes; every fault that a host can have is found, named and told apart from the others.

#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "../../servimage-pack/tests/tiny_pack/mod.rs"]
mod tiny_pack;

use servimage_host::check::{
    CheckError, CheckOptions, Finding, HostReport, HttpClient, HttpError, Level, Request, Response,
    check_host,
};
use servimage_host::server::{Head, Sharing, Site};
use servimage_pack::Layout;
use std::cell::RefCell;
use std::io::Read;
use std::path::Path;

const URL: &str = "https://host.example/models/tiny/";

/// A host without a network: our own server's answers, spoilt by `fault`.
struct FaultyHost<F> {
    site: Site,
    fault: F,
    asked: RefCell<Vec<String>>,
    _folder: tempfile::TempDir,
}

impl<F: Fn(&Request, &mut Response)> FaultyHost<F> {
    fn new(sharing: Sharing, fault: F) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("tiny");
        write_pack(&pack);
        let mut site = Site::new();
        site.add_pack(&pack, sharing).unwrap();
        Self {
            site,
            fault,
            asked: RefCell::default(),
            _folder: folder,
        }
    }

    fn check_with(&self, options: &CheckOptions) -> HostReport {
        check_host(self, URL, options, |_, _, _| ()).unwrap()
    }
}

impl<F: Fn(&Request, &mut Response)> HttpClient for FaultyHost<F> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.asked.borrow_mut().push(request.url.clone());
        let (_, target) = request.url.split_once("example").unwrap();
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let head = Head::new(request.method, target, headers.collect());
        let answer = self.site.answer(&head).unwrap();
        let mut body = Vec::new();
        let whole = answer.body.take(answer.body_bytes);
        whole
            .take(request.max_body_bytes)
            .read_to_end(&mut body)
            .unwrap();
        let length = ("Content-Length", answer.body_bytes.to_string());
        let headers = answer.headers.into_iter().chain([length]);
        let mut response = Response {
            status: answer.status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body,
        };
        (self.fault)(request, &mut response);
        if response.status == 0 {
            let (url, reason) = (request.url.clone(), "the connection was closed".to_owned());
            return Err(HttpError { url, reason });
        }
        Ok(response)
    }
}

fn write_pack(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, bytes) in tiny_pack::pack(Layout::Q8, 512).files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// What is found at our own server, spoilt by `fault`, on behalf of a page elsewhere.
fn check(fault: impl Fn(&Request, &mut Response)) -> HostReport {
    FaultyHost::new(Sharing::AnyOrigin, fault).check_with(&CheckOptions::default())
}

/// The one finding of a host with one fault.
fn only(fault: impl Fn(&Request, &mut Response)) -> Finding {
    let report = check(fault);
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes.len(), 1, "{codes:?}");
    assert_eq!(report.ok, report.findings[0].level == Level::Costs);
    report.findings[0].clone()
}

fn set(response: &mut Response, name: &str, value: &str) {
    remove(response, name);
    response.headers.push((name.to_owned(), value.to_owned()));
}

fn remove(response: &mut Response, name: &str) {
    response
        .headers
        .retain(|(found, _)| !found.eq_ignore_ascii_case(name));
}

fn is_shard(request: &Request) -> bool {
    request.url.contains("shard-")
}

fn asks_range(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| *name == "Range")
}

#[test]
fn our_own_server_does_nothing_wrong() {
    let host = FaultyHost::new(Sharing::AnyOrigin, |_, _| ());
    let report = host.check_with(&CheckOptions::default());
    assert_eq!(report.findings, Vec::new());
    assert!(report.ok && report.n_files > 4, "{report:?}");
    assert_eq!(report.name.as_deref(), Some("tiny"));
    assert_eq!(report.connect_src, ["https://host.example"]);
    // The tokenizer and the last shard were hashed; of every other file some bytes were asked for.
    let last = format!("shard-{:04}.bin", report.n_files - 3);
    assert_eq!(report.hashed, ["tokenizer.json", last.as_str()]);
    let asked = host.asked.borrow();
    for index in 0..report.n_files - 2 {
        let url = format!("{URL}shard-{index:04}.bin");
        assert!(asked.contains(&url), "{url}: {asked:?}");
    }
}

#[test]
fn every_shard_is_hashed_where_all_are_asked_for() {
    let host = FaultyHost::new(Sharing::AnyOrigin, |_, _| ());
    let options = CheckOptions {
        n_sampled: usize::MAX,
        ..CheckOptions::default()
    };
    let report = host.check_with(&options);
    assert_eq!(report.hashed.len(), report.n_files - 1);
}

#[test]
fn a_page_on_the_same_host_needs_no_sharing() {
    let host = FaultyHost::new(Sharing::SameOrigin, |_, _| ());
    let options = CheckOptions {
        page_origin: None,
        ..CheckOptions::default()
    };
    assert_eq!(host.check_with(&options).findings, Vec::new());
    let elsewhere = host.check_with(&CheckOptions::default());
    assert!(!elsewhere.ok);
    let no_cors = &elsewhere.findings[0];
    assert_eq!(no_cors.code, "host.no_cors");
    assert!(no_cors.advice.contains("Access-Control-Allow-Origin: *"));
    assert_eq!(no_cors.files.len(), elsewhere.n_files);
}

#[test]
fn a_missing_shard_is_named() {
    let finding = only(|request, response| {
        if request.url.ends_with("shard-0001.bin") {
            response.status = 404;
        }
    });
    assert_eq!(
        (finding.code, finding.files),
        ("host.missing", vec!["shard-0001.bin".to_owned()])
    );
}

#[test]
fn a_login_page_or_a_start_page_is_no_pack() {
    let forbidden = only(|_, response| response.status = 403);
    assert_eq!(forbidden.code, "host.status");
    assert!(forbidden.message.contains("found 403"), "{forbidden:?}");
    let page = only(|_, response| response.body = b"\n<!DOCTYPE html><p>hello".to_vec());
    assert_eq!(page.code, "host.web_page");
    let other = only(|_, response| response.body = b"{\"format_version\": 9}".to_vec());
    assert_eq!(other.code, "host.manifest");
    assert!(other.message.contains("format version 9"), "{other:?}");
}

#[test]
fn a_wrong_length_is_told_with_both_numbers() {
    let finding = only(|request, response| {
        if request.url.ends_with("shard-0000.bin")
            && let Some((first, last, _)) = response.range()
        {
            set(
                response,
                "Content-Range",
                &format!("bytes {first}-{last}/130"),
            );
        }
    });
    assert_eq!(finding.code, "host.length");
    assert!(
        finding.message.contains("expected 512 bytes, found 130") && finding.advice.contains("LFS"),
        "{finding:?}"
    );
}

#[test]
fn other_bytes_than_the_manifests_are_found_by_their_hash() {
    let finding = only(|request, response| {
        if is_shard(request) && !asks_range(request) && request.method == "GET" {
            response.body[0] ^= 1;
        }
    });
    assert_eq!(finding.code, "host.hash");
    assert!(finding.message.contains("expected SHA-256 "), "{finding:?}");
}

#[test]
fn ranges_that_lie_are_found() {
    for spoil in [
        |response: &mut Response| response.body.truncate(9),
        |response: &mut Response| remove(response, "Content-Range"),
        |response: &mut Response| response.body[0] ^= 1,
    ] {
        // The last shard is the one that is also fetched whole; the others' bytes are not known.
        let finding = only(|request, response| {
            if response.status == 206 && is_shard(request) {
                spoil(response);
            }
        });
        assert_eq!(finding.code, "host.wrong_range", "{finding:?}");
    }
}

#[test]
fn a_host_without_ranges_still_serves() {
    let report = check(|_, response| {
        if response.status == 206 {
            let total = response.range().unwrap().2.to_string();
            set(response, "Content-Length", &total);
            remove(response, "Content-Range");
            response.status = 200;
        }
    });
    assert!(report.ok);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].code, "host.no_range");
    assert_eq!(report.findings[0].files.len(), report.n_files - 1);
}

#[test]
fn validators_that_cannot_tie_a_download_together_are_found() {
    let weak = only(|_, response| set(response, "ETag", "W/\"1\""));
    assert_eq!(weak.code, "host.no_validator");
    assert!(weak.message.contains("W/\"1\""), "{weak:?}");
    assert_eq!(
        only(|_, response| remove(response, "ETag")).code,
        "host.no_validator"
    );
    let dated = check(|_, response| {
        remove(response, "ETag");
        set(response, "Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT");
    });
    assert_eq!(dated.findings, Vec::new());
}

#[test]
fn ranges_of_another_version_are_found() {
    let finding = only(|request, response| {
        if request.headers.iter().any(|(name, _)| *name == "If-Range") {
            response.status = 206;
            set(response, "Content-Range", "bytes 0-63/512");
        }
    });
    assert_eq!(finding.code, "host.ignores_if_range");
}

#[test]
fn compressed_shards_and_missing_lengths_cost() {
    let compressed = only(|request, response| {
        let accepts =
            |(name, value): &(&str, String)| *name == "Accept-Encoding" && value.contains("gzip");
        if request.headers.iter().any(accepts) {
            set(response, "Content-Encoding", "gzip");
            response.body = vec![31, 139, 8];
            remove(response, "Content-Length");
        }
    });
    assert_eq!(compressed.code, "host.compressed");
    assert!(compressed.files.iter().all(|file| file.ends_with(".bin")));
    let endless = only(|request, response| {
        if !asks_range(request) {
            remove(response, "Content-Length");
        }
    });
    assert_eq!(endless.code, "host.no_length");
}

#[test]
fn what_a_page_of_another_host_cannot_see_or_ask_is_found() {
    let hidden =
        only(|_, response| set(response, "Access-Control-Expose-Headers", "Content-Length"));
    assert_eq!(hidden.code, "host.hidden_headers");
    assert!(
        hidden.message.contains("Content-Range and ETag"),
        "{hidden:?}"
    );
    let open = check(|_, response| set(response, "Access-Control-Expose-Headers", "*"));
    assert_eq!(open.findings, Vec::new());
    let refused = only(|request, response| {
        if request.method == "OPTIONS" {
            response.status = 405;
        }
    });
    assert_eq!(refused.code, "host.preflight");
    let narrow = only(|_, response| set(response, "Access-Control-Allow-Headers", "Range"));
    assert_eq!(narrow.code, "host.preflight");
    assert!(narrow.message.ends_with("lacks If-Range"), "{narrow:?}");
    let other = check(|_, response| {
        set(
            response,
            "Access-Control-Allow-Origin",
            "https://other.example",
        );
    });
    assert_eq!(other.findings[0].code, "host.no_cors");
}

#[test]
fn redirects_are_followed_noted_and_end() {
    let report = check(|request, response| {
        if request.url.starts_with("https://host.example") && is_shard(request) {
            response.status = 302;
            let location = request.url.replace("host.example", "cdn.example");
            set(response, "Location", &location);
        }
    });
    assert!(report.ok, "{report:?}");
    // The question before a resumed request may not be redirected at all.
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["host.redirect", "host.preflight"]);
    assert_eq!(
        report.connect_src,
        ["https://host.example", "https://cdn.example"]
    );
    let around = check(|request, response| {
        response.status = 301;
        set(response, "Location", &request.url.clone());
    });
    assert_eq!(around.findings[0].code, "host.redirect_loop");
    let down = check(|request, response| {
        if request.url.starts_with("https:") && is_shard(request) {
            response.status = 302;
            set(response, "Location", &request.url.replace("https", "http"));
        }
    });
    assert_eq!(down.findings[0].code, "host.not_secure");
}

#[test]
fn an_answer_that_breaks_off_is_a_finding_and_no_answer_at_all_an_error() {
    let finding = only(|request, response| {
        if request.url.ends_with("shard-0002.bin") {
            response.status = 0;
        }
    });
    assert_eq!(finding.code, "host.broken");
    assert!(finding.message.contains("connection was closed"));
    let host = FaultyHost::new(
        Sharing::AnyOrigin,
        |_: &Request, response: &mut Response| {
            response.status = 0;
        },
    );
    let error = check_host(&host, URL, &CheckOptions::default(), |_, _, _| ()).unwrap_err();
    assert!(matches!(error, CheckError::Unreachable(_)), "{error}");
    let error = check_host(&host, "models/tiny", &CheckOptions::default(), |_, _, _| ());
    assert!(error.unwrap_err().to_string().contains("`models/tiny`"));
}
