//! Folders, the URL paths at which they appear, and who may read them.

use super::mime;
use super::request::{Head, Part};
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What scripts of another origin may do with a mount's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nothing: no header is sent.
    SameOrigin,
    /// Any page may read them.
    AnyOrigin,
    /// Pages of these origins (`https://example.org`) may read them.
    Origins(Vec<String>),
}

/// A folder at a URL path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Starts and ends with a slash.
    pub path: String,
    /// Without links in its own path.
    pub folder: PathBuf,
    /// Who may read it.
    pub sharing: Sharing,
}

/// The served folders; the first whose path matches answers.
#[derive(Debug, Default)]
pub struct Site {
    mounts: Vec<Mount>,
}

/// A folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It cannot be read.
    #[error("`{}` is missing or cannot be read", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A folder lacks the file that makes it what it should be.
    #[error("`{}` holds no {what}: it has no `{file}`", folder.display())]
    Lacks {
        /// The folder.
        folder: PathBuf,
        /// What it should be.
        what: &'static str,
        /// The missing file.
        file: &'static str,
    },
    /// A pack's folder has a name that would have to be escaped in a URL.
    #[error("`{}` cannot be part of an address: rename the folder to letters, digits, `.`, `_` and `-`", folder.display())]
    Name {
        /// The folder.
        folder: PathBuf,
    },
    /// Two packs would appear at one address.
    #[error("two packs are called `{name}`: rename one of the folders")]
    SameName {
        /// The name.
        name: String,
    },
}

/// What is sent back.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Without length and connection, which every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// At least `body_bytes` bytes.
    pub body: Box<dyn Read>,
    /// Length of the body.
    pub body_bytes: u64,
}

impl Answer {
    /// A sentence.
    pub fn text(status: u16, text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Self {
            status,
            headers,
            body_bytes: bytes.len() as u64,
            body: Box::new(Cursor::new(bytes)),
        }
    }

