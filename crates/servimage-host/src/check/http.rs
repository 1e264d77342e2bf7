//! What the checker asks of an HTTP client: one request, one answer, nothing done behind its back.

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `OPTIONS`.
    pub method: &'static str,
    /// Absolute.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Bytes of the body that are read; the rest is left.
    pub max_body_bytes: u64,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// As sent: not decompressed. Cut at [`Request::max_body_bytes`].
    pub body: Vec<u8>,
}

/// No answer came, or it broke off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url} gave no answer: {reason}")]
pub struct HttpError {
    /// What was asked for.
    pub url: String,
    /// The client's words.
    pub reason: String,
}

/// Sends requests. It follows no redirects, takes no status for an error and decompresses nothing.
pub trait HttpClient {
    /// Sends one request.
    ///
    /// # Errors
    /// [`HttpError`] where no whole answer comes.
    fn send(&self, request: &Request) -> Result<Response, HttpError>;
}

impl Response {
    /// The value of a header, whose name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    /// The announced length of the body.
    pub fn length(&self) -> Option<u64> {
        self.header("Content-Length")?.parse().ok()
    }

    /// Whether the body is compressed for the way.
    pub fn encoding(&self) -> Option<&str> {
        self.header("Content-Encoding")
            .filter(|encoding| !encoding.is_empty() && *encoding != "identity")
    }

    /// `(first, last, total)` of `Content-Range: bytes first-last/total`.
    pub fn range(&self) -> Option<(u64, u64, u64)> {
        let value = self.header("Content-Range")?.strip_prefix("bytes ")?;
        let (range, total) = value.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
    }

    /// Whether a comma-separated header names `wanted`, or everything by `*`.
    pub fn lists(&self, header: &str, wanted: &str) -> bool {
        self.header(header).is_some_and(|list| {
            list.split(',')
                .map(str::trim)
                .any(|name| name == "*" || name.eq_ignore_ascii_case(wanted))
        })
    }

    /// What a resumed download is tied to: a strong entity tag, or the time of the last change.
    pub fn validator(&self) -> Option<&str> {
        self.header("ETag")
            .filter(|tag| tag.starts_with('"'))
            .or_else(|| self.header("Last-Modified"))
    }
}
