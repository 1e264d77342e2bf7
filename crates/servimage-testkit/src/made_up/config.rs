//! The configuration files, with the fields and the values of the published checkpoints.

use super::shapes::{Dims, PATCH_SIZE, SPATIAL_MERGE_SIZE, TEMPORAL_PATCH_SIZE};
use super::tokenizer::added_id;
use serde_json::{Value, json};

/// The library version that the published files name.
const TRANSFORMERS: &str = "4.57.0.dev0";

pub(super) fn config(dims: &Dims) -> Value {
    json!({
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "image_token_id": added_id(dims, "<|image_pad|>"),
        "model_type": "qwen3_vl",
        "text_config": text_config(dims),
        "tie_word_embeddings": true,
        "transformers_version": TRANSFORMERS,
        "video_token_id": added_id(dims, "<|video_pad|>"),
        "vision_config": vision_config(dims),
        "vision_end_token_id": added_id(dims, "<|vision_end|>"),
        "vision_start_token_id": added_id(dims, "<|vision_start|>"),
    })
}

fn text_config(dims: &Dims) -> Value {
    json!({
        "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": added_id(dims, "<|endoftext|>"),
        "dtype": "bfloat16",
        "eos_token_id": added_id(dims, "<|im_end|>"),
        "head_dim": dims.head_dim,
        "hidden_act": "silu",
        "hidden_size": dims.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": dims.intermediate_size,
        "max_position_embeddings": 262_144,
        "model_type": "qwen3_vl_text",
        "num_attention_heads": dims.n_heads,
        "num_hidden_layers": dims.n_layers,
        "num_key_value_heads": dims.n_kv_heads,
        "rms_norm_eps": 1e-6,
        "rope_scaling": {
            "mrope_interleaved": true,
            "mrope_section": dims.mrope_section,
            "rope_type": "default",
        },
        "rope_theta": 5_000_000,
        "tie_word_embeddings": true,
        "use_cache": true,
        "vocab_size": dims.vocab_size,
    })
}

fn vision_config(dims: &Dims) -> Value {
    let vision = &dims.vision;
    json!({
        "deepstack_visual_indexes": vision.deepstack_visual_indexes,
        "depth": vision.depth,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": vision.hidden_size,
        "in_channels": 3,
        "initializer_range": 0.02,
        "intermediate_size": vision.intermediate_size,
        "model_type": "qwen3_vl",
        "num_heads": vision.num_heads,
        "num_position_embeddings": vision.num_position_embeddings,
        "out_hidden_size": dims.hidden_size,
        "patch_size": PATCH_SIZE,
        "spatial_merge_size": SPATIAL_MERGE_SIZE,
        "temporal_patch_size": TEMPORAL_PATCH_SIZE,
    })
}

pub(super) fn generation(dims: &Dims) -> Value {
    let end_of_text = added_id(dims, "<|endoftext|>");
    json!({
        "bos_token_id": end_of_text,
        "pad_token_id": end_of_text,
        "do_sample": true,
        "eos_token_id": [added_id(dims, "<|im_end|>"), end_of_text],
        "top_k": 20,
        "top_p": 0.8,
        "repetition_penalty": 1.0,
        "temperature": 0.7,
        "transformers_version": TRANSFORMERS,
    })
}

/// The image preprocessor's file. Its area range is the published one, which is not the evaluator's.
pub(super) fn preprocessor() -> Value {
    json!({
        "size": {"longest_edge": 16_777_216, "shortest_edge": 65_536},
        "patch_size": PATCH_SIZE,
        "temporal_patch_size": TEMPORAL_PATCH_SIZE,
        "merge_size": SPATIAL_MERGE_SIZE,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "Qwen3VLProcessor",
        "image_processor_type": "Qwen2VLImageProcessorFast",
    })
}

/// The video preprocessor's file, which an evaluator of images has no use for.
pub(super) fn video_preprocessor() -> Value {
    json!({
        "size": {"longest_edge": 25_165_824, "shortest_edge": 4096},
        "patch_size": PATCH_SIZE,
        "temporal_patch_size": TEMPORAL_PATCH_SIZE,
        "merge_size": SPATIAL_MERGE_SIZE,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "Qwen3VLProcessor",
        "video_processor_type": "Qwen3VLVideoProcessor",
    })
}
