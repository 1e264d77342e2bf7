//! A complete pack with every tensor that its manifest asks for, small enough to damage by the thousand.

#![expect(clippy::unwrap_used, reason = "test code")]

use servimage_pack::manifest::*;
use servimage_pack::{ExpectedTensor, MemorySource, PackWriter, expected_tensors};
use std::collections::BTreeMap;

/// Manifest of the smallest network that has every part.
pub fn manifest(quant: Layout) -> Manifest {
    let text = TextDims {
        vocab_size: 11,
        d_model: 8,
        n_layers: 1,
        n_heads: 2,
        n_kv_heads: 1,
        head_dim: 6,
        d_hidden: 40,
        rms_norm_eps: 1e-6,
        rope_theta: 5e6,
        mrope_section: [1, 1, 1],
        tie_word_embeddings: true,
    };
    let vision = VisionDims {
        d_model: 4,
        n_layers: 2,
        n_heads: 2,
        d_hidden: 6,
        in_channels: 3,
        patch_size: 2,
        temporal_patch_size: 2,
        spatial_merge_size: 2,
        d_out: 8,
        n_position_embeddings: 4,
        deepstack_layers: vec![0],
        rope_theta: 1e4,
    };
    let (path, sha256) = (String::new(), String::new());
    Manifest {
        format_version: FORMAT_VERSION,
        name: "tiny".into(),
        labels: "random".into(),
        quant,
        text,
        vision,
        special_tokens: SpecialTokens {
            image: 5,
            video: 6,
            vision_start: 3,
            vision_end: 4,
        },
        image_processor: ImageProcessor {
            min_pixels: 16,
            max_pixels: 64,
            mean: [0.5; 3],
            std: [0.5; 3],
        },
        tokenizer: FileEntry {
            path,
            size_bytes: 0,
            sha256,
        },
        card: None,
        template: template(),
        heads: Heads {
            concepts: vec!["brf".into(), "cns_set".into()],
            payment: true,
            zero_shot: None,
        },
        payment_adapter: Some(Adapter {
            targets: vec!["model.language_model.layers.0.self_attn.q_proj".into()],
        }),
        calibration: Calibration {
            method: "none".into(),
            a: 1.0,
            b: 0.0,
            n: 0,
            reliability: Vec::new(),
        },
        threshold: 0.5,
        score_weights: BTreeMap::from([
            ("brf".into(), 1.0),
            ("veq".into(), 1.0),
            ("cns".into(), 1.0),
        ]),
        self_test: None,
        provenance: PackProvenance {
            source: "test".into(),
            licence: "CC0-1.0".into(),
            tool: "test".into(),
        },
        shards: Vec::new(),
        tensors: Vec::new(),
    }
}

fn template() -> PromptTemplate {
    PromptTemplate {
        text: "{requirement}".into(),
        image_prefix: "<".into(),
        image_suffix: ">".into(),
        tail: String::new(),
        concept_tails: BTreeMap::new(),
        image_lines: BTreeMap::new(),
        missing: BTreeMap::new(),
        max_brief_tokens: 16,
    }
}

/// Tensors of the tiny pack, heads with small hidden widths.
pub fn tensors(manifest: &Manifest) -> Vec<ExpectedTensor> {
    let widths = |name: &str| {
        name.ends_with(".weight")
            .then(|| vec![if name.contains("encoder") { 6 } else { 5 }])
    };
    expected_tensors(manifest, |name| {
        if name.ends_with("lora_a") {
            Some(vec![2])
        } else {
            widths(name)
        }
    })
}

/// Values of a tensor: spread over -1..=1, other ones for each name.
pub fn values(tensor: &ExpectedTensor) -> Vec<f32> {
    let seed: usize = tensor.name.bytes().map(usize::from).sum();
    (0..tensor.shape.iter().product())
        .map(|i| ((i * 37 + seed) % 101) as f32 / 50.0 - 1.0)
        .collect()
}

/// The tiny pack in memory with shards of `shard_bytes`.
pub fn pack(quant: Layout, shard_bytes: u64) -> MemorySource {
    let manifest = manifest(quant);
    let mut files = MemorySource::default();
    let mut writer = PackWriter::with_shard_bytes(&mut files, shard_bytes);
    writer.tokenizer(b"{}").unwrap();
    for tensor in tensors(&manifest) {
        writer
            .push(
                &tensor.name,
                &tensor.shape,
                tensor.layout(quant),
                &values(&tensor),
            )
            .unwrap();
    }
    writer
        .push_u32("self_test.input_ids", &[3], &[1, 2, 70_000])
        .unwrap();
    writer.finish(manifest).unwrap();
    files
}
