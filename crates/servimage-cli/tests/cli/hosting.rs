//! From a checkpoint in the published layout to verdicts, by the commands of the README: convert, verify, serve, check-host, score.

use crate::checkpoint::golden;
use crate::command_line::{servimage, text};
use serde_json::Value;
use servimage_testkit::{MadeUpSize, write_made_up};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `servimage serve`, ended with the test.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    /// Serves a pack at a free port.
    fn start(pack: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_servimage"))
            .args(["serve", "--port", "0"])
            .arg(pack)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap();
        Self { child, url }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Converts a made-up checkpoint with every file of a published one.
fn convert_published(folder: &Path) -> (String, Value) {
    let base = folder.join("Qwen3-VL-made-up-Instruct");
    write_made_up(MadeUpSize::Nano, 11, &base).unwrap();
    let pack = folder.join("qwen-q4").display().to_string();
    let (base, card) = (base.display().to_string(), folder.join("card.md"));
    std::fs::write(&card, "# A made-up model\n").unwrap();
    let card = card.display().to_string();
    let output = servimage(&[
        "convert", "--base", &base, "--quant", "q4", "--card", &card, "--out", &pack, "--json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    (pack, serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_published_checkpoint_is_converted_verified_served_checked_and_scores_zero_shot() {
    let folder = tempfile::tempdir().unwrap();
    let (pack, report) = convert_published(folder.path());
    assert_eq!(report["quant"], "q4");
    // Every tensor of the checkpoint is used; only the area range differs from the evaluator's.
    let warnings = report["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].as_str().unwrap().contains("784..=50176 pixels"));

    let verified = servimage(&["verify", &pack]);
    assert_eq!(verified.status.code(), Some(0));
    // The self-test was computed on this machine, over a made-up picture.
    let said = text(&verified.stdout);
    assert!(
        said.starts_with("ok: ") && said.contains("passed"),
        "{said}"
    );

    let serving = Serving::start(Path::new(&pack));
    assert!(serving.url.ends_with("/models/qwen-q4/"), "{}", serving.url);
    let checked = servimage(&["check-host", &serving.url, "--all", "--strict", "--json"]);
    let host: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{host:#}");
    assert_eq!(host["pack_sha256"], report["pack_sha256"]);
    assert_eq!(host["findings"], Value::Array(Vec::new()));
    let n_shards = report["n_shards"].as_u64().unwrap() as usize;
    let hashed = host["hashed"].as_array().unwrap();
    assert_eq!(hashed.len(), n_shards + 2, "tokenizer, model card, shards");
    let card = std::fs::read_to_string(Path::new(&pack).join("README.md")).unwrap();
    assert_eq!(card, "# A made-up model\n");

    let images = ["images/0.png", "images/1.png"].map(|image| golden().join(image));
    let [first, second] = images.map(|image| image.display().to_string());
    let scored = servimage(&[
        "score",
        "--pack",
        &pack,
        "--task",
        "starter-product-001",
        "--json",
        &first,
        &second,
    ]);
    assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
    let verdicts: Vec<Value> = text(&scored.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(verdicts.len(), 2);
    for verdict in &verdicts {
        let p_pay = verdict["p_pay"].as_f64().unwrap();
        assert!(p_pay > 0.0 && p_pay < 1.0, "{verdict:#}");
        let clarity = verdict["concepts"]["veq_clarity"]["score"]
            .as_f64()
            .unwrap();
        assert!((1.0..=5.0).contains(&clarity), "{verdict:#}");
        let labels = verdict["provenance"]["labels"].as_str().unwrap();
        assert!(labels.starts_with("Zero-shot"), "{labels}");
        assert_eq!(verdict["provenance"]["pack_sha256"], report["pack_sha256"]);
        assert!(verdict["attention"].is_null(), "no payment head pooled");
    }
    assert_ne!(verdicts[0]["p_pay"], verdicts[1]["p_pay"], "images count");
}

#[test]
fn a_damaged_upload_is_found_over_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let (pack, _) = convert_published(folder.path());
    let shard = Path::new(&pack).join("shard-0000.bin");
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[4321] ^= 1;
    std::fs::write(&shard, bytes).unwrap();
    let serving = Serving::start(Path::new(&pack));
    let checked = servimage(&["check-host", &serving.url, "--all"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = text(&checked.stdout);
    assert!(
        said.contains("fails  host.hash: expected SHA-256"),
        "{said}"
    );
    assert!(
        said.contains("shard-0000.bin") && said.contains("cannot load it"),
        "{said}"
    );

    let nowhere = servimage(&["check-host", &format!("{}x", serving.url)]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stdout).contains("host.missing"));
    drop(serving);
    for address in ["http://127.0.0.1:9/models/q4/", "models/q4"] {
        let output = servimage(&["check-host", address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        assert!(
            text(&output.stderr).contains(address),
            "{}",
            text(&output.stderr)
        );
    }
}
