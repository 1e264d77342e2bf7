//! A small static file server for 127.0.0.1: content types, byte ranges, nothing outside its folders.
//!
//! It sends no policy headers, so that the page is tried as any static host would serve it.

use crate::{mime, workspace};
use anyhow::{Context, Result, anyhow, ensure};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

/// Browsers open six connections to one host; one more for a person with `curl`.
const THREADS: usize = 7;

/// Folders and the URL paths at which they appear; the first that matches answers.
struct Site {
    mounts: Vec<(String, PathBuf)>,
    log: bool,
}

/// Serve the built page, and `packs` at `/models/NAME/`, until the process is ended. `log` prints the
/// requests to standard output, for tests that watch what a page sends.
pub fn serve(port: u16, packs: &[PathBuf], log: bool) -> Result<()> {
    let site = Arc::new(Site {
        log,
        ..Site::open(&workspace::dist(), packs)?
    });
    let server = Server::http(("127.0.0.1", port))
        .map_err(|error| anyhow!("port {port} cannot be opened: {error}"))?;
    let address = server
        .server_addr()
        .to_ip()
        .context("the server has no address")?;
    for (path, folder) in &site.mounts {
        eprintln!("xtask: {path} is {}", folder.display());
    }
    println!("ServImage is at http://{address}/  (Ctrl+C ends it)");
    io::stdout().flush()?;
    let server = Arc::new(server);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (server, site) = (Arc::clone(&server), Arc::clone(&site));
            thread::spawn(move || answer_all(&server, &site))
        })
        .collect();
    for thread in threads {
        thread
            .join()
            .map_err(|_| anyhow!("a server thread panicked"))?;
    }
    Ok(())
}

fn answer_all(server: &Server, site: &Site) {
    for request in server.incoming_requests() {
        let shown = request.url().to_owned();
        if let Err(error) = site.answer(request) {
            // A visitor who leaves mid-download is no fault of ours.
            eprintln!("xtask: {shown}: {error}");
        }
    }
}

/// What part of a file a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Bytes(Range<u64>),
    Unsatisfiable,
}

impl Site {
    fn open(dist: &Path, packs: &[PathBuf]) -> Result<Self> {
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
        Ok(Self { mounts, log: false })
    }

    /// The file behind a URL; `None` for everything that is not a file inside the folders.
    fn find(&self, url: &str) -> Option<PathBuf> {
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

    fn answer(&self, request: Request) -> Result<()> {
        if self.log {
            let body_bytes = request.body_length().unwrap_or(0);
            println!(
                "request {} {body_bytes} {}",
                request.method(),
                request.url()
            );
        }
        if !matches!(request.method(), Method::Get | Method::Head) {
            return Ok(request.respond(plain(405, "only GET and HEAD are answered here\n"))?);
        }
        let Some(path) = self.find(request.url()) else {
            return Ok(request.respond(plain(404, "no such file\n"))?);
        };
        let mut file = File::open(&path)?;
        let metadata = file.metadata()?;
        let (tag, size_bytes) = (entity_tag(&metadata), metadata.len());
        let (status, bytes) = match wanted_part(&request, &tag, size_bytes) {
            Part::Whole => (200, 0..size_bytes),
            Part::Bytes(bytes) => (206, bytes),
            Part::Unsatisfiable => (416, 0..0),
        };
        file.seek(SeekFrom::Start(bytes.start))?;
        let headers = headers(status, &path, &tag, &bytes, size_bytes)?;
        let n_bytes = bytes.end - bytes.start;
        let response = Response::new(
            StatusCode(status),
            headers,
            file.take(n_bytes),
            Some(usize::try_from(n_bytes)?),
            None,
        );
        // Without this tiny_http drops the length of larger files, and with it the page's progress bar.
        Ok(request.respond(response.with_chunked_threshold(usize::MAX))?)
    }
}

/// What part of the file a request asks for; a range of another version gets the whole of this one.
fn wanted_part(request: &Request, tag: &str, size_bytes: u64) -> Part {
    match (header(request, "Range"), header(request, "If-Range")) {
        (Some(range), None) => parse_range(range, size_bytes),
        (Some(range), Some(condition)) if condition == tag => parse_range(range, size_bytes),
        _ => Part::Whole,
    }
}

fn headers(
    status: u16,
    path: &Path,
    tag: &str,
    bytes: &Range<u64>,
    size_bytes: u64,
) -> Result<Vec<Header>> {
    let mut pairs = vec![
        ("Content-Type", mime::content_type(path).to_owned()),
        ("Accept-Ranges", "bytes".to_owned()),
        ("ETag", tag.to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    match status {
        206 => pairs.push((
            "Content-Range",
            format!("bytes {}-{}/{size_bytes}", bytes.start, bytes.end - 1),
        )),
        416 => pairs.push(("Content-Range", format!("bytes */{size_bytes}"))),
        _ => {}
    }
    let header = |(name, value): &(&str, String)| {
        Header::from_bytes(name.as_bytes(), value.as_bytes())
            .map_err(|()| anyhow!("bad header {name}: {value}"))
    };
    pairs.iter().map(header).collect()
}

fn plain(status: u16, text: &str) -> Response<io::Cursor<Vec<u8>>> {
    Response::from_string(text).with_status_code(status)
}

fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    let found = request
        .headers()
        .iter()
        .find(|header| header.field.equiv(name))?;
    Some(found.value.as_str())
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

#[cfg(test)]
mod tests;
