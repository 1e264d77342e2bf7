//! A manifest from anywhere: refused with a code and the culprit's name, never a panic, never memory by its numbers.

#![expect(clippy::unwrap_used, reason = "test code")]

mod tiny_pack;

use proptest::prelude::*;
use serde_json::{Value, json};
use servimage_pack::{Layout, MANIFEST_FILE, MemorySource, Pack, PackError};
use std::sync::LazyLock;

fn manifest_of(source: &MemorySource) -> Value {
    serde_json::from_slice(&source.files[MANIFEST_FILE]).unwrap()
}

fn open(source: MemorySource, manifest: &Value) -> Result<Pack<MemorySource>, PackError> {
    open_bytes(source, serde_json::to_vec(manifest).unwrap())
}

fn open_bytes(
    mut source: MemorySource,
    manifest: Vec<u8>,
) -> Result<Pack<MemorySource>, PackError> {
    source.files.insert(MANIFEST_FILE.to_owned(), manifest);
    pollster::block_on(Pack::open(source))
}

/// The error of a manifest in which the value at `pointer` is `value`.
fn refuse(pointer: &str, value: Value) -> PackError {
    static SOUND: LazyLock<MemorySource> = LazyLock::new(|| tiny_pack::pack(Layout::Q8, 64));
    let mut manifest = manifest_of(&SOUND);
    *manifest.pointer_mut(pointer).unwrap() = value;
    match open(SOUND.clone(), &manifest) {
        Err(error) => error,
        Ok(_) => panic!("{pointer} was accepted"),
    }
}

#[test]
fn another_format_version_is_told_apart_from_damage() {
    assert_eq!(
        refuse("/format_version", json!(2)).code(),
        "pack.format_version"
    );
    assert_eq!(
        refuse("/format_version", json!(1_u64 << 40)).code(),
        "pack.format_version"
    );
    assert_eq!(refuse("/format_version", json!("1")).code(), "pack.json");
}

#[test]
fn a_newer_manifest_is_refused_for_its_version_not_for_its_new_field() {
    let source = tiny_pack::pack(Layout::F32, 1 << 20);
    let mut manifest = manifest_of(&source);
    manifest["format_version"] = json!(2);
    manifest["new_field"] = json!(1);
    assert_eq!(
        open(source, &manifest).unwrap_err().code(),
        "pack.format_version"
    );
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    for path in [
        "../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "..",
        ".",
        "",
        ".hidden",
        "a\0b",
        "C:x",
        "é",
        "a b",
        &"x".repeat(300),
    ] {
        assert_eq!(
            refuse("/shards/0/path", json!(path)).code(),
            "pack.path",
            "{path:?}"
        );
        assert_eq!(
            refuse("/tokenizer/path", json!(path)).code(),
            "pack.path",
            "{path:?}"
        );
    }
}

#[test]
fn two_files_or_tensors_of_one_name_are_refused() {
    for path in [
        "shard-0000.bin",
        "SHARD-0000.BIN",
        "tokenizer.json",
        "manifest.json",
    ] {
        assert_eq!(
            refuse("/shards/1/path", json!(path)).code(),
            "pack.duplicate",
            "{path}"
        );
    }
    let error = refuse(
        "/tensors/1/name",
        json!("model.visual.patch_embed.proj.weight"),
    );
    assert_eq!(error.code(), "pack.duplicate");
    assert!(
        error
            .to_string()
            .contains("model.visual.patch_embed.proj.weight"),
        "{error}"
    );
}

