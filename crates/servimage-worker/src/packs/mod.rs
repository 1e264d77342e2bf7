//! Packs that are too large to fetch at every visit: downloaded piece by piece into the browser's private file system, proven, kept.

mod download;
mod kept_source;
mod lock;
mod opfs;
mod shelf;

pub(crate) use kept_source::KeptSource;
pub(crate) use shelf::{delete, shelf};

use crate::fetch_source::FetchSource;
use crate::platform::{estimate, post, sleep};
use crate::preflight::Unloaded;
use download::{Download, DownloadError};
use lock::Lock;
use opfs::Store;
use servimage_bench::message::{Kept, LoadPhase, Response};
use servimage_bench::verdict::ErrorInfo;
use servimage_pack::manifest::FileEntry;
use servimage_pack::transfer::pause_millis;
use servimage_pack::{MANIFEST_FILE, Manifest, PackError, PackSource, SourceError};

/// Packs below this size are fetched anew: the browser's own cache keeps them.
const SMALL_PACK_BYTES: u64 = 32 << 20;

/// How often a manifest is asked for again.
const MANIFEST_ATTEMPTS: u32 = 2;

/// One download at a time, whatever the tab.
const LOCK_NAME: &str = "servimage-packs";

/// Brings the pack of a folder URL onto this device, and says where it is kept.
///
/// A pack that cannot be kept runs from memory: its shards are fetched when they are read. `check` hears of a large one, with the bytes
/// that are missing here and those that are free, before any of it is downloaded.
///
/// # Errors
/// `pack.download` where a file cannot be had; what a source says of the manifest; what `check` says.
pub(crate) async fn bring(
    pack_url: &str,
    check: impl AsyncFnOnce(&Manifest, u64, Option<u64>) -> Result<(), Unloaded>,
) -> Result<(KeptSource, Kept), Unloaded> {
    let fetch = FetchSource::new(pack_url);
    let manifest_bytes = match manifest_of(&fetch).await {
        Ok(bytes) => bytes,
        Err(error @ SourceError::Missing { .. }) => return Err(source_error(&error).into()),
        // The server is away: what was downloaded from there before is still good.
        Err(error) => match remembered(pack_url).await {
            Some(bytes) => bytes,
            None => return Err(source_error(&error).into()),
        },
    };
    // The engine reads it too, and has the words for what is wrong with it.
    let Ok(manifest) = Manifest::from_json(&manifest_bytes) else {
        return Ok((KeptSource::in_memory(fetch, manifest_bytes), Kept::Small));
    };
    let size_bytes: u64 = manifest.files().map(|file| file.size_bytes).sum();
    if size_bytes < SMALL_PACK_BYTES {
        return Ok((KeptSource::in_memory(fetch, manifest_bytes), Kept::Small));
    }
    let in_memory = |reason: String, free_bytes: Option<u64>| Kept::InMemory {
        needed_bytes: size_bytes,
        free_bytes,
        reason,
    };
    let store = match Store::open().await {
        Ok(store) => store,
        Err(reason) => {
            check(&manifest, size_bytes, None).await?;
            let kept = in_memory(reason, None);
            return Ok((KeptSource::in_memory(fetch, manifest_bytes), kept));
        }
    };
    let place = KeptSource::in_store(manifest_bytes.clone(), &manifest, store.clone());
    let missing = missing_in(&store, &manifest).await;
    let mut downloaded = Ok(());
    if !missing.is_empty() {
        let missing_bytes = missing_bytes(&store, &missing).await;
        check(&manifest, missing_bytes, free_bytes().await).await?;
        downloaded = download(pack_url, &manifest, &manifest_bytes, &store).await;
    }
    match downloaded {
        Ok(()) => {
            // Last: what is remembered is whole.
            shelf::finish(&store, pack_url, &manifest_bytes).await;
            Ok((place, Kept::OnDevice))
        }
        Err(DownloadError::Full) => {
            // Some browsers promise more than they give.
            let free_bytes = free_bytes().await.filter(|free| *free < size_bytes);
            let kept = in_memory("the browser's storage is full".to_owned(), free_bytes);
            Ok((KeptSource::in_memory(fetch, manifest_bytes), kept))
        }
        Err(DownloadError::Failed(message)) => {
            let code = "pack.download".to_owned();
            Err(ErrorInfo { code, message }.into())
        }
    }
}

/// The manifest's bytes; a server in trouble is asked again.
async fn manifest_of(fetch: &FetchSource) -> Result<Vec<u8>, SourceError> {
    let mut failures = 0;
    loop {
        match fetch.read(MANIFEST_FILE, None).await {
            Err(SourceError::Other { .. }) if failures < MANIFEST_ATTEMPTS => {
                failures += 1;
                sleep(pause_millis(failures).unwrap_or_default()).await;
            }
            read => return read,
        }
    }
}

/// The files of a pack that are not here.
async fn missing_in<'a>(store: &Store, manifest: &'a Manifest) -> Vec<&'a FileEntry> {
    let mut missing = Vec::new();
    for file in manifest.files() {
        if !store.has(file).await {
            missing.push(file);
        }
    }
    missing
}

/// Bytes of these files that are still to come.
async fn missing_bytes(store: &Store, missing: &[&FileEntry]) -> u64 {
    let mut bytes = 0;
    for file in missing {
        let here = store.size_of(&file.sha256).await.min(file.size_bytes);
        bytes += file.size_bytes - here;
    }
    bytes
}

async fn download(
    pack_url: &str,
    manifest: &Manifest,
    manifest_bytes: &[u8],
    store: &Store,
) -> Result<(), DownloadError> {
    let _lock = Lock::take(LOCK_NAME).await;
    // Another tab may have brought them meanwhile.
    let missing = missing_in(store, manifest).await;
    let missing_bytes = missing_bytes(store, &missing).await;
    if free_bytes().await.is_some_and(|free| free < missing_bytes) {
        return Err(DownloadError::Full);
    }
    let download = Download {
        pack_url,
        store,
        on_progress: &|done_bytes, total_bytes| {
            post(&Response::LoadProgress {
                phase: LoadPhase::Download,
                done_bytes,
                total_bytes,
            })
        },
    };
    shelf::begin(store, pack_url, manifest_bytes).await;
    let ended = download.run(manifest, &missing).await;
    if ended == Err(DownloadError::Full) {
        shelf::give_up(store, pack_url).await;
        // A part of a pack that does not fit takes room from everything else.
        for file in &missing {
            store.forget(&file.sha256).await;
        }
    }
    ended
}

/// The manifest that came from this URL before, where all its files are here.
async fn remembered(pack_url: &str) -> Option<Vec<u8>> {
    let store = Store::open().await.ok()?;
    let bytes = shelf::whole(&store, pack_url).await?;
    let manifest = Manifest::from_json(&bytes).ok()?;
    let is_whole = missing_in(&store, &manifest).await.is_empty();
    is_whole.then_some(bytes)
}

async fn free_bytes() -> Option<u64> {
    let (usage, quota) = estimate().await?;
    Some(quota.saturating_sub(usage))
}

fn source_error(error: &SourceError) -> ErrorInfo {
    ErrorInfo {
        code: PackError::from(error.clone()).code().to_owned(),
        message: error.to_string(),
    }
}
