//! `config.json` and `preprocessor_config.json`, with the fields of the published checkpoints that readers look at.

use super::shapes::{Dims, PATCH_SIZE, SPATIAL_MERGE_SIZE, TEMPORAL_PATCH_SIZE};
use serde_json::{Value, json};

pub(super) fn config(dims: &Dims) -> Value {
    let [end, _, _, vision_start, vision_end, image, video] = dims.special_ids;
    let vision = &dims.vision;
    json!({
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        "image_token_id": image,
        "video_token_id": video,
        "vision_start_token_id": vision_start,
        "vision_end_token_id": vision_end,
        "tie_word_embeddings": true,
        "text_config": {
            "model_type": "qwen3_vl_text",
            "dtype": "bfloat16",
            "attention_bias": false,
            "bos_token_id": end,
            "hidden_act": "silu",
            "vocab_size": dims.vocab_size,
            "hidden_size": dims.hidden_size,
            "intermediate_size": dims.intermediate_size,
            "num_hidden_layers": dims.n_layers,
            "num_attention_heads": dims.n_heads,
            "num_key_value_heads": dims.n_kv_heads,
            "head_dim": dims.head_dim,
            "rms_norm_eps": 1e-6,
            "rope_theta": 5_000_000,
            "rope_scaling": {
                "rope_type": "default",
                "mrope_interleaved": true,
                "mrope_section": dims.mrope_section,
            },
            "tie_word_embeddings": true,
        },
        "vision_config": {
            "model_type": "qwen3_vl",
            "hidden_act": "gelu_pytorch_tanh",
            "depth": vision.depth,
            "hidden_size": vision.hidden_size,
            "num_heads": vision.num_heads,
            "intermediate_size": vision.intermediate_size,
            "in_channels": 3,
            "out_hidden_size": dims.hidden_size,
            "patch_size": PATCH_SIZE,
            "temporal_patch_size": TEMPORAL_PATCH_SIZE,
            "spatial_merge_size": SPATIAL_MERGE_SIZE,
            "num_position_embeddings": vision.num_position_embeddings,
            "deepstack_visual_indexes": vision.deepstack_visual_indexes,
        },
    })
}

/// The preprocessor's file; its area range is the evaluator's.
pub(super) fn preprocessor() -> Value {
    json!({
        "image_processor_type": "Qwen2VLImageProcessor",
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "patch_size": PATCH_SIZE,
        "temporal_patch_size": TEMPORAL_PATCH_SIZE,
        "merge_size": SPATIAL_MERGE_SIZE,
        "size": {"shortest_edge": 784, "longest_edge": 50_176},
    })
}
