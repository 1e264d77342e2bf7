//! Text tower: causal transformer layers with interleaved M-RoPE and deepstack inputs.
//!
//! Source: `Qwen3VLTextModel` of `transformers`.

use crate::between::{Between, pause};
use crate::error::{LoadError, RunError};
use crate::linear::{Linear, Pass};
use crate::norm::RmsNorm;
use crate::positions::Rotary;
use crate::source::ParamSource;
use burn::module::Module;
use burn::tensor::Tensor;
use servimage_kernels::{Activation, AttentionShape, Heads, Segments, Storage};
use servimage_pack::manifest::TextDims;

/// Weights of an attention that lie on a device as one, below each other.
pub const QKV: [&str; 3] = ["q_proj", "k_proj", "v_proj"];

/// Those of a block between two attentions.
pub const GATE_UP: [&str; 2] = ["gate_proj", "up_proj"];

/// Text tower without its token embedding. Build with [`Text::load`].
#[derive(Module, Debug)]
pub struct Text {
    layers: Vec<Layer>,
    norm: RmsNorm,
}

#[derive(Module, Debug)]
struct Layer {
    input_norm: RmsNorm,
    attention: Attention,
    post_attention_norm: RmsNorm,
    mlp: Mlp,
}

/// Grouped-query attention with a norm on each head of q and k.
#[derive(Module, Debug)]
struct Attention {
    /// Queries, keys and values in one.
    qkv: Linear,
    o_proj: Linear,
    q_norm: RmsNorm,
    k_norm: RmsNorm,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
}

/// Feed-forward block: `down(silu(gate(x)) * up(x))`.
#[derive(Module, Debug)]
struct Mlp {
    /// Gate and up in one.
    gate_up: Linear,
    down: Linear,
}

/// Rows that the text tower reads, and how they hang together.
#[derive(Clone, Copy, Debug)]
pub struct TextRows<'a> {
    /// Sequences; each sees itself and the prefix.
    pub segments: &'a Segments,
    /// Keys and values of a shared prefix, one `[prefix rows, 2 * n_kv_heads * head_dim]` a layer; empty without one.
    pub prefix: &'a [Tensor<2>],
    /// Rows that stand for visual tokens.
    pub visual: &'a [u32],
    /// One `[visual rows, d_model]` for each of the first layers, added behind it.
    pub deepstack: &'a [Tensor<2>],
}

impl Text {
    /// Takes the tensors under `model.language_model` but the token embedding.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor is missing or has another shape.
    pub async fn load(source: &mut impl ParamSource, dims: &TextDims) -> Result<Self, LoadError> {
        let root = "model.language_model";
        let mut layers = Vec::with_capacity(dims.n_layers);
        for layer_idx in 0..dims.n_layers {
            layers.push(Layer::load(source, &format!("{root}.layers.{layer_idx}"), dims).await?);
        }
        let norm = format!("{root}.norm");
        let norm = RmsNorm::load(source, &norm, dims.d_model, dims.rms_norm_eps).await?;
        Ok(Self {
            layers,
            norm: norm.into_f32(),
        })
    }

    /// Runs the tower. `keep` receives each layer's keys and values, `[rows, 2 * n_kv_heads * head_dim]`.
    ///
    /// # Shapes
    /// - `x` and the result: `[rows, d_model]`, the result after the final norm
    pub fn forward(
        &self,
        mut x: Tensor<2>,
        rotary: &Rotary,
        rows: TextRows<'_>,
        pass: Pass,
        mut keep: Option<&mut Vec<Tensor<2>>>,
    ) -> Tensor<2> {
        for layer_idx in 0..self.layers.len() {
            x = self.layer(layer_idx, x, rotary, rows, pass, keep.as_deref_mut());
        }
        self.norm.forward(x)
    }

    /// [`Text::forward`] with a stop behind each layer.
    ///
    /// # Errors
    /// [`RunError::Stopped`] where `between` does not go on.
    pub async fn forward_between(
        &self,
        mut x: Tensor<2>,
        rotary: &Rotary,
        rows: TextRows<'_>,
        pass: Pass,
        between: &impl Between,
    ) -> Result<Tensor<2>, RunError> {
        for layer_idx in 0..self.layers.len() {
            x = self.layer(layer_idx, x, rotary, rows, pass, None);
            pause(between, &x).await?;
        }
        Ok(self.norm.forward(x))
    }

