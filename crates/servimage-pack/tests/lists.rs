//! Lists and widths of a hostile manifest: each entry asks for tensors, so they have an end.

#![expect(clippy::unwrap_used, reason = "test code")]

mod tiny_pack;

use serde_json::{Value, json};
use servimage_pack::{Layout, MANIFEST_FILE, MemorySource, Pack, PackError};
use std::sync::LazyLock;

/// Made once: without optimisation the scale search takes its time.
static SOUND: LazyLock<MemorySource> = LazyLock::new(|| tiny_pack::pack(Layout::Q8, 1 << 20));

fn manifest() -> Value {
    serde_json::from_slice(&SOUND.files[MANIFEST_FILE]).unwrap()
}

/// The error of this manifest.
fn refused(manifest: &Value) -> PackError {
    let mut source = SOUND.clone();
    let json = serde_json::to_vec(manifest).unwrap();
    source.files.insert(MANIFEST_FILE.to_owned(), json);
    pollster::block_on(Pack::open(source)).unwrap_err()
}

/// The error of a manifest in which the value at `pointer` is `value`.
fn refuse(pointer: &str, value: Value) -> PackError {
    let mut manifest = manifest();
    *manifest.pointer_mut(pointer).unwrap() = value;
    refused(&manifest)
}

#[test]
fn lists_that_ask_for_millions_of_tensors_are_refused_by_field() {
    let names = |n: usize| (0..n).map(|i| format!("c{i}")).collect::<Vec<_>>();
    for (pointer, value, field) in [
        ("/heads/concepts", json!(names(65)), "heads.concepts"),
        ("/heads/concepts", json!(["brf", "brf"]), "heads.concepts"),
        ("/heads/concepts", json!(["a\nb"]), "heads.concepts"),
        (
            "/payment_adapter/targets",
            json!(names(16_385)),
            "payment_adapter.targets",
        ),
        (
            "/template/missing",
            json!(map_of(65, "no")),
            "template.missing",
        ),
        ("/score_weights", json!(map_of(65, 1.0)), "score_weights"),
        (
            "/heads",
            json!({"concepts": [], "payment": true, "zero_shot": {"reject": 0, "accept": 11, "digits": [1, 2, 3, 4, 5]}}),
            "heads.zero_shot",
        ),
    ] {
        let error = refuse(pointer, value);
        assert_eq!(error.code(), "pack.field", "{pointer}: {error}");
        assert!(error.to_string().contains(field), "{pointer}: {error}");
    }
}

/// An object of `n` times the same value.
fn map_of<T: Clone>(n: usize, value: T) -> std::collections::BTreeMap<String, T> {
    (0..n).map(|i| (format!("c{i}"), value.clone())).collect()
}

#[test]
fn a_merger_wider_than_a_32_bit_machine_can_count_is_refused() {
    let mut manifest = manifest();
    manifest["vision"]["d_model"] = json!(1 << 24);
    manifest["vision"]["spatial_merge_size"] = json!(16);
    let error = refused(&manifest);
    assert!(
        error.to_string().contains("spatial_merge_size^2"),
        "{error}"
    );
}

#[test]
fn more_tensors_than_any_network_has_are_refused() {
    let mut manifest = manifest();
    let tensor = manifest["tensors"][0].clone();
    manifest["tensors"] = Value::Array(vec![tensor; (1 << 16) + 1]);
    let error = refused(&manifest);
    assert_eq!(error.code(), "pack.field", "{error}");
    // By their number: never by looking at each.
    assert!(error.to_string().contains("65537"), "{error}");
}
