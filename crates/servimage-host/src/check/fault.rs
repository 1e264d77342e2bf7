//! What can be wrong with a host, how bad it is, and what its keeper should do.

use serde::Serialize;

/// How much a fault costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The pack loads, but something is lost: resuming, speed, a true progress bar.
    Costs,
    /// The page cannot load the pack.
    Fails,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Broken,
    Missing,
    Status,
    WebPage,
    Manifest,
    Length,
    Hash,
    WrongRange,
    NoCors,
    RedirectLoop,
    NotSecure,
    NoRange,
    IgnoresIfRange,
    NoValidator,
    NoLength,
    Compressed,
    HiddenHeaders,
    Preflight,
    Redirect,
}

impl Fault {
    /// Stable code, level, and what to do about it.
    pub fn describe(self) -> (&'static str, Level, &'static str) {
        use Level::{Costs, Fails};
        match self {
            Self::Broken => (
                "host.broken",
                Fails,
                "see the host's log; time limits and proxies cut long answers",
            ),
            Self::Missing => (
                "host.missing",
                Fails,
                "upload the whole folder; every file of the manifest lies beside it",
            ),
            Self::Status => (
                "host.status",
                Fails,
                "make the files readable without login, cookies or tokens",
            ),
            Self::WebPage => (
                "host.web_page",
                Fails,
                "the host sends its start page for files that it lacks: check the address and the upload",
            ),
            Self::Manifest => (
                "host.manifest",
                Fails,
                "check the folder with `servimage verify`, then upload it again",
            ),
            Self::Length => (
                "host.length",
                Fails,
                "upload the file again, as binary; where it has some 130 bytes it is a pointer of Git LFS, not the file",
            ),
            Self::Hash => (
                "host.hash",
                Fails,
                "upload the file again, as binary; a cache in between may hold an older one: purge it",
            ),
            Self::WrongRange => (
                "host.wrong_range",
                Fails,
                "a range must be answered with exactly its bytes and `Content-Range: bytes FIRST-LAST/TOTAL`; else switch ranges off",
            ),
            Self::NoCors => (
                "host.no_cors",
                Fails,
                "send `Access-Control-Allow-Origin: *` with every answer, errors and redirects too",
            ),
            Self::RedirectLoop => (
                "host.redirect_loop",
                Fails,
                "serve the files where they are asked for",
            ),
            Self::NotSecure => (
                "host.not_secure",
                Fails,
                "serve by HTTPS: a page that came by HTTPS may load nothing else",
            ),
            Self::NoRange => (
                "host.no_range",
                Costs,
                "answer `Range` requests with 206: without, a download that is cut off starts again and cannot run in parallel",
            ),
            Self::IgnoresIfRange => (
                "host.ignores_if_range",
                Costs,
                "answer 200 with the whole file where `If-Range` names another version: else two versions are mixed and the download is thrown away",
            ),
            Self::NoValidator => (
                "host.no_validator",
                Costs,
                "send a strong `ETag` (without W/) or `Last-Modified`: a download cannot resume safely without",
            ),
            Self::NoLength => (
                "host.no_length",
                Costs,
                "send `Content-Length`: progress cannot be checked without",
            ),
            Self::Compressed => (
                "host.compressed",
                Costs,
                "switch compression off for shards (`Cache-Control: no-transform`, by type or by name): it saves nothing and hides lengths",
            ),
            Self::HiddenHeaders => (
                "host.hidden_headers",
                Costs,
                "send `Access-Control-Expose-Headers: Accept-Ranges, Content-Length, Content-Range, ETag`: a page cannot resume by what it cannot see",
            ),
            Self::Preflight => (
                "host.preflight",
                Costs,
                "answer OPTIONS with 204, `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Headers: Range, If-Range`",
            ),
            Self::Redirect => (
                "host.redirect",
                Costs,
                "use the final address: each redirect is one more round trip a file, and the page's policy must name both hosts",
            ),
        }
    }
}

/// One thing that is wrong, with every file that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code, such as `host.no_range`.
    pub code: &'static str,
    /// How much it costs.
    pub level: Level,
    /// What was expected and found, for the first file.
    pub message: String,
    /// Files that show it.
    pub files: Vec<String>,
    /// What to do about it.
    pub advice: &'static str,
}

/// Findings, one a kind of fault.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a fault of a file.
    pub fn add(&mut self, fault: Fault, file: &str, message: impl Into<String>) {
        let (code, level, advice) = fault.describe();
        match self.0.iter_mut().find(|finding| finding.code == code) {
            Some(finding) if finding.files.iter().any(|known| known == file) => {}
            Some(finding) => finding.files.push(file.to_owned()),
            None => self.0.push(Finding {
                code,
                level,
                message: message.into(),
                files: vec![file.to_owned()],
                advice,
            }),
        }
    }

    /// The worst first.
    pub fn into_vec(mut self) -> Vec<Finding> {
        self.0
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
        self.0
    }
}