    fn with(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl Site {
    /// A site that serves nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pack at `/models/NAME/`, NAME being the folder's name.
    ///
    /// # Errors
    /// [`SiteError`] for a folder that is no pack, or whose name does not fit an address or is taken.
    pub fn add_pack(&mut self, folder: &Path, sharing: Sharing) -> Result<(), SiteError> {
        let folder = existing(folder)?;
        lacks(&folder, "pack", servimage_pack::MANIFEST_FILE)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let name = folder.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| name.bytes().all(is_plain)) else {
            return Err(SiteError::Name { folder });
        };
        let path = format!("/models/{name}/");
        if self.mounts.iter().any(|mount| mount.path == path) {
            return Err(SiteError::SameName {
                name: name.to_owned(),
            });
        }
        self.mounts.push(Mount {
            path,
            folder,
            sharing,
        });
        Ok(())
    }

    /// Adds the built page at `/`; packs must be added before, since it answers for everything.
    ///
    /// # Errors
    /// [`SiteError`] for a folder without `index.html`.
    pub fn add_page(&mut self, folder: &Path) -> Result<(), SiteError> {
        let folder = existing(folder)?;
        lacks(&folder, "page", "index.html")?;
        self.mounts.push(Mount {
            path: "/".to_owned(),
            folder,
            sharing: Sharing::SameOrigin,
        });
        Ok(())
    }

    /// What is served where.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The mount that answers for a URL, and the file behind it; no file for everything that is not inside the folder.
    pub(super) fn find(&self, url: &str) -> Option<(&Mount, Option<PathBuf>)> {
        let path = percent_decode(url.split(['?', '#']).next()?)?;
        let mount = self
            .mounts
            .iter()
            .find(|mount| path.starts_with(&mount.path))?;
        Some((mount, file_in(&mount.folder, &path[mount.path.len()..])))
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn answer(&self, head: &Head) -> io::Result<Answer> {
        let Some((mount, found)) = self.find(&head.target) else {
            return Ok(Answer::text(404, "no such file\n"));
        };
        let shared = mount.sharing.headers(head.header("Origin"));
        match head.method.as_str() {
            "GET" | "HEAD" => match found {
                Some(path) => Ok(answer_file(head, &path)?.with(shared)),
                None => Ok(Answer::text(404, "no such file\n").with(shared)),
            },
            "OPTIONS" => Ok(Answer::text(204, "").with(shared)),
            _ => Ok(Answer::text(405, "only GET and HEAD are answered here\n").with(shared)),
        }
    }
}

impl Sharing {
    /// The headers that let a page of `origin` read an answer, its length and its validators.
    fn headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        let allowed = match self {
            Self::SameOrigin => return Vec::new(),
            Self::AnyOrigin => Some("*"),
            Self::Origins(origins) => origin.filter(|origin| origins.iter().any(|o| o == origin)),
        };
        let mut headers = Vec::new();
        if let Self::Origins(_) = self {
            headers.push(("Vary", "Origin".to_owned()));
        }
        if let Some(allowed) = allowed {
            headers.extend([
                ("Access-Control-Allow-Origin", allowed.to_owned()),
                ("Access-Control-Allow-Methods", "GET, HEAD".to_owned()),
                // `If-Range` makes a browser ask first; `Range` does where its value is unusual.
                (
                    "Access-Control-Allow-Headers",
                    "Range, If-Range, If-None-Match".to_owned(),
                ),
                (
                    "Access-Control-Expose-Headers",
                    "Accept-Ranges, Content-Length, Content-Range, ETag".to_owned(),
                ),
                ("Access-Control-Max-Age", "86400".to_owned()),
                ("Cross-Origin-Resource-Policy", "cross-origin".to_owned()),
            ]);
        }
        headers
    }
}

fn existing(folder: &Path) -> Result<PathBuf, SiteError> {
    folder.canonicalize().map_err(|source| SiteError::Missing {
        folder: folder.to_owned(),
        source,
    })
}

fn lacks(folder: &Path, what: &'static str, file: &'static str) -> Result<(), SiteError> {
    if folder.join(file).is_file() {
        return Ok(());
    }
    Err(SiteError::Lacks {
        folder: folder.to_owned(),
        what,
        file,
    })
}

/// The file at a decoded path below `folder`.
fn file_in(folder: &Path, relative: &str) -> Option<PathBuf> {
    let plain = |part: Component| matches!(part, Component::Normal(_));
    if relative.contains(['\\', '\0']) || !Path::new(relative).components().all(plain) {
        return None;
    }
    let mut found = folder.join(relative);
    if found.is_dir() {
        found.push("index.html");
    }
    // Links may not lead outside either.
    let found = found.canonicalize().ok()?;
    (found.is_file() && found.starts_with(folder)).then_some(found)
}

fn answer_file(head: &Head, path: &Path) -> io::Result<Answer> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let (tag, size_bytes) = (entity_tag(&metadata), metadata.len());
    let (status, bytes) = match head.wanted_part(&tag, size_bytes) {
        _ if head.header("If-None-Match") == Some(&tag) => (304, 0..0),
        Part::Whole => (200, 0..size_bytes),
        Part::Bytes(bytes) => (206, bytes),
        Part::Unsatisfiable => (416, 0..0),
    };
    file.seek(SeekFrom::Start(bytes.start))?;
    let headers = headers(status, path, tag, &bytes, size_bytes);
    Ok(Answer {
        status,
        headers,
        body: Box::new(file),
        body_bytes: bytes.end - bytes.start,
    })
}

fn headers(
    status: u16,
    path: &Path,
    tag: String,
    bytes: &Range<u64>,
    size_bytes: u64,
) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Content-Type", mime::content_type(path).to_owned()),
        ("Accept-Ranges", "bytes".to_owned()),
        ("ETag", tag),
        // Revalidated at every use, and no proxy may compress it: ranges would then count other bytes.
        ("Cache-Control", "no-cache, no-transform".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    match status {
        206 => headers.push((
            "Content-Range",
            format!("bytes {}-{}/{size_bytes}", bytes.start, bytes.end - 1),
        )),
        416 => headers.push(("Content-Range", format!("bytes */{size_bytes}"))),
        _ => {}
    }
    headers
}

/// Changes with the file's size or time, so that a resumed download never mixes two builds.
fn entity_tag(metadata: &fs::Metadata) -> String {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = modified.map_or(0, |duration| duration.as_nanos());
    format!("\"{:x}-{nanos:x}\"", metadata.len())
}

/// `%2e` -> `.`; `None` where the result is not UTF-8 or an escape is broken.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
