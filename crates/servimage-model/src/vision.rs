//! Vision tower: rows of patches to visual tokens, with deepstack taps.
//!
//! All images of an evaluation go through the linear layers together; attention stays inside each image.
//! Source: `Qwen3VLVisionModel` of `transformers`.

use crate::error::LoadError;
use crate::linear::{Linear, Pass};
use crate::positions::{Rotary, position_taps, vision_rotary};
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use servimage_pack::manifest::VisionDims;

/// Epsilon of every LayerNorm in the tower.
const NORM_EPSILON: f64 = 1e-6;

/// Vision tower. Build with [`Vision::load`].
#[derive(Module, Debug)]
pub struct Vision {
    patch_embed: Linear,
    /// `[n_position_embeddings, d_model]`
    pos_embed: Param<Tensor<2>>,
    blocks: Vec<Block>,
    merger: Merger,
    deepstack_mergers: Vec<Merger>,
    #[module(skip)]
    dims: Dims,
}

/// The manifest's dimensions, kept beside the weights.
#[derive(Clone, Debug)]
pub struct Dims(pub VisionDims);

/// What the tower gives to the text layers.
#[derive(Clone, Debug)]
pub struct VisualTokens {
    /// `[n_tokens, d_out]`, image after image.
    pub tokens: Tensor<2>,
    /// One `[n_tokens, d_out]` a tap, for the first text layers.
    pub deepstack: Vec<Tensor<2>>,
}

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    norm2: LayerNorm,
    qkv: Linear,
    proj: Linear,
    fc1: Linear,
    fc2: Linear,
    n_heads: usize,
}

/// Joins `merge x merge` neighbouring patches into one token.
#[derive(Module, Debug)]
struct Merger {
    norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    /// Whether the norm runs over the joined row (deepstack) or over each patch.
    norm_after_join: bool,
}

/// A LayerNorm with the weights `NAME.weight` and `NAME.bias`.
pub(crate) async fn load_layer_norm(
    source: &mut impl ParamSource,
    name: &str,
    d_model: usize,
    epsilon: f64,
) -> Result<LayerNorm, LoadError> {
    let gamma = source
        .param(&format!("{name}.weight"), [d_model], ParamKind::Ones)
        .await?;
    let beta = source
        .param(&format!("{name}.bias"), [d_model], ParamKind::Zeros)
        .await?;
    let mut norm = LayerNormConfig::new(d_model)
        .with_epsilon(epsilon)
        .init(&gamma.device());
    norm.gamma = gamma;
    norm.beta = Some(beta);
    Ok(norm)
}

/// GELU in its tanh form; `x * x * x` because WGSL's `pow` is undefined below zero.
fn gelu_tanh(x: Tensor<2>) -> Tensor<2> {
    let cubed = x.clone() * x.clone() * x.clone();
    let inner = (x.clone() + cubed * 0.044_715) * (2.0 / std::f64::consts::PI).sqrt();
    x * (inner.tanh() + 1.0) * 0.5
}

impl Vision {
    /// Takes the tensors under `model.visual`.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor is missing or has another shape.
    pub async fn load(source: &mut impl ParamSource, dims: &VisionDims) -> Result<Self, LoadError> {
        let d_patch =
            dims.in_channels * dims.temporal_patch_size * dims.patch_size * dims.patch_size;
        let root = "model.visual";
        let patch_embed = Linear::load(
            source,
            &format!("{root}.patch_embed.proj"),
            [d_patch, dims.d_model],
            true,
        )
        .await?;
        let table_shape = [dims.n_position_embeddings, dims.d_model];
        let pos_embed = source
            .param(
                &format!("{root}.pos_embed.weight"),
                table_shape,
                ParamKind::Table,
            )
            .await?;
        let mut blocks = Vec::with_capacity(dims.n_layers);
        for layer_idx in 0..dims.n_layers {
            blocks.push(Block::load(source, &format!("{root}.blocks.{layer_idx}"), dims).await?);
        }
        let merger = Merger::load(source, &format!("{root}.merger"), dims, false).await?;
        let mut deepstack_mergers = Vec::with_capacity(dims.deepstack_layers.len());
        for tap in 0..dims.deepstack_layers.len() {
            let name = format!("{root}.deepstack_merger_list.{tap}");
            deepstack_mergers.push(Merger::load(source, &name, dims, true).await?);
        }
        Ok(Self {
            patch_embed,
            pos_embed,
            blocks,
            merger,
            deepstack_mergers,
            dims: Dims(dims.clone()),
        })
    }

