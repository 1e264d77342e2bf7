//! What is kept on this device, and how it goes.

use super::opfs::Store;
use super::{LOCK_NAME, free_bytes};
use crate::packs::lock::Lock;
use servimage_bench::message::{KeptPack, Shelf};
use servimage_pack::Manifest;
use servimage_pack::shelf::{KnownPack, entry_of, leftovers};

/// Notes the URL of a pack, beside its manifest.
fn url_of(entry: &str) -> String {
    format!("{entry}{URL}")
}

/// Holds the manifest of a version that is on its way.
fn coming_of(entry: &str) -> String {
    format!("{entry}.coming")
}

const URL: &str = ".url";

/// Says that a version of a pack is on its way: its files are somebody's from now on.
pub(super) async fn begin(store: &Store, pack_url: &str, manifest_bytes: &[u8]) {
    let entry = entry_of(pack_url);
    note(store, &url_of(&entry), pack_url.as_bytes()).await;
    note(store, &coming_of(&entry), manifest_bytes).await;
}

/// Says that a version is whole, and deletes what nobody needs any more.
pub(super) async fn finish(store: &Store, pack_url: &str, manifest_bytes: &[u8]) {
    let entry = entry_of(pack_url);
    note(store, &url_of(&entry), pack_url.as_bytes()).await;
    if note(store, &entry, manifest_bytes).await {
        store.remove_name(&coming_of(&entry)).await;
        sweep(store).await;
    }
}

/// Says that a version will not come.
pub(super) async fn give_up(store: &Store, pack_url: &str) {
    let entry = entry_of(pack_url);
    store.remove_name(&coming_of(&entry)).await;
    if store.size_of(&entry).await == 0 {
        store.remove_name(&url_of(&entry)).await;
    }
}

/// The manifest of the version of a pack that was last whole here.
pub(super) async fn whole(store: &Store, pack_url: &str) -> Option<Vec<u8>> {
    store.read(&entry_of(pack_url), None).await.ok()
}

/// Writes a note where it does not say that already. Packs work without any; whether it is there.
async fn note(store: &Store, name: &str, bytes: &[u8]) -> bool {
    if store.read(name, None).await.as_deref() == Ok(bytes) {
        return true;
    }
    match store.write(name, bytes).await {
        Ok(()) => true,
        Err(error) => {
            log::warn!("the note {name} was not kept: {error:?}");
            false
        }
    }
}

/// What is kept here.
pub(crate) async fn shelf() -> Shelf {
    let free_bytes = free_bytes().await;
    let nothing = |error| Shelf {
        free_bytes,
        error,
        ..Shelf::default()
    };
    let Ok(store) = Store::open().await else {
        return nothing(None);
    };
    let names = match store.names().await {
        Ok(names) => names,
        Err(error) => return nothing(Some(error)),
    };
    let mut packs = Vec::new();
    for known in known_packs(&store, &names).await {
        packs.extend(row_of(&store, &known).await);
    }
    let mut used_bytes = 0;
    for name in &names {
        used_bytes += store.size_of(name).await;
    }
    Shelf {
        packs,
        used_bytes,
        free_bytes,
        error: None,
    }
}

/// Deletes the pack of a URL, or everything where none is named; files that another pack needs stay.
pub(crate) async fn delete(pack_url: Option<&str>) -> Shelf {
    let error = match pack_url {
        Some(pack_url) => delete_one(pack_url).await,
        None => {
            let _lock = Lock::take(LOCK_NAME).await;
            Store::remove().await.err()
        }
    };
    let mut shelf = shelf().await;
    shelf.error = shelf.error.or(error);
    shelf
}

async fn delete_one(pack_url: &str) -> Option<String> {
    let store = Store::open().await.ok()?;
    let entry = entry_of(pack_url);
    for name in [coming_of(&entry), entry.clone(), url_of(&entry)] {
        store.remove_name(&name).await;
    }
    match sweep(&store).await {
        0 => None,
        n_files => Some(format!(
            "{n_files} files are in use: by a download, or in another tab"
        )),
    }
}

/// Deletes what no pack needs; gives the number of files that are in use.
///
/// Names are listed before notes are read: what another tab begins meanwhile has its note first.
async fn sweep(store: &Store) -> usize {
    let Ok(names) = store.names().await else {
        return 0;
    };
    let known = known_packs(store, &names).await;
    let mut n_in_use = 0;
    for name in leftovers(&names, &known) {
        if !store.remove_name(name).await {
            n_in_use += 1;
        }
    }
    n_in_use
}

/// The packs whose URLs are noted among these names, in the order of the URLs.
async fn known_packs(store: &Store, names: &[String]) -> Vec<KnownPack> {
    let mut packs = Vec::new();
    for entry in names.iter().filter_map(|name| name.strip_suffix(URL)) {
        let url = store.read(&url_of(entry), None).await;
        let Some(pack_url) = url.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        let mut manifests = Vec::new();
        for name in [entry.to_owned(), coming_of(entry)] {
            let bytes = store.read(&name, None).await.unwrap_or_default();
            manifests.extend(Manifest::from_json(&bytes));
        }
        packs.push(KnownPack {
            pack_url,
            manifests,
        });
    }
    packs.sort_by(|a, b| a.pack_url.cmp(&b.pack_url));
    packs
}

/// The version of a pack that is on its way, else the whole one.
async fn row_of(store: &Store, known: &KnownPack) -> Option<KeptPack> {
    let manifest = known.manifests.last()?;
    let (mut size_bytes, mut here_bytes) = (0, 0);
    for file in manifest.files() {
        size_bytes += file.size_bytes;
        here_bytes += store.size_of(&file.sha256).await.min(file.size_bytes);
    }
    Some(KeptPack {
        pack_url: known.pack_url.clone(),
        name: manifest.name.clone(),
        quant: manifest.quant.as_str().to_owned(),
        size_bytes,
        here_bytes,
    })
}
