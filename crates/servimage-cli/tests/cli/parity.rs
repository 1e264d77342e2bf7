//! `servimage parity`: the network equals the reference, and a difference does not go unseen.

use crate::checkpoint::{Copy, golden};
use crate::command_line::{servimage, text};
use serde_json::Value;
use std::path::Path;

fn parity(golden: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let golden = golden.display().to_string();
    let output = servimage(&[&["parity", "--golden", &golden, "--json"], more].concat());
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code(), report)
}

fn failed(report: &Value) -> Vec<&str> {
    let rows = report["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["passed"] == false)
        .map(|row| row["tensor"].as_str().unwrap())
        .collect()
}

#[test]
fn golden_a_is_reproduced_on_the_cpu() {
    let (code, report) = parity(&golden(), &[]);
    assert_eq!((code, failed(&report)), (Some(0), vec![]), "{report:#}");
    let names: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["tensor"].as_str().unwrap())
        .collect();
    for name in [
        "input_ids",
        "pixel_values",
        "base.vision_embeds",
        "base.hidden_states",
        "base.logits_last",
        "stage1.cns_set",
        "stage2.pay_logits",
        "base.prefix_cache",
        "stage2.prefix_cache",
    ] {
        assert!(names.contains(&name), "{name} is not compared: {names:?}");
    }
}

#[test]
#[ignore = "needs a Vulkan driver; Mesa's lavapipe will do"]
fn golden_a_is_reproduced_on_the_gpu() {
    let (code, report) = parity(&golden(), &["--device", "gpu"]);
    assert_eq!((code, failed(&report)), (Some(0), vec![]), "{report:#}");
}

#[test]
#[ignore = "needs a Vulkan driver with shader-f16; Mesa's lavapipe will do"]
fn golden_a_is_reproduced_with_f16_activations() {
    let (code, report) = parity(&golden(), &["--device", "gpu", "--activations", "f16"]);
    assert_eq!((code, failed(&report)), (Some(0), vec![]), "{report:#}");
    let device = report["device"].as_str().unwrap();
    assert!(device.ends_with(", f16 activations"), "{device}");
    // Nothing in f32 is that far off: the activations really were f16.
    let rows = report["rows"].as_array().unwrap().iter();
    let hidden = rows.filter(|row| row["tensor"] == "base.hidden_states");
    let errors: Vec<f64> = hidden.map(|row| row["error"].as_f64().unwrap()).collect();
    assert!(matches!(errors[..], [error] if error > 1e-5), "{errors:?}");
}

#[test]
fn f16_activations_are_refused_on_the_cpu() {
    let output = servimage(&["parity", "--golden", "unread", "--activations", "f16"]);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains("f16 activations need a GPU with shader-f16"),
        "{words}"
    );
}

#[test]
fn quantized_weights_stay_within_their_stated_tolerance() {
    for quant in ["f16", "q8", "q4"] {
        let (code, report) = parity(&golden(), &["--quant", quant]);
        assert_eq!(
            (code, failed(&report)),
            (Some(0), vec![]),
            "{quant}: {report:#}"
        );
    }
}

#[test]
fn a_changed_weight_or_expectation_is_seen() {
    let flip_sign = |file: &str, tensor: &str| {
        let copy = Copy::new();
        copy.edit_tensors(file, |tensors| {
            let bytes = &mut tensors.get_mut(tensor).unwrap().2;
            bytes
                .iter_mut()
                .skip(3)
                .step_by(4)
                .for_each(|byte| *byte ^= 0x80);
        });
        let (code, report) = parity(copy.folder.path(), &[]);
        assert_eq!(code, Some(1), "{tensor}");
        failed(&report).join(" ")
    };
    let seen = flip_sign(
        "base/model.safetensors",
        "model.visual.deepstack_merger_list.1.linear_fc2.bias",
    );
    assert!(
        seen.contains("base.hidden_states") && !seen.contains("base.vision_embeds"),
        "{seen}"
    );
    let seen = flip_sign(
        "stage2/llm_lora/adapter_model.safetensors",
        "base_model.model.layers.3.mlp.up_proj.lora_B.weight",
    );
    // The golden's payment logits are mostly biases: its hidden states are what tells.
    assert!(
        seen.contains("stage2.hidden_states") && !seen.contains("stage1"),
        "{seen}"
    );
    let seen = flip_sign("golden.safetensors", "stage1.veq_text");
    assert_eq!(seen, "stage1.veq_text");
}

#[test]
fn quality_tells_how_far_each_layout_is_from_f32() {
    let golden = golden().display().to_string();
    let output = servimage(&["quality", "--golden", &golden, "--inputs", "24", "--json"]);
    let rows: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let of = |i: usize, field: &str| rows[i]["standardized"][field].as_f64().unwrap();
    let layouts: Vec<&str> = (0..3).map(|i| rows[i]["quant"].as_str().unwrap()).collect();
    assert_eq!(layouts, ["f16", "q8", "q4"]);
    let differences: Vec<f64> = (0..3).map(|i| of(i, "mean_dp")).collect();
    assert!(
        0.0 < differences[0]
            && 3.0 * differences[0] < differences[1]
            && 3.0 * differences[1] < differences[2],
        "{rows:#}"
    );
    assert_eq!(
        (rows[0]["n"].as_u64(), of(0, "agreement")),
        (Some(24), 1.0),
        "{rows:#}"
    );
    assert_eq!(rows[2]["concepts"].as_object().unwrap().len(), 7);
}
