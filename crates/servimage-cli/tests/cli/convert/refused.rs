//! Checkpoints that are refused, each with the name of what is wrong.

use super::{options, pack_of, read, refusal};
use crate::checkpoint::{Copy, f32_tensor, golden};
use serde_json::json;
use servimage_pack::Layout;
use std::collections::BTreeMap;

#[test]
fn two_adapters_that_change_one_weight_differently_are_refused_with_both_names() {
    let copy = Copy::new();
    copy.edit_tensors(
        "stage1/projector_lora/adapter_model.safetensors",
        |tensors| {
            tensors
                .get_mut("base_model.model.linear_fc1.lora_A.weight")
                .unwrap()
                .2[1] ^= 1;
        },
    );
    let message = refusal(&options(copy.folder.path()));
    for part in [
        "vision_lora: base_model.model.merger.linear_fc1",
        "projector_lora: base_model.model.linear_fc1",
        "model.visual.merger.linear_fc1.weight",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_adapter_tensor_with_no_home_is_refused_by_name() {
    for (name, reason) in [
        (
            "base_model.model.blocks.9.attn.qkv.lora_A.weight",
            "no linear weight `model.visual.blocks.9.attn.qkv.weight`",
        ),
        (
            "base_model.model.blocks.0.norm1.lora_A.weight",
            "no linear weight `model.visual.blocks.0.norm1.weight`",
        ),
        (
            "base_model.model.blocks.0.attn.qkv.lora_magnitude_vector",
            "expected base_model.model.NAME.lora_A.weight",
        ),
        (
            "base_model.model.blocks.0.mlp.linear_fc1.lora_A.weight",
            "its other half",
        ),
    ] {
        let copy = Copy::new();
        copy.edit_tensors("stage1/vision_lora/adapter_model.safetensors", |tensors| {
            tensors.insert(name.into(), f32_tensor(&[8, 48], &[0.0; 8 * 48]));
        });
        let message = refusal(&options(copy.folder.path()));
        assert!(
            message.contains(name) && message.contains(reason),
            "{message}"
        );
    }
}

#[test]
fn a_missing_or_misshapen_head_tensor_is_refused_with_what_was_expected() {
    // The head as safetensors, read in place of the .bin.
    let mut head = BTreeMap::new();
    let pack = pack_of(&options(&golden()));
    for entry in pack
        .manifest()
        .tensors
        .iter()
        .filter(|entry| entry.name.starts_with("stage2."))
    {
        let (shape, values) = read(&pack, &entry.name);
        head.insert(
            entry.name.replacen("stage2.", "", 1),
            f32_tensor(&shape, &values),
        );
    }
    let copy = Copy::new();
    let file = "stage2/stage2_decoder/model.safetensors";
    copy.write_tensors(file, &head);
    std::fs::remove_file(copy.path("stage2/stage2_decoder/pytorch_model.bin")).unwrap();
    assert_eq!(
        read(&pack_of(&options(copy.folder.path())), "stage2.fc3.bias"),
        read(&pack, "stage2.fc3.bias")
    );
    let bias = head.remove("fc4.bias").unwrap();
    copy.write_tensors(file, &head);
    let message = refusal(&options(copy.folder.path()));
    assert!(
        message.contains("no tensor `fc4.bias`, expected shape [16]"),
        "{message}"
    );
    head.insert("fc4.bias".into(), bias);
    head.insert("fc5.weight".into(), f32_tensor(&[3, 16], &[0.0; 48]));
    copy.write_tensors(file, &head);
    let message = refusal(&options(copy.folder.path()));
    assert!(
        message.contains("`fc5.weight`: expected shape [2, 16], found [3, 16]"),
        "{message}"
    );
    std::fs::remove_file(copy.path(file)).unwrap();
    let message = refusal(&options(copy.folder.path()));
    assert!(message.contains("pytorch_model.bin"), "{message}");
}

#[test]
fn a_base_that_is_not_what_its_configuration_says_is_refused() {
    type Damage = fn(&Copy);
    let cases: [(&str, Damage); 6] = [
        ("`model.language_model.norm.weight`, value 3", |copy| {
            copy.edit_tensors("base/model.safetensors", |tensors| {
                tensors
                    .get_mut("model.language_model.norm.weight")
                    .unwrap()
                    .2[12..16]
                    .copy_from_slice(&f32::NAN.to_le_bytes());
            });
        }),
        ("`model.visual.pos_embed.weight`", |copy| {
            copy.edit_tensors("base/model.safetensors", |tensors| {
                tensors.remove("model.visual.pos_embed.weight");
            });
        }),
        ("expected shape [32, 64], found [64, 32]", |copy| {
            copy.edit_tensors("base/model.safetensors", |tensors| {
                tensors
                    .get_mut("model.language_model.layers.0.self_attn.k_proj.weight")
                    .unwrap()
                    .1 = vec![64, 32];
            });
        }),
        (
            "field `text_config.rope_parameters.mrope_interleaved`: expected true, found false",
            |copy| {
                copy.edit_json("base/config.json", |config| {
                    config["text_config"]["rope_parameters"]["mrope_interleaved"] = json!(false)
                });
            },
        ),
        ("field `vision_config.hidden_act`", |copy| {
            copy.edit_json("base/config.json", |config| {
                config["vision_config"]["hidden_act"] = json!("relu")
            });
        }),
        (
            "field `model_type`: expected \"qwen3_vl\", found \"llama\"",
            |copy| {
                copy.edit_json("base/config.json", |config| {
                    config["model_type"] = json!("llama")
                });
            },
        ),
    ];
    for (expected, damage) in cases {
        let copy = Copy::new();
        damage(&copy);
        let message = refusal(&options(copy.folder.path()));
        assert!(
            message.contains(expected),
            "expected {expected}, found: {message}"
        );
    }
}

#[test]
fn a_truncated_weights_file_is_refused_before_it_is_read() {
    let copy = Copy::new();
    let bytes = std::fs::read(copy.path("base/model.safetensors")).unwrap();
    for keep in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(copy.path("base/model.safetensors"), &bytes[..keep]).unwrap();
        let message = refusal(&options(copy.folder.path()));
        assert!(
            message.contains("model.safetensors` is not a readable weights file"),
            "{keep}: {message}"
        );
    }
}

#[test]
fn an_infinite_weight_is_named_though_its_piece_is_not_the_first() {
    let copy = Copy::new();
    copy.edit_tensors("base/model.safetensors", |tensors| {
        let table = tensors.get_mut("model.language_model.embed_tokens.weight");
        let place = 4 * (300 * 64 + 7);
        table.unwrap().2[place..place + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    });
    let mut pieces = options(copy.folder.path());
    (pieces.quant, pieces.piece_values) = (Layout::Q4, 333);
    let message = refusal(&pieces);
    assert!(
        message.contains("`model.language_model.embed_tokens.weight`, value 19207"),
        "{message}"
    );
}

#[test]
fn adapter_settings_that_change_the_arithmetic_are_refused_by_field() {
    for (field, value) in [
        ("use_dora", json!(true)),
        ("fan_in_fan_out", json!(true)),
        ("bias", json!("all")),
        ("peft_type", json!("IA3")),
        ("rank_pattern", json!({".*v_proj": 8})),
        ("r", json!(4)),
    ] {
        let copy = Copy::new();
        copy.edit_json("stage2/llm_lora/adapter_config.json", |config| {
            config[field] = value
        });
        let message = refusal(&options(copy.folder.path()));
        assert!(
            message.contains(if field == "r" { "[4, " } else { field }),
            "{field}: {message}"
        );
    }
}
