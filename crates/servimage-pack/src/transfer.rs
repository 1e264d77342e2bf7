//! What a server's answer means for a file that may be there in part already.
//!
//! The rules of HTTP ranges, without a network: a browser's fetcher asks, this module says whether the bytes that come
//! go on, start over, or are none. Nothing here trusts the server: the file's hash has the last word.

use thiserror::Error;

/// Milliseconds before the first new attempt; each further one waits twice as long.
const FIRST_PAUSE_MILLIS: u32 = 500;

/// Attempts in a row without a new byte, after which a transfer is given up.
pub const MAX_FAILURES: u32 = 6;

/// Head of a server's answer to `Range: bytes=HAVE-`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Length`; absent where the body is compressed or the server does not say.
    pub content_length: Option<u64>,
    /// `Content-Range`; absent where the server does not say, or hides it from pages of other hosts.
    pub content_range: Option<String>,
}

/// Where the bytes of an answer belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Right behind what is there.
    Continues,
    /// It is the whole file: what is there goes.
    StartsOver,
}

/// An answer that brings no bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransferError {
    /// There is no such file.
    #[error("the server has no such file (status {status})")]
    Missing {
        /// 404 or 410.
        status: u16,
    },
    /// The server will not give it, now or later.
    #[error("the server answers with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The server cannot give it now.
    #[error("the server answers with status {status}")]
    Busy {
        /// HTTP status.
        status: u16,
    },
    /// The file there has another size than the manifest says.
    #[error("expected {expected} bytes as the manifest says, found {found} at the server")]
    Size {
        /// As in the manifest.
        expected: u64,
        /// As the server says.
        found: u64,
    },
    /// The server sends other bytes than those asked for.
    #[error("expected the bytes from {expected} on, found `{found}`")]
    Range {
        /// First byte asked for.
        expected: u64,
        /// The server's `Content-Range`.
        found: String,
    },
}

impl TransferError {
    /// Whether a later attempt may go better.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

impl Answer {
    /// Where the body belongs, for a file of `size_bytes` of which the first `have_bytes` are there.
    ///
    /// # Errors
    /// [`TransferError`] where the body is not from this file.
    pub fn body(&self, have_bytes: u64, size_bytes: u64) -> Result<Body, TransferError> {
        let of_size = |found: Option<u64>| match found {
            Some(found) if found != size_bytes => Err(TransferError::Size {
                expected: size_bytes,
                found,
            }),
            _ => Ok(()),
        };
        let status = self.status;
        match status {
            200 => of_size(self.content_length).map(|()| Body::StartsOver),
            206 => {
                let Some(text) = &self.content_range else {
                    return Ok(Body::Continues);
                };
                let (first, total) = read_range(text);
                of_size(total)?;
                if first != Some(have_bytes) {
                    return Err(TransferError::Range {
                        expected: have_bytes,
                        found: text.clone(),
                    });
                }
                Ok(Body::Continues)
            }
            // It ends where we wanted to go on, though the manifest says that there is more.
            416 => Err(TransferError::Size {
                expected: size_bytes,
                found: self.total().unwrap_or(have_bytes),
            }),
            404 | 410 => Err(TransferError::Missing { status }),
            408 | 425 | 429 | 500..=599 => Err(TransferError::Busy { status }),
            _ => Err(TransferError::Refused { status }),
        }
    }

    fn total(&self) -> Option<u64> {
        read_range(self.content_range.as_deref()?).1
    }
}

/// First byte and size of the file in `bytes 5-9/10`, `bytes */10` or `bytes 5-9/*`.
fn read_range(text: &str) -> (Option<u64>, Option<u64>) {
    let Some((range, total)) = text
        .trim()
        .strip_prefix("bytes ")
        .and_then(|rest| rest.split_once('/'))
    else {
        return (None, None);
    };
    let first = range
        .split_once('-')
        .and_then(|(first, _)| first.parse().ok());
    (first, total.parse().ok())
}

/// Milliseconds to wait after `failures` attempts in a row without a new byte; `None` where it is time to give up.
pub fn pause_millis(failures: u32) -> Option<u32> {
    (1..MAX_FAILURES)
        .contains(&failures)
        .then(|| FIRST_PAUSE_MILLIS << (failures - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_length: Option<u64>, content_range: Option<&str>) -> Answer {
        Answer {
            status,
            content_length,
            content_range: content_range.map(str::to_owned),
        }
    }

    #[test]
    fn a_part_goes_on_where_it_was_asked_to() {
        let part = answer(206, Some(60), Some("bytes 40-99/100"));
        assert_eq!(part.body(40, 100), Ok(Body::Continues));
        let hidden = answer(206, Some(60), None);
        assert_eq!(hidden.body(40, 100), Ok(Body::Continues));
        let elsewhere = answer(206, Some(60), Some("bytes 0-59/100"));
        assert!(matches!(
            elsewhere.body(40, 100),
            Err(TransferError::Range { expected: 40, .. })
        ));
        let nonsense = answer(206, None, Some("five to ten"));
        assert!(nonsense.body(40, 100).is_err());
    }

    #[test]
    fn a_server_without_ranges_or_with_another_version_starts_over() {
        assert_eq!(
            answer(200, Some(100), None).body(40, 100),
            Ok(Body::StartsOver)
        );
        assert_eq!(answer(200, None, None).body(0, 100), Ok(Body::StartsOver));
    }

    #[test]
    fn a_file_of_another_size_is_known_before_its_bytes_come() {
        let size = |found| {
            Err(TransferError::Size {
                expected: 100,
                found,
            })
        };
        assert_eq!(answer(200, Some(99), None).body(0, 100), size(99));
        assert_eq!(
            answer(206, None, Some("bytes 40-98/99")).body(40, 100),
            size(99)
        );
        assert_eq!(
            answer(416, None, Some("bytes */40")).body(40, 100),
            size(40)
        );
        assert_eq!(answer(416, None, None).body(50, 100), size(50));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let is_passing = |status| match answer(status, None, None).body(0, 100) {
            Err(error) => error.is_passing(),
            Ok(_) => panic!("{status} brings no file"),
        };
        for status in [408, 429, 500, 502, 503] {
            assert!(is_passing(status), "{status}");
        }
        for status in [301, 403, 404, 410, 416, 451] {
            assert!(!is_passing(status), "{status}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<_> = (1..).map_while(pause_millis).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000]);
        assert_eq!(pause_millis(u32::MAX), None);
    }
}
