//! The binary: exit codes, JSON on stdout, people's words on stderr.

use crate::checkpoint::golden;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary.
pub fn servimage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_servimage"))
        .args(arguments)
        .output()
        .unwrap()
}

/// What a stream holds.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Converts golden `a` with both stages to q8.
pub fn convert(out: &Path) -> Output {
    let folder = golden();
    let [base, stage1, stage2] =
        ["base", "stage1", "stage2"].map(|part| folder.join(part).display().to_string());
    let out = out.display().to_string();
    servimage(&[
        "convert", "--base", &base, "--stage1", &stage1, "--stage2", &stage2, "--quant", "q8",
        "--out", &out, "--json",
    ])
}

#[test]
fn convert_then_verify_then_damage() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    let pack_text = pack.display().to_string();

    let done = convert(&pack);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&report["n_merged"], &report["quant"]),
        (&Value::from(31), &Value::from("q8"))
    );

    let again = convert(&pack);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("holds a pack already"));

    let sound = servimage(&["verify", &pack_text]);
    assert_eq!(sound.status.code(), Some(0));
    assert!(
        text(&sound.stdout).starts_with("ok: "),
        "{}",
        text(&sound.stdout)
    );

    let shard = pack.join("shard-0000.bin");
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[1000] ^= 4;
    std::fs::write(&shard, &bytes).unwrap();
    let damaged = servimage(&["verify", &pack_text, "--json"]);
    assert_eq!(damaged.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&damaged.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["findings"][0]["code"]),
        (&Value::from(false), &Value::from("pack.hash"))
    );
    assert_eq!(report["findings"][0]["file"], "shard-0000.bin");
    let tensors = report["findings"][0]["tensors"].as_array().unwrap();
    assert!(
        tensors
            .iter()
            .any(|name| name == "model.visual.patch_embed.proj.weight")
    );

    std::fs::write(pack.join("manifest.json"), "{\"format_version\": 9}").unwrap();
    let newer = servimage(&["verify", &pack_text]);
    assert_eq!(newer.status.code(), Some(1));
    assert!(
        text(&newer.stdout).contains("format version 9"),
        "{}",
        text(&newer.stdout)
    );
}

#[test]
fn unusable_input_is_exit_code_2_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere").display().to_string();
    let out = folder.path().join("out").display().to_string();
    for (arguments, expected) in [
        (vec!["verify", &nowhere], "file `manifest.json` is missing"),
        (
            vec!["convert", "--base", &nowhere, "--out", &out],
            "model.safetensors` could not be read",
        ),
        (vec!["convert", "--base", &nowhere], "--out"),
        (
            vec![
                "convert", "--base", &nowhere, "--out", &out, "--quant", "q3",
            ],
            "possible values: f32, f16, q8, q4",
        ),
    ] {
        let output = servimage(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[test]
fn a_checkpoint_that_is_refused_leaves_no_pack() {
    let copy = crate::checkpoint::Copy::new();
    copy.edit_tensors("base/model.safetensors", |tensors| {
        tensors.remove("model.language_model.norm.weight");
    });
    let (base, out) = (copy.path("base").display().to_string(), copy.path("out"));
    let output = servimage(&[
        "convert",
        "--base",
        &base,
        "--out",
        &out.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!out.join("manifest.json").exists());
}

#[test]
fn a_benchmark_folder_is_counted_and_its_oddities_are_named() {
    let bench = golden().join("../../bench").display().to_string();
    let output = servimage(&["bench", "check", &bench, "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["all"]["tasks"], &report["all"]["deliverables"]),
        (&1070.into(), &2046.into())
    );
    assert!((report["all"]["price_usd"].as_f64().unwrap() - 295_038.08).abs() < 0.005);
    assert!(
        report["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line.as_str().unwrap().starts_with("digital-296: "))
    );
    let empty = tempfile::tempdir().unwrap().path().display().to_string();
    assert_eq!(
        servimage(&["bench", "check", &empty]).status.code(),
        Some(2)
    );
}