#[test]
fn sizes_that_overflow_or_exceed_the_format_are_refused() {
    for size in [json!(0), json!(u64::MAX), json!((32_u64 << 20) + 1)] {
        assert_eq!(refuse("/shards/0/size_bytes", size).code(), "pack.field");
    }
    let huge = 1_u64 << 62;
    for shape in [
        json!([huge, huge, huge]),
        json!([u64::MAX]),
        json!([]),
        json!([0]),
        json!([4, 0]),
        json!([1, 1, 1, 1, 1, 1, 1, 1, 1]),
    ] {
        let error = refuse("/tensors/3/shape", shape.clone());
        assert_eq!(error.code(), "pack.shape", "{shape}");
        assert!(
            error
                .to_string()
                .contains("model.visual.blocks.0.norm1.weight"),
            "{error}"
        );
    }
    for (pointer, value) in [
        ("/tensors/0/shape/0", json!(-1)),
        ("/tensors/0/shape/0", json!(1e30)),
        ("/text/d_model", json!(1.5)),
    ] {
        assert_eq!(refuse(pointer, value).code(), "pack.json");
    }
}

#[test]
fn parts_outside_their_shard_are_refused_by_name() {
    for (pointer, value) in [
        ("/tensors/3/parts/0/offset", json!(u64::MAX)),
        ("/tensors/3/parts/0/offset", json!(65)),
        ("/tensors/3/parts/0/length", json!(u64::MAX)),
        ("/tensors/3/parts/0/length", json!(0)),
        ("/tensors/3/parts/0/shard", json!(9_999_999)),
    ] {
        let error = refuse(pointer, value);
        assert_eq!(error.code(), "pack.part", "{pointer}: {error}");
        assert!(
            error
                .to_string()
                .contains("model.visual.blocks.0.norm1.weight"),
            "{error}"
        );
    }
}

#[test]
fn parts_that_share_bytes_are_refused() {
    // Else a small pack could claim a tensor of any size: the same bytes a million times.
    let source = tiny_pack::pack(Layout::F32, 64);
    let mut manifest = manifest_of(&source);
    let part = manifest["tensors"][0]["parts"][0].clone();
    manifest["tensors"][0]["parts"] = Value::Array(vec![part; 100_000]);
    assert_eq!(open(source, &manifest).unwrap_err().code(), "pack.part");
}

#[test]
fn a_wrong_block_size_shows_as_a_wrong_length_of_that_tensor() {
    let source = tiny_pack::pack(Layout::Q4, 1 << 20);
    let mut manifest = manifest_of(&source);
    let tensors = manifest["tensors"].as_array_mut().unwrap();
    let down = tensors
        .iter_mut()
        .find(|entry| {
            entry["name"]
                .as_str()
                .unwrap()
                .ends_with("down_proj.weight")
        })
        .unwrap();
    // `[8, 40]` in blocks of 64 instead of 32: half the scales and no filling of the second block.
    down["parts"][0]["length"] = json!(8 * 32 + 8 * 2);
    let error = open(source, &manifest).unwrap_err();
    assert_eq!(error.code(), "pack.length");
    assert!(
        error.to_string().contains("down_proj.weight")
            && error.to_string().contains("blocks of 32"),
        "{error}"
    );
}

#[test]
fn a_stated_block_size_other_than_32_is_refused_by_the_tensors_name() {
    let source = tiny_pack::pack(Layout::Q4, 1 << 20);
    let mut manifest = manifest_of(&source);
    let name = manifest["tensors"][0]["name"].as_str().unwrap().to_owned();
    manifest["tensors"][0]["block"] = json!(32);
    assert!(open(source.clone(), &manifest).is_ok());
    for block in [0, 16, 64, 1_u64 << 40] {
        manifest["tensors"][0]["block"] = json!(block);
        let error = open(source.clone(), &manifest).unwrap_err();
        assert_eq!(error.code(), "pack.block", "{block}: {error}");
        let message = error.to_string();
        assert!(
            message.contains(&name) && message.contains(&format!("found {block}")),
            "{message}"
        );
    }
}

