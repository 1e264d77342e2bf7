//! The command line's HTTP client: `ureq` with `rustls`, told to do nothing behind our back.

use servimage_host::check::{HttpClient, HttpError, Request, Response};
use std::io::Read;
use std::time::Duration;

/// Longest wait for a host to answer, or to send the next piece of a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends requests over HTTP and HTTPS; connections are kept and used again.
pub struct Client {
    agent: ureq::Agent,
}

impl Client {
    /// A client that follows no redirects and decompresses nothing.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .user_agent(concat!("servimage/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    fn try_send(&self, request: &Request) -> Result<Response, ureq::Error> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let response = self.agent.run(builder.body(())?)?;
        let (head, body) = response.into_parts();
        let text = |value: &ureq::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = head.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let mut bytes = Vec::new();
        body.into_reader()
            .take(request.max_body_bytes)
            .read_to_end(&mut bytes)?;
        Ok(Response {
            status: head.status.as_u16(),
            headers,
            body: bytes,
        })
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient for Client {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.try_send(request).map_err(|error| HttpError {
            url: request.url.clone(),
            reason: error.to_string(),
        })
    }
}
