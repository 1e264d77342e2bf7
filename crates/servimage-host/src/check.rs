//! Holds a host against what a browser's download of a pack needs, and says what it does wrong.
//!
//! A few bytes out of the middle of every file show that it is there, whole, and sent by ranges; some shards are fetched whole
//! and hashed. What a page of another origin may see is read off the same answers.

mod address;
mod fault;
mod http;
mod probe;

pub use fault::{Finding, Level};
pub use http::{HttpClient, HttpError, Request, Response};

use address::Address;
use probe::Probe;
use serde::Serialize;
use servimage_pack::{MANIFEST_FILE, MemorySource, Pack};
use std::collections::BTreeMap;

/// How to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Origin of the page that will load the pack; `None` where the page lies on the same host.
    pub page_origin: Option<String>,
    /// Shards that are fetched whole and hashed, spread over the pack; all where it has no more.
    pub n_sampled: usize,
}

impl Default for CheckOptions {
    /// A page anywhere, one shard.
    fn default() -> Self {
        Self {
            page_origin: Some("https://page.example".to_owned()),
            n_sampled: 1,
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostReport {
    /// The pack's folder.
    pub url: String,
    /// Whether the page can load the pack.
    pub ok: bool,
    /// Name of the pack, where its manifest could be read.
    pub name: Option<String>,
    /// SHA-256 of the manifest.
    pub pack_sha256: Option<String>,
    /// Files of the pack, the manifest too.
    pub n_files: usize,
    /// Bytes of all shards.
    pub size_bytes: u64,
    /// Files that were fetched whole and hashed.
    pub hashed: Vec<String>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// Origins that the page's policy must list under `connect-src`.
    pub connect_src: Vec<String>,
}

/// A check could not begin.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The text is no address of the web.
    #[error("`{url}` is no address of a pack: expected http:// or https://, a host and a folder")]
    NoAddress {
        /// The text.
        url: String,
    },
    /// The host does not answer at all.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
}

/// Checks the pack at `url`, which is its folder or its manifest. `on_file` hears of each file before it is asked for: name, number, of how many.
///
/// # Errors
/// [`CheckError`] where `url` is none or nobody answers there; what a host does wrong is a finding.
pub fn check_host(
    client: &impl HttpClient,
    url: &str,
    options: &CheckOptions,
    mut on_file: impl FnMut(&str, usize, usize),
) -> Result<HostReport, CheckError> {
    let no_address = || CheckError::NoAddress {
        url: url.to_owned(),
    };
    let folder = Address::parse(url).ok_or_else(no_address)?.folder();
    let mut probe = Probe::new(client, folder, options);
    on_file(MANIFEST_FILE, 0, 1);
    let manifest = probe.manifest()?;
    let pack = manifest.and_then(|bytes| open(&mut probe, bytes));
    let Some(pack) = pack else {
        return Ok(report(probe, None));
    };
    let shards = &pack.manifest().shards;
    let sampled = spread(shards.len(), options.n_sampled);
    let n_files = n_files(&pack);
    let n_texts = n_files - shards.len();
    for (index, file) in pack.manifest().files().enumerate() {
        on_file(&file.path, index + 1, n_files);
        let shard = (index + 1).checked_sub(n_texts);
        probe.file(file, shard.is_none_or(|shard| sampled.contains(&shard)));
    }
    probe.resuming(&shards[0]);
    Ok(report(probe, Some(&pack)))
}

/// Files of the pack, the manifest included.
fn n_files(pack: &Pack<MemorySource>) -> usize {
    pack.manifest().files().count() + 1
}

/// Opens the manifest alone: shards are looked at one by one.
fn open<C: HttpClient>(probe: &mut Probe<'_, C>, bytes: Vec<u8>) -> Option<Pack<MemorySource>> {
    let files = BTreeMap::from([(MANIFEST_FILE.to_owned(), bytes)]);
    match pollster::block_on(Pack::open(MemorySource::new(files))) {
        Ok(pack) => Some(pack),
        Err(error) => {
            probe.no_manifest(&error);
            None
        }
    }
}

fn report<C: HttpClient>(probe: Probe<'_, C>, pack: Option<&Pack<MemorySource>>) -> HostReport {
    let (url, hashed) = (probe.folder().to_string(), probe.hashed().to_vec());
    let (findings, connect_src) = probe.into_findings();
    HostReport {
        url,
        ok: findings.iter().all(|finding| finding.level != Level::Fails),
        name: pack.map(|pack| pack.manifest().name.clone()),
        pack_sha256: pack.map(|pack| pack.sha256().to_owned()),
        n_files: pack.map_or(0, n_files),
        size_bytes: pack.map_or(0, Pack::size_bytes),
        hashed,
        findings,
        connect_src,
    }
}

/// `n` of `len` indices, as far apart as they can be, the first and the last among them.
fn spread(len: usize, n: usize) -> Vec<usize> {
    if n >= len {
        return (0..len).collect();
    }
    let last = len - 1;
    match n {
        0 => Vec::new(),
        1 => vec![last],
        _ => (0..n).map(|i| i * last / (n - 1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampled_shards_are_spread_over_the_pack() {
        assert_eq!(spread(5, 0), Vec::<usize>::new());
        assert_eq!(spread(5, 1), [4]);
        assert_eq!(spread(5, 2), [0, 4]);
        assert_eq!(spread(5, 3), [0, 2, 4]);
        assert_eq!(spread(5, 99), [0, 1, 2, 3, 4]);
        assert_eq!(spread(1, 1), [0]);
    }
}
