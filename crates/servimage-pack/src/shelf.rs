//! Which files of a store of packs somebody still needs.
//!
//! A store holds each file under its SHA-256, `HASH`, with what it notes beside it, `HASH.NOTE`; and for each pack, under the
//! hash of its URL, the manifest. Packs share files, and a pack that changed on its server leaves files behind.

use crate::{Manifest, sha256_hex};
use std::collections::HashSet;

/// A pack that a store knows of.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPack {
    /// Folder that it comes from.
    pub pack_url: String,
    /// The version that is here whole, and the one that is on its way, where there are such.
    pub manifests: Vec<Manifest>,
}

/// Name under which a store keeps what it knows of the pack of this URL.
#[must_use]
pub fn entry_of(pack_url: &str) -> String {
    sha256_hex(pack_url.as_bytes())
}

/// Those of `names` that belong to none of the packs.
#[must_use]
pub fn leftovers<'a>(names: &'a [String], packs: &[KnownPack]) -> Vec<&'a str> {
    let mut needed = HashSet::new();
    for pack in packs {
        needed.insert(entry_of(&pack.pack_url));
        let files = pack.manifests.iter().flat_map(Manifest::files);
        needed.extend(files.map(|file| file.sha256.clone()));
    }
    let is_left = |name: &&str| {
        let stem = name.split('.').next().unwrap_or_default();
        !needed.contains(stem)
    };
    names.iter().map(String::as_str).filter(is_left).collect()
}
