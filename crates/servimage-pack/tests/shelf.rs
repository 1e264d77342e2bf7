//! What a store may delete, and what it must not.

#[expect(dead_code, reason = "only the manifest is wanted")]
mod tiny_pack;

use servimage_pack::manifest::{FileEntry, Layout, Manifest};
use servimage_pack::shelf::{KnownPack, entry_of, leftovers};
use tiny_pack::manifest;

/// A manifest whose files have these hashes: the tokenizer, then shards.
fn with_files(hashes: &[&str]) -> Manifest {
    let file = |sha256: &&str| FileEntry {
        path: format!("{sha256}.bin"),
        size_bytes: 1,
        sha256: (*sha256).to_owned(),
    };
    Manifest {
        tokenizer: file(&hashes[0]),
        shards: hashes[1..].iter().map(file).collect(),
        ..manifest(Layout::F32)
    }
}

fn known(pack_url: &str, manifests: &[Manifest]) -> KnownPack {
    KnownPack {
        pack_url: pack_url.to_owned(),
        manifests: manifests.to_vec(),
    }
}

#[test]
fn files_of_a_deleted_pack_go_but_for_those_that_another_one_shares() {
    let (deleted, other) = ("http://host/a/", "http://host/b/");
    let names: Vec<String> = [
        "shared",
        "shared.ok",
        "only-a",
        "only-a.ok",
        "only-a.version",
        "only-b",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        entry_of(deleted),
        format!("{}.url", entry_of(deleted)),
        entry_of(other),
    ])
    .collect();
    let packs = [known(other, &[with_files(&["shared", "only-b"])])];
    let entry = entry_of(deleted);
    assert_eq!(
        leftovers(&names, &packs),
        [
            "only-a",
            "only-a.ok",
            "only-a.version",
            &entry,
            &format!("{entry}.url")
        ]
    );
}

#[test]
fn a_version_that_is_on_its_way_keeps_its_files_beside_the_whole_one() {
    let url = "http://host/a/";
    let names = ["old", "new", "older"].map(str::to_owned);
    let packs = [known(url, &[with_files(&["old"]), with_files(&["new"])])];
    assert_eq!(leftovers(&names, &packs), ["older"]);
    assert_eq!(leftovers(&names, &[]), ["old", "new", "older"]);
}