    /// Runs the tower over all images at once.
    ///
    /// # Shapes
    /// - `patches`: `[n_patches, d_patch]`, image after image, each in merge-block order
    /// - `grids`: time, rows and columns of patches an image
    /// - the result's tensors: `[n_patches / merge^2, d_out]`
    pub fn forward(&self, patches: Tensor<2>, grids: &[[u32; 3]], pass: Pass) -> VisualTokens {
        let device = patches.device();
        let lengths: Vec<usize> = frame_lengths(grids);
        let mut x = self.patch_embed.forward(patches, pass) + self.positions(grids, &device);
        let rotary = vision_rotary(&self.dims.0, grids).upload(1, &device);
        let mut deepstack = Vec::with_capacity(self.deepstack_mergers.len());
        for (layer_idx, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, &rotary, &lengths, pass);
            if let Some(tap) = self
                .dims
                .0
                .deepstack_layers
                .iter()
                .position(|&tapped| tapped == layer_idx)
            {
                deepstack.push(self.deepstack_mergers[tap].forward(x.clone(), pass));
            }
        }
        VisualTokens {
            tokens: self.merger.forward(x, pass),
            deepstack,
        }
    }

    /// Learned positions, interpolated to each image's grid: `[n_patches, d_model]`.
    fn positions(&self, grids: &[[u32; 3]], device: &Device) -> Tensor<2> {
        let taps = position_taps(&self.dims.0, grids);
        let table = self.pos_embed.val();
        let mut sum: Option<Tensor<2>> = None;
        for (rows, weights) in taps.rows.into_iter().zip(taps.weights) {
            let n_patches = rows.len();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [n_patches]), device);
            let weights = Tensor::<2>::from_data(TensorData::new(weights, [n_patches, 1]), device);
            let tap = table.clone().select(0, rows) * weights;
            sum = Some(match sum {
                Some(sum) => sum + tap,
                None => tap,
            });
        }
        sum.expect("there are four taps")
    }

    /// Whether the payment pass differs from the concept pass in this tower.
    pub fn has_adapter(&self) -> bool {
        let in_block = |b: &Block| {
            [&b.qkv, &b.proj, &b.fc1, &b.fc2]
                .iter()
                .any(|l| l.has_adapter())
        };
        let in_merger = |m: &Merger| m.fc1.has_adapter() || m.fc2.has_adapter();
        self.patch_embed.has_adapter()
            || self.blocks.iter().any(in_block)
            || in_merger(&self.merger)
            || self.deepstack_mergers.iter().any(in_merger)
    }
}

/// Patches of each frame: attention stays inside a frame.
fn frame_lengths(grids: &[[u32; 3]]) -> Vec<usize> {
    grids
        .iter()
        .flat_map(|&[t, h, w]| (0..t).map(move |_| (h * w) as usize))
        .collect()
}

