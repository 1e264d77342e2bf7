//! Which tensors a pack must hold, and their shapes, by its manifest.
//!
//! The backbone follows from the dimensions. The heads' hidden widths are the checkpoint's own: they are read off
//! the weights present, so a mismatch shows as a wrong shape of the layer that follows.
//!
//! Every linear weight of the backbone and the token embedding take the pack's quantization, but for one: the patch
//! embedding stays f32. It sums 1,536 strongly correlated pixels, so its rounding errors add up instead of averaging out, and
//! of a 2B it is 6.3 of 1,212 MB at q4. The learned positions (9.4 MB there), norms, biases and heads are f32 as well.

use crate::manifest::{Layout, Manifest, VisionDims};
use std::collections::HashMap;

/// A tensor that a pack must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedTensor {
    /// Name in the pack.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether a writer gives it the pack's quantization; f32 otherwise.
    pub quantized: bool,
    /// Whether it is the weight of a linear layer of the backbone or the embedding: an adapter may change it, and it runs from any
    /// float layout. Packs of earlier builds hold the patch embedding quantized, so this is wider than `quantized`.
    pub linear: bool,
}

impl ExpectedTensor {
    /// The layout that a writer gives it in a pack of layout `quant`.
    pub fn layout(&self, quant: Layout) -> Layout {
        if self.quantized { quant } else { Layout::F32 }
    }
}

/// Every tensor that a pack with this manifest must hold, backbone first, then heads, then the payment adapter.
///
/// `known_shape` gives the shape of a tensor that is there: it tells the heads' hidden widths and the adapter's ranks.
pub fn expected_tensors(
    manifest: &Manifest,
    known_shape: impl Fn(&str) -> Option<Vec<usize>>,
) -> Vec<ExpectedTensor> {
    let mut list = List::default();
    list.vision(&manifest.vision);
    list.text(manifest);
    let rows = |name: &str, default: usize| {
        known_shape(name)
            .and_then(|shape| shape.first().copied())
            .filter(|&rows| rows > 0)
            .unwrap_or(default)
    };
    if !manifest.heads.concepts.is_empty() {
        list.concept_head(manifest, &rows);
    }
    if manifest.heads.payment {
        list.payment_head(manifest.text.d_model, &rows);
    }
    if let Some(adapter) = &manifest.payment_adapter {
        list.adapter(&adapter.targets, &rows);
    }
    list.0
}

#[derive(Default)]
struct List(Vec<ExpectedTensor>);

impl List {
    /// A tensor that is always f32.
    fn push(&mut self, name: String, shape: &[usize]) {
        self.0.push(ExpectedTensor {
            name,
            shape: shape.to_vec(),
            quantized: false,
            linear: false,
        });
    }

    fn push_linear(&mut self, name: String, shape: [usize; 2], quantized: bool) {
        self.0.push(ExpectedTensor {
            name,
            shape: shape.to_vec(),
            quantized,
            linear: true,
        });
    }

    /// `NAME.weight` `[d_out, d_in]`.
    fn weight(&mut self, name: &str, d_out: usize, d_in: usize) {
        self.push_linear(format!("{name}.weight"), [d_out, d_in], true);
    }

    /// `NAME.weight` and `NAME.bias`.
    fn linear(&mut self, name: &str, d_out: usize, d_in: usize) {
        self.weight(name, d_out, d_in);
        self.push(format!("{name}.bias"), &[d_out]);
    }

    /// A linear layer of a head: always f32.
    fn head_linear(&mut self, name: &str, d_out: usize, d_in: usize) {
        self.push(format!("{name}.weight"), &[d_out, d_in]);
        self.push(format!("{name}.bias"), &[d_out]);
    }

    /// LayerNorm: `NAME.weight` and `NAME.bias`.
    fn layer_norm(&mut self, name: &str, d: usize) {
        self.push(format!("{name}.weight"), &[d]);
        self.push(format!("{name}.bias"), &[d]);
    }

    fn vision(&mut self, vision: &VisionDims) {
        let root = "model.visual";
        let d = vision.d_model;
        let patch_embed = format!("{root}.patch_embed.proj");
        self.push_linear(
            format!("{patch_embed}.weight"),
            [d, vision.patch_dim()],
            false,
        );
        self.push(format!("{patch_embed}.bias"), &[d]);
        self.push(
            format!("{root}.pos_embed.weight"),
            &[vision.n_position_embeddings, d],
        );
        for layer in 0..vision.n_layers {
            let block = format!("{root}.blocks.{layer}");
            self.layer_norm(&format!("{block}.norm1"), d);
            self.layer_norm(&format!("{block}.norm2"), d);
            self.linear(&format!("{block}.attn.qkv"), 3 * d, d);
            self.linear(&format!("{block}.attn.proj"), d, d);
            self.linear(&format!("{block}.mlp.linear_fc1"), vision.d_hidden, d);
            self.linear(&format!("{block}.mlp.linear_fc2"), d, vision.d_hidden);
        }
        let d_merged = d * vision.spatial_merge_size.pow(2);
        let mut merger = |name: String, d_norm: usize| {
            self.layer_norm(&format!("{name}.norm"), d_norm);
            self.linear(&format!("{name}.linear_fc1"), d_merged, d_merged);
            self.linear(&format!("{name}.linear_fc2"), vision.d_out, d_merged);
        };
        merger(format!("{root}.merger"), d);
        for tap in 0..vision.deepstack_layers.len() {
            merger(format!("{root}.deepstack_merger_list.{tap}"), d_merged);
        }
    }