#[test]
fn dimensions_that_no_network_has_are_refused_by_field() {
    for (pointer, value, field) in [
        ("/text/n_layers", json!(1_000_000_000), "text.n_layers"),
        ("/text/n_kv_heads", json!(0), "text.n_kv_heads"),
        (
            "/text/mrope_section",
            json!([u64::MAX, u64::MAX, 3]),
            "text.mrope_section",
        ),
        (
            "/text/mrope_section",
            json!([1, 1, 2]),
            "text.mrope_section",
        ),
        ("/text/rms_norm_eps", json!(-1.0), "text.rms_norm_eps"),
        ("/vision/n_heads", json!(3), "vision.n_heads"),
        (
            "/vision/patch_size",
            json!(1_u64 << 40),
            "vision.patch_size",
        ),
        (
            "/vision/n_position_embeddings",
            json!(5),
            "vision.n_position_embeddings",
        ),
        (
            "/vision/deepstack_layers",
            json!([2]),
            "vision.deepstack_layers",
        ),
        ("/special_tokens/image", json!(11), "special_tokens.image"),
        ("/image_processor/min_pixels", json!(65), "image_processor"),
        ("/image_processor/std/1", json!(0.0), "image_processor.std"),
        ("/threshold", json!(1.5), "threshold"),
        ("/score_weights/brf", json!(-1.0), "score_weights.brf"),
        ("/quant", json!("u32"), "quant"),
        ("/shards", json!([]), "shards"),
        ("/tensors", json!([]), "tensors"),
        (
            "/shards/0/sha256",
            json!("ABC"),
            "sha256 of `shard-0000.bin`",
        ),
        ("/tensors/0/name", json!("a\nb"), "tensors.name"),
    ] {
        let error = refuse(pointer, value);
        assert_eq!(error.code(), "pack.field", "{pointer}: {error}");
        assert!(error.to_string().contains(field), "{pointer}: {error}");
    }
}

#[test]
fn an_oversized_manifest_is_refused_unparsed() {
    let error = open_bytes(
        tiny_pack::pack(Layout::F32, 1 << 20),
        vec![b' '; (16 << 20) + 1],
    )
    .unwrap_err();
    assert_eq!(error.code(), "pack.field");
}

/// Every scalar and container of a JSON value, as pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| pointers(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            // The first entries stand for the rest of a table.
            for (index, value) in items.iter().take(3).enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Reads everything of a pack that opened; nothing of it may panic.
fn use_all(pack: &Pack<MemorySource>) {
    let names: Vec<String> = pack
        .manifest()
        .tensors
        .iter()
        .map(|entry| entry.name.clone())
        .collect();
    for name in names {
        if let Ok(tensor) = pollster::block_on(pack.read_tensor(&name)) {
            assert!(tensor.to_f32().is_ok() || tensor.to_u32().is_ok(), "{name}");
        }
    }
    let _ = pollster::block_on(pack.verify());
}

#[test]
fn any_value_in_any_place_is_refused_or_harmless() {
    let source = tiny_pack::pack(Layout::Q4, 128);
    let manifest = manifest_of(&source);
    let mut places = Vec::new();
    pointers(&manifest, "", &mut places);
    assert!(places.len() > 120, "{}", places.len());
    let values = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1),
        json!(3),
        json!(u64::MAX),
        json!(1e300),
        json!("../x"),
        json!(""),
        json!([]),
        json!({}),
        json!(true),
        json!([0, 0, 0]),
        json!(["q4"]),
        json!("f16"),
        json!("f32"),
    ];
    for place in places {
        for value in &values {
            let mut damaged = manifest.clone();
            *damaged.pointer_mut(&place).unwrap() = value.clone();
            if let Ok(pack) = open(source.clone(), &damaged) {
                use_all(&pack);
            }
        }
    }
}

/// Made once: without optimisation the scale search takes its time.
static SOUND: LazyLock<MemorySource> = LazyLock::new(|| tiny_pack::pack(Layout::Q8, 512));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_manifest_bytes_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keep in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let source = SOUND.clone();
        let mut bytes = source.files[MANIFEST_FILE].clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(pack) = open_bytes(source, bytes) {
            use_all(&pack);
        }
    }
}