impl Block {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &VisionDims,
    ) -> Result<Self, LoadError> {
        let (d_model, d_hidden) = (dims.d_model, dims.d_hidden);
        Ok(Self {
            norm1: load_layer_norm(source, &format!("{name}.norm1"), d_model, NORM_EPSILON).await?,
            norm2: load_layer_norm(source, &format!("{name}.norm2"), d_model, NORM_EPSILON).await?,
            qkv: Linear::load(
                source,
                &format!("{name}.attn.qkv"),
                [d_model, 3 * d_model],
                true,
            )
            .await?,
            proj: Linear::load(
                source,
                &format!("{name}.attn.proj"),
                [d_model, d_model],
                true,
            )
            .await?,
            fc1: Linear::load(
                source,
                &format!("{name}.mlp.linear_fc1"),
                [d_model, d_hidden],
                true,
            )
            .await?,
            fc2: Linear::load(
                source,
                &format!("{name}.mlp.linear_fc2"),
                [d_hidden, d_model],
                true,
            )
            .await?,
            n_heads: dims.n_heads,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[n_patches, d_model]`
    fn forward(&self, x: Tensor<2>, rotary: &Rotary, lengths: &[usize], pass: Pass) -> Tensor<2> {
        let x = x.clone() + self.attention(self.norm1.forward(x), rotary, lengths, pass);
        let hidden = gelu_tanh(self.fc1.forward(self.norm2.forward(x.clone()), pass));
        x + self.fc2.forward(hidden, pass)
    }

    fn attention(&self, x: Tensor<2>, rotary: &Rotary, lengths: &[usize], pass: Pass) -> Tensor<2> {
        let [n_patches, d_model] = x.dims();
        let head_dim = d_model / self.n_heads;
        let qkv = self
            .qkv
            .forward(x, pass)
            .reshape([n_patches, 3, self.n_heads, head_dim]);
        let part = |i: usize| {
            qkv.clone()
                .slice([0..n_patches, i..i + 1, 0..self.n_heads, 0..head_dim])
                .reshape([1, n_patches, self.n_heads, head_dim])
        };
        let (q, k, v) = (rotary.apply(part(0)), rotary.apply(part(1)), part(2));
        self.proj.forward(
            attend_within(q, k, v, lengths).reshape([n_patches, d_model]),
            pass,
        )
    }
}

/// Attention inside each of the consecutive runs of `lengths`; equal runs go as one batch.
///
/// # Shapes
/// - `q`, `k`, `v` and the result: `[1, rows, n_heads, head_dim]`
fn attend_within(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, lengths: &[usize]) -> Tensor<4> {
    let [_, n_rows, n_heads, head_dim] = q.dims();
    let first = lengths.first().copied().unwrap_or(n_rows);
    if lengths.iter().all(|&length| length == first) {
        let batched = |x: Tensor<4>| x.reshape([lengths.len(), first, n_heads, head_dim]);
        return attend(batched(q), batched(k), batched(v)).reshape([1, n_rows, n_heads, head_dim]);
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let cut = |x: &Tensor<4>| {
            x.clone()
                .slice([0..1, start..start + length, 0..n_heads, 0..head_dim])
        };
        parts.push(attend(cut(&q), cut(&k), cut(&v)));
        start += length;
    }
    Tensor::cat(parts, 1)
}

/// Full attention: `softmax(q k^T / sqrt(head_dim)) v`.
///
/// # Shapes
/// - `q`, `k`, `v` and the result: `[batch, rows, n_heads, head_dim]`
fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let [_, _, _, head_dim] = q.dims();
    let (q, k, v) = (q.swap_dims(1, 2), k.swap_dims(1, 2), v.swap_dims(1, 2));
    let scores = q.matmul(k.transpose()) * (head_dim as f64).powf(-0.5);
    softmax(scores, 3).matmul(v).swap_dims(1, 2)
}

impl Merger {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &VisionDims,
        norm_after_join: bool,
    ) -> Result<Self, LoadError> {
        let d_joined = dims.d_model * dims.spatial_merge_size * dims.spatial_merge_size;
        let d_norm = if norm_after_join {
            d_joined
        } else {
            dims.d_model
        };
        Ok(Self {
            norm: load_layer_norm(source, &format!("{name}.norm"), d_norm, NORM_EPSILON).await?,
            fc1: Linear::load(
                source,
                &format!("{name}.linear_fc1"),
                [d_joined, d_joined],
                true,
            )
            .await?,
            fc2: Linear::load(
                source,
                &format!("{name}.linear_fc2"),
                [d_joined, dims.d_out],
                true,
            )
            .await?,
            norm_after_join,
        })
    }

    /// # Shapes
    /// - `x`: `[n_patches, d_model]`
    /// - the result: `[n_patches / merge^2, d_out]`
    fn forward(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let [n_patches, d_model] = x.dims();
        let [d_norm] = self.norm.gamma.dims();
        let d_joined = self.fc1.d_in();
        let joined = [n_patches * d_model / d_joined, d_joined];
        debug_assert!(
            d_norm
                == if self.norm_after_join {
                    d_joined
                } else {
                    d_model
                }
        );
        let x = match self.norm_after_join {
            true => self.norm.forward(x.reshape(joined)),
            false => self.norm.forward(x).reshape(joined),
        };
        self.fc2.forward(gelu(self.fc1.forward(x, pass)), pass)
    }
}