    fn layer(
        &self,
        layer_idx: usize,
        mut x: Tensor<2>,
        rotary: &Rotary,
        rows: TextRows<'_>,
        pass: Pass,
        keep: Option<&mut Vec<Tensor<2>>>,
    ) -> Tensor<2> {
        let layer = &self.layers[layer_idx];
        let prefix = rows.prefix.get(layer_idx);
        let mixed = layer.attention.forward(
            layer.input_norm.forward(x.clone()),
            rotary,
            rows.segments,
            prefix,
            pass,
            keep,
        );
        x = layer
            .attention
            .o_proj
            .forward_into(mixed, pass, Some(x), Activation::None);
        let hidden = layer
            .mlp
            .hidden(layer.post_attention_norm.forward(x.clone()), pass);
        x = layer
            .mlp
            .down
            .forward_into(hidden, pass, Some(x), Activation::None);
        match rows.deepstack.get(layer_idx) {
            Some(features) => servimage_kernels::add_rows(x, rows.visual, features),
            None => x,
        }
    }

    /// Whether the payment pass differs from the concept pass in this tower.
    pub fn has_adapter(&self) -> bool {
        self.layers.iter().any(|layer| {
            let (a, m) = (&layer.attention, &layer.mlp);
            [&a.qkv, &a.o_proj, &m.gate_up, &m.down]
                .iter()
                .any(|l| l.has_adapter())
        })
    }
}

impl Layer {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &TextDims,
    ) -> Result<Self, LoadError> {
        let (d_model, epsilon) = (dims.d_model, dims.rms_norm_eps);
        let norm = |norm: &str| format!("{name}.{norm}_layernorm");
        Ok(Self {
            input_norm: RmsNorm::load(source, &norm("input"), d_model, epsilon).await?,
            attention: Attention::load(source, &format!("{name}.self_attn"), dims).await?,
            post_attention_norm: RmsNorm::load(source, &norm("post_attention"), d_model, epsilon)
                .await?,
            mlp: Mlp::load(source, &format!("{name}.mlp"), dims).await?,
        })
    }
}

impl Attention {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &TextDims,
    ) -> Result<Self, LoadError> {
        let (d_model, head_dim) = (dims.d_model, dims.head_dim);
        let (d_q, d_kv) = (dims.n_heads * head_dim, dims.n_kv_heads * head_dim);
        let parts = QKV.iter().zip([d_q, d_kv, d_kv]);
        let parts = parts.map(|(part, width)| (format!("{name}.{part}"), width));
        let parts: Vec<(String, usize)> = parts.collect();
        let epsilon = dims.rms_norm_eps;
        let o_proj = Linear::load(source, &format!("{name}.o_proj"), [d_q, d_model], false).await?;
        Ok(Self {
            qkv: Linear::load_joined(source, &parts, d_model).await?,
            o_proj: o_proj.writing(Storage::F32),
            q_norm: RmsNorm::load(source, &format!("{name}.q_norm"), head_dim, epsilon).await?,
            k_norm: RmsNorm::load(source, &format!("{name}.k_norm"), head_dim, epsilon).await?,
            n_heads: dims.n_heads,
            n_kv_heads: dims.n_kv_heads,
            head_dim,
        })
    }

    /// # Shapes
    /// - `x`: `[rows, d_model]`
    /// - the result: `[rows, n_heads * head_dim]`
    fn forward(
        &self,
        x: Tensor<2>,
        rotary: &Rotary,
        segments: &Segments,
        prefix: Option<&Tensor<2>>,
        pass: Pass,
        keep: Option<&mut Vec<Tensor<2>>>,
    ) -> Tensor<2> {
        let shape = AttentionShape {
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            head_dim: self.head_dim,
            causal: true,
        };
        let queries = Heads {
            first: 0,
            count: self.n_heads,
        };
        let keys = Heads {
            first: self.n_heads,
            count: self.n_kv_heads,
        };
        let qkv = rotary.apply(self.qkv.forward(x, pass), queries, Some(&self.q_norm));
        let qkv = rotary.apply(qkv, keys, Some(&self.k_norm));
        if let Some(keep) = keep {
            let columns = self.n_heads * self.head_dim..shape.row_len();
            keep.push(servimage_kernels::columns(&qkv, columns));
        }
        servimage_kernels::attention(qkv, prefix, segments, shape)
    }
}

impl Mlp {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &TextDims,
    ) -> Result<Self, LoadError> {
        let (d_model, d_hidden) = (dims.d_model, dims.d_hidden);
        let parts = GATE_UP.map(|part| (format!("{name}.{part}"), d_hidden));
        let down = format!("{name}.down_proj");
        let gate_up = Linear::load_joined(source, &parts, d_model).await?;
        let down = Linear::load(source, &down, [d_hidden, d_model], false).await?;
        let hidden = source.storage().hidden();
        Ok(Self {
            gate_up,
            down: down.reading(hidden).writing(Storage::F32),
        })
    }

    /// What `down` reads.
    ///
    /// # Shapes
    /// - `x`: `[rows, d_model]`
    /// - the result: `[rows, d_hidden]`
    fn hidden(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        servimage_kernels::swiglu(self.gate_up.forward(x, pass))
    }
}