    fn text(&mut self, manifest: &Manifest) {
        let text = &manifest.text;
        let root = "model.language_model";
        let (d, d_q, d_kv) = (
            text.d_model,
            text.n_heads * text.head_dim,
            text.n_kv_heads * text.head_dim,
        );
        self.weight(&format!("{root}.embed_tokens"), text.vocab_size, d);
        for layer in 0..text.n_layers {
            let layer = format!("{root}.layers.{layer}");
            for (name, size) in [
                ("input_layernorm", d),
                ("post_attention_layernorm", d),
                ("self_attn.q_norm", text.head_dim),
                ("self_attn.k_norm", text.head_dim),
            ] {
                self.push(format!("{layer}.{name}.weight"), &[size]);
            }
            for (name, d_out, d_in) in [
                ("self_attn.q_proj", d_q, d),
                ("self_attn.k_proj", d_kv, d),
                ("self_attn.v_proj", d_kv, d),
                ("self_attn.o_proj", d, d_q),
                ("mlp.gate_proj", text.d_hidden, d),
                ("mlp.up_proj", text.d_hidden, d),
                ("mlp.down_proj", d, text.d_hidden),
            ] {
                self.weight(&format!("{layer}.{name}"), d_out, d_in);
            }
        }
        self.push(format!("{root}.norm.weight"), &[d]);
        if !text.tie_word_embeddings {
            self.weight("lm_head", text.vocab_size, d);
        }
    }

    /// The payment adapter's pairs.
    fn adapter(&mut self, targets: &[String], rows: &impl Fn(&str, usize) -> usize) {
        let matrix = |tensor: &ExpectedTensor| match tensor.shape.as_slice() {
            [d_out, d_in] if tensor.linear => Some((tensor.name.clone(), [*d_out, *d_in])),
            _ => None,
        };
        let homes: HashMap<String, [usize; 2]> = self.0.iter().filter_map(matrix).collect();
        for target in targets {
            let weight = format!("{target}.weight");
            // A target without a home is reported as that missing weight.
            let [d_out, d_in] = homes.get(&weight).copied().unwrap_or_else(|| {
                self.push_linear(weight, [1, 1], true);
                [1, 1]
            });
            let rank = rows(&format!("{target}.lora_a"), 1);
            self.push(format!("{target}.lora_a"), &[rank, d_in]);
            self.push(format!("{target}.lora_b"), &[d_out, rank]);
        }
    }

    /// Stage 1; the defaults are the widths of the research code.
    fn concept_head(&mut self, manifest: &Manifest, rows: &impl Fn(&str, usize) -> usize) {
        let d = manifest.text.d_model;
        self.push(
            "stage1.attention_pooling.attention_query".into(),
            &[1, 1, d],
        );
        let mut d_in = d;
        for (layer, width) in [(0, 2048), (4, 1024)] {
            let name = format!("stage1.shared_encoder.{layer}");
            let d_out = rows(&format!("{name}.weight"), width);
            self.head_linear(&name, d_out, d_in);
            self.layer_norm(&format!("stage1.shared_encoder.{}", layer + 1), d_out);
            d_in = d_out;
        }
        for group in ["brf", "veq", "cns"] {
            let of_group = |concept: &&String| concept.split('_').next() == Some(group);
            let name = format!("stage1.{group}_concept_encoder");
            let d_out = rows(&format!("{name}.0.weight"), 512);
            if manifest
                .heads
                .concepts
                .iter()
                .any(|concept| of_group(&concept))
            {
                self.head_linear(&format!("{name}.0"), d_out, d_in);
                self.layer_norm(&format!("{name}.1"), d_out);
            }
            for concept in manifest.heads.concepts.iter().filter(of_group) {
                self.head_linear(&format!("stage1.{concept}_head"), 6, d_out);
            }
        }
    }

    fn payment_head(&mut self, d_model: usize, rows: &impl Fn(&str, usize) -> usize) {
        self.push(
            "stage2.attention_pooling.attention_query".into(),
            &[1, 1, d_model],
        );
        let mut d_in = d_model;
        for (layer, width) in [(1, 1024), (2, 256), (3, 64), (4, 16)] {
            let name = format!("stage2.fc{layer}");
            let d_out = rows(&format!("{name}.weight"), width);
            self.head_linear(&name, d_out, d_in);
            d_in = d_out;
        }
        self.head_linear("stage2.fc5", 2, d_in);
    }
}

impl VisionDims {
    /// Values of one patch row: `in_channels x temporal_patch_size x patch_size^2`.
    pub fn patch_dim(&self) -> usize {
        self.in_channels * self.temporal_patch_size * self.patch_size * self.patch_size
    }
}
