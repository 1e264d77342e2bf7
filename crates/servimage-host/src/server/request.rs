//! The head of an HTTP request, and the byte ranges that it may ask for.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// Longest head that is read; browsers send about one kilobyte.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// Request line and headers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Such as `GET`.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A request that came by another way than a connection.
    pub fn new(
        method: impl Into<String>,
        target: impl Into<String>,
        headers: Vec<(String, String)>,
    ) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers,
        }
    }

    /// Read up to the empty line; `None` for a connection that was closed or sends no HTTP.
    ///
    /// # Errors
    /// Where the connection breaks or the head is no text.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = reader.take(HEAD_BYTES_MAX).lines();
        let Some(first) = lines.next().transpose()? else {
            return Ok(None);
        };
        let mut words = first.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut head = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
        };
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            head.headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Some(head))
    }

    /// The value of a header, whose name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Announced length of the body.
    pub fn body_bytes(&self) -> u64 {
        self.header("Content-Length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0)
    }

    /// What part of a file is asked for; a range of another version (`tag`) gets the whole of this one.
    pub(super) fn wanted_part(&self, tag: &str, size_bytes: u64) -> Part {
        match (self.header("Range"), self.header("If-Range")) {
            (Some(range), None) => parse_range(range, size_bytes),
            (Some(range), Some(condition)) if condition == tag => parse_range(range, size_bytes),
            _ => Part::Whole,
        }
    }
}

/// What part of a file a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes, which the file has.
    Bytes(Range<u64>),
    /// Bytes that the file does not have.
    Unsatisfiable,
}

/// One range of RFC 9110, section 14; several ranges at once are answered by the whole file.
fn parse_range(header: &str, size_bytes: u64) -> Part {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size_bytes),
        (Ok(first), Err(_)) if last.is_empty() => first..size_bytes,
        (Err(_), Ok(n_last)) if first.is_empty() => size_bytes.saturating_sub(n_last)..size_bytes,
        _ => return Part::Whole,
    };
    if range.is_empty() {
        Part::Unsatisfiable
    } else {
        Part::Bytes(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_standard() {
        for (header, expected) in [
            ("bytes=0-", Part::Bytes(0..10)),
            ("bytes=2-100", Part::Bytes(2..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-100", Part::Bytes(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(parse_range(header, 10), expected, "{header}");
        }
    }

    #[test]
    fn a_connection_without_http_is_no_request() -> io::Result<()> {
        assert_eq!(Head::read(&mut "".as_bytes())?, None);
        assert_eq!(Head::read(&mut "nonsense\r\n\r\n".as_bytes())?, None);
        Ok(())
    }
}
