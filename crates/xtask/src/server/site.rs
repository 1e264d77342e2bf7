//! Folders and the URL paths at which they appear.

use super::request::{Head, Part};
use crate::mime;
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The served folders; the first whose path matches answers.
#[derive(Debug)]
pub struct Site {
    mounts: Vec<(String, PathBuf)>,
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
}

impl Site {
    /// The page at `/`, and each pack at `/models/NAME/`.
    pub fn open(dist: &Path, packs: &[PathBuf]) -> Result<Self> {
        ensure!(
            dist.join("index.html").is_file(),
            "{} holds no page: build it first",
            dist.display()
        );
        let mut mounts = Vec::new();
        for pack in packs {
            let folder = pack
                .canonicalize()
                .with_context(|| format!("{} is missing", pack.display()))?;
            ensure!(
                folder.join("manifest.json").is_file(),
                "{} holds no pack",
                folder.display()
            );
            let name = folder
                .file_name()
                .and_then(|name| name.to_str())
                .context("a pack needs a name")?;
            mounts.push((format!("/models/{name}/"), folder.clone()));
        }
        mounts.push(("/".to_owned(), dist.canonicalize()?));
        Ok(Self { mounts })
    }

    /// URL paths and their folders.
    pub fn mounts(&self) -> &[(String, PathBuf)] {
        &self.mounts
    }

    /// The file behind a URL; `None` for everything that is not a file inside the folders.
    pub fn find(&self, url: &str) -> Option<PathBuf> {
        let path = percent_decode(url.split(['?', '#']).next()?)?;
        let (mount, folder) = self
            .mounts
            .iter()
            .find(|(mount, _)| path.starts_with(mount))?;
        let relative = Path::new(&path[mount.len()..]);
        let plain = |part: Component| matches!(part, Component::Normal(_));
        if path.contains(['\\', '\0']) || !relative.components().all(plain) {
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

    /// The answer to a request.
    pub fn answer(&self, head: &Head) -> Result<Answer> {
        if !["GET", "HEAD"].contains(&head.method.as_str()) {
            return Ok(Answer::text(405, "only GET and HEAD are answered here\n"));
        }
        let Some(path) = self.find(&head.target) else {
            return Ok(Answer::text(404, "no such file\n"));
        };
        let mut file = File::open(&path)?;
        let metadata = file.metadata()?;
        let (tag, size_bytes) = (entity_tag(&metadata), metadata.len());
        let (status, bytes) = match head.wanted_part(&tag, size_bytes) {
            Part::Whole => (200, 0..size_bytes),
            Part::Bytes(bytes) => (206, bytes),
            Part::Unsatisfiable => (416, 0..0),
        };
        file.seek(SeekFrom::Start(bytes.start))?;
        let headers = headers(status, &path, tag, &bytes, size_bytes);
        Ok(Answer {
            status,
            headers,
            body: Box::new(file),
            body_bytes: bytes.end - bytes.start,
        })
    }
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
        ("Cache-Control", "no-cache".to_owned()),
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
