//! Text tower: causal transformer layers with interleaved M-RoPE and deepstack inputs.
//!
//! Source: `Qwen3VLTextModel` of `transformers`.

use crate::error::LoadError;
use crate::linear::{Linear, Pass};
use crate::positions::Rotary;
use crate::source::{ParamKind, ParamSource};
use burn::module::Module;
use burn::nn::{RmsNorm, RmsNormConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::{silu, softmax};
use servimage_pack::manifest::TextDims;

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
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
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
    gate: Linear,
    up: Linear,
    down: Linear,
}

async fn load_rms_norm(
    source: &mut impl ParamSource,
    name: &str,
    d_model: usize,
    epsilon: f64,
) -> Result<RmsNorm, LoadError> {
    let gamma = source
        .param(&format!("{name}.weight"), [d_model], ParamKind::Ones)
        .await?;
    let mut norm = RmsNormConfig::new(d_model)
        .with_epsilon(epsilon)
        .init(&gamma.device());
    norm.gamma = gamma;
    Ok(norm)
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
        let norm = load_rms_norm(
            source,
            &format!("{root}.norm"),
            dims.d_model,
            dims.rms_norm_eps,
        )
        .await?;
        Ok(Self { layers, norm })
    }

    /// Runs the tower; row `i` of `deepstack[l]` is added behind layer `l` (zeros where a token is not visual).
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, seq_len, d_model]`, the result after the final norm
    /// - `mask`: `[1, 1, seq_len, seq_len]`, added to the attention scores
    /// - `deepstack`: each `[batch, seq_len, d_model]`
    pub fn forward(
        &self,
        mut x: Tensor<3>,
        rotary: &Rotary,
        mask: &Tensor<4>,
        deepstack: &[Tensor<3>],
        pass: Pass,
    ) -> Tensor<3> {
        for (layer_idx, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, rotary, mask, pass);
            if let Some(features) = deepstack.get(layer_idx) {
                x = x + features.clone();
            }
        }
        self.norm.forward(x)
    }

    /// Whether the payment pass differs from the concept pass in this tower.
    pub fn has_adapter(&self) -> bool {
        self.layers.iter().any(|layer| {
            let (a, m) = (&layer.attention, &layer.mlp);
            [
                &a.q_proj, &a.k_proj, &a.v_proj, &a.o_proj, &m.gate, &m.up, &m.down,
            ]
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
        Ok(Self {
            input_norm: load_rms_norm(source, &format!("{name}.input_layernorm"), d_model, epsilon)
                .await?,
            attention: Attention::load(source, &format!("{name}.self_attn"), dims).await?,
            post_attention_norm: load_rms_norm(
                source,
                &format!("{name}.post_attention_layernorm"),
                d_model,
                epsilon,
            )
            .await?,
            mlp: Mlp::load(source, &format!("{name}.mlp"), dims).await?,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[batch, seq_len, d_model]`
    fn forward(&self, x: Tensor<3>, rotary: &Rotary, mask: &Tensor<4>, pass: Pass) -> Tensor<3> {
        let x = x.clone()
            + self
                .attention
                .forward(self.input_norm.forward(x), rotary, mask, pass);
        x.clone() + self.mlp.forward(self.post_attention_norm.forward(x), pass)
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
        Ok(Self {
            q_proj: Linear::load(source, &format!("{name}.q_proj"), [d_model, d_q], false).await?,
            k_proj: Linear::load(source, &format!("{name}.k_proj"), [d_model, d_kv], false).await?,
            v_proj: Linear::load(source, &format!("{name}.v_proj"), [d_model, d_kv], false).await?,
            o_proj: Linear::load(source, &format!("{name}.o_proj"), [d_q, d_model], false).await?,
            q_norm: load_rms_norm(
                source,
                &format!("{name}.q_norm"),
                head_dim,
                dims.rms_norm_eps,
            )
            .await?,
            k_norm: load_rms_norm(
                source,
                &format!("{name}.k_norm"),
                head_dim,
                dims.rms_norm_eps,
            )
            .await?,
            n_heads: dims.n_heads,
            n_kv_heads: dims.n_kv_heads,
            head_dim,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[batch, seq_len, d_model]`
    fn forward(&self, x: Tensor<3>, rotary: &Rotary, mask: &Tensor<4>, pass: Pass) -> Tensor<3> {
        let [batch, seq_len, _] = x.dims();
        let heads =
            |y: Tensor<3>, n_heads: usize| y.reshape([batch, seq_len, n_heads, self.head_dim]);
        let q = heads(self.q_proj.forward_3d(x.clone(), pass), self.n_heads);
        let k = heads(self.k_proj.forward_3d(x.clone(), pass), self.n_kv_heads);
        let v = heads(self.v_proj.forward_3d(x, pass), self.n_kv_heads);
        let q = rotary.apply(self.q_norm.forward(q)).swap_dims(1, 2);
        let k = self.repeat_kv(rotary.apply(self.k_norm.forward(k)));
        let v = self.repeat_kv(v);
        let scores = q.matmul(k.transpose()) * (self.head_dim as f64).powf(-0.5) + mask.clone();
        let mixed = softmax(scores, 3).matmul(v).swap_dims(1, 2);
        self.o_proj.forward_3d(
            mixed.reshape([batch, seq_len, self.n_heads * self.head_dim]),
            pass,
        )
    }

    /// `[batch, seq_len, n_kv_heads, head_dim]` to `[batch, n_heads, seq_len, head_dim]`, each head `n_heads / n_kv_heads` times in a row.
    fn repeat_kv(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, seq_len, n_kv_heads, head_dim] = x.dims();
        let n_rep = self.n_heads / self.n_kv_heads;
        x.swap_dims(1, 2)
            .reshape([batch, n_kv_heads, 1, seq_len * head_dim])
            .repeat_dim(2, n_rep)
            .reshape([batch, self.n_heads, seq_len, head_dim])
    }
}

impl Mlp {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &TextDims,
    ) -> Result<Self, LoadError> {
        let (d_model, d_hidden) = (dims.d_model, dims.d_hidden);
        Ok(Self {
            gate: Linear::load(
                source,
                &format!("{name}.gate_proj"),
                [d_model, d_hidden],
                false,
            )
            .await?,
            up: Linear::load(
                source,
                &format!("{name}.up_proj"),
                [d_model, d_hidden],
                false,
            )
            .await?,
            down: Linear::load(
                source,
                &format!("{name}.down_proj"),
                [d_hidden, d_model],
                false,
            )
            .await?,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[batch, seq_len, d_model]`
    fn forward(&self, x: Tensor<3>, pass: Pass) -> Tensor<3> {
        let gate = silu(self.gate.forward_3d(x.clone(), pass));
        self.down
            .forward_3d(gate * self.up.forward_3d(x, pass), pass)
    }
}
