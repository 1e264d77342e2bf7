//! Vision tower: rows of patches to visual tokens, with deepstack taps.
//!
//! All images of an evaluation go through the linear layers together; attention stays inside each image.
//! Source: `Qwen3VLVisionModel` of `transformers`.

use crate::between::{Between, pause};
use crate::error::{LoadError, RunError};
use crate::linear::{Linear, Pass};
use crate::norm::LayerNorm;
use crate::positions::{Rotary, position_taps, vision_rotary};
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use servimage_kernels::{Activation, AttentionShape, Heads, Segment, Segments, Storage};
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

/// What images take with them through the tower.
struct Walk {
    rotary: Rotary,
    frames: Segments,
    deepstack: Vec<Tensor<2>>,
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
        .await?
        .reading(Storage::F32)
        .writing(Storage::F32);
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
        let (mut x, mut walk) = self.start(patches, grids, pass);
        for layer_idx in 0..self.blocks.len() {
            x = self.block(layer_idx, x, &mut walk, pass);
        }
        self.end(x, walk, pass)
    }

    /// [`Vision::forward`] with a stop behind each layer.
    ///
    /// # Errors
    /// [`RunError::Stopped`] where `between` does not go on.
    pub async fn forward_between(
        &self,
        patches: Tensor<2>,
        grids: &[[u32; 3]],
        pass: Pass,
        between: &impl Between,
    ) -> Result<VisualTokens, RunError> {
        let (mut x, mut walk) = self.start(patches, grids, pass);
        for layer_idx in 0..self.blocks.len() {
            x = self.block(layer_idx, x, &mut walk, pass);
            pause(between, &x).await?;
        }
        Ok(self.end(x, walk, pass))
    }

    fn start(&self, patches: Tensor<2>, grids: &[[u32; 3]], pass: Pass) -> (Tensor<2>, Walk) {
        let device = patches.device();
        let positions = Some(self.positions(grids));
        let walk = Walk {
            rotary: vision_rotary(&self.dims.0, grids).upload(&device),
            frames: Segments::new(frames(grids), &device),
            deepstack: Vec::with_capacity(self.deepstack_mergers.len()),
        };
        let embed = &self.patch_embed;
        let x = embed.forward_into(patches, pass, positions, Activation::None);
        (x, walk)
    }

    fn block(&self, layer_idx: usize, x: Tensor<2>, walk: &mut Walk, pass: Pass) -> Tensor<2> {
        let x = self.blocks[layer_idx].forward(x, &walk.rotary, &walk.frames, pass);
        let mut taps = self.dims.0.deepstack_layers.iter();
        if let Some(tap) = taps.position(|&tapped| tapped == layer_idx) {
            let features = self.deepstack_mergers[tap].forward(x.clone(), pass);
            walk.deepstack.push(features);
        }
        x
    }

    fn end(&self, x: Tensor<2>, walk: Walk, pass: Pass) -> VisualTokens {
        VisualTokens {
            tokens: self.merger.forward(x, pass),
            deepstack: walk.deepstack,
        }
    }

    /// Learned positions, interpolated to each image's grid: `[n_patches, d_model]`.
    fn positions(&self, grids: &[[u32; 3]]) -> Tensor<2> {
        let taps = position_taps(&self.dims.0, grids);
        let (rows, weights) = (taps.rows.concat(), taps.weights.concat());
        servimage_kernels::gather(&self.pos_embed.val(), &rows, &weights, taps.rows.len())
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

/// Rows of each frame: attention stays inside a frame.
fn frames(grids: &[[u32; 3]]) -> Vec<Segment> {
    let lengths = grids
        .iter()
        .flat_map(|&[t, h, w]| (0..t).map(move |_| (h * w) as usize));
    let mut start = 0;
    lengths
        .map(|len| {
            let segment = Segment { start, len };
            start += len;
            segment
        })
        .collect()
}

impl Block {
    async fn load(
        source: &mut impl ParamSource,
        name: &str,
        dims: &VisionDims,
    ) -> Result<Self, LoadError> {
        let (d_model, d_hidden) = (dims.d_model, dims.d_hidden);
        let hidden = source.storage().hidden();
        Ok(Self {
            norm1: LayerNorm::load(source, &format!("{name}.norm1"), d_model, NORM_EPSILON).await?,
            norm2: LayerNorm::load(source, &format!("{name}.norm2"), d_model, NORM_EPSILON).await?,
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
            .await?
            .writing(Storage::F32),
            fc1: Linear::load(
                source,
                &format!("{name}.mlp.linear_fc1"),
                [d_model, d_hidden],
                true,
            )
            .await?
            .writing(hidden),
            fc2: Linear::load(
                source,
                &format!("{name}.mlp.linear_fc2"),
                [d_hidden, d_model],
                true,
            )
            .await?
            .reading(hidden)
            .writing(Storage::F32),
            n_heads: dims.n_heads,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[n_patches, d_model]`
    fn forward(&self, x: Tensor<2>, rotary: &Rotary, frames: &Segments, pass: Pass) -> Tensor<2> {
        let mixed = self.attention(self.norm1.forward(x.clone()), rotary, frames, pass);
        let x = self
            .proj
            .forward_into(mixed, pass, Some(x), Activation::None);
        let hidden = self.norm2.forward(x.clone());
        let hidden = self
            .fc1
            .forward_into(hidden, pass, None, Activation::GeluTanh);
        self.fc2
            .forward_into(hidden, pass, Some(x), Activation::None)
    }

    fn attention(&self, x: Tensor<2>, rotary: &Rotary, frames: &Segments, pass: Pass) -> Tensor<2> {
        let [_, d_model] = x.dims();
        let shape = AttentionShape {
            n_heads: self.n_heads,
            n_kv_heads: self.n_heads,
            head_dim: d_model / self.n_heads,
            causal: false,
        };
        // Queries and keys lie next to each other.
        let turned = Heads {
            first: 0,
            count: 2 * self.n_heads,
        };
        let qkv = rotary.apply(self.qkv.forward(x, pass), turned, None);
        servimage_kernels::attention(qkv, None, frames, shape)
    }
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
        let hidden = source.storage().hidden();
        Ok(Self {
            norm: LayerNorm::load(source, &format!("{name}.norm"), d_norm, NORM_EPSILON).await?,
            fc1: Linear::load(
                source,
                &format!("{name}.linear_fc1"),
                [d_joined, d_joined],
                true,
            )
            .await?
            .writing(hidden),
            fc2: Linear::load(
                source,
                &format!("{name}.linear_fc2"),
                [d_joined, dims.d_out],
                true,
            )
            .await?
            .reading(hidden)
            .writing(Storage::F32),
            norm_after_join,
        })
    }

    /// # Shapes
    /// - `x`: `[n_patches, d_model]`
    /// - the result: `[n_patches / merge^2, d_out]`
    fn forward(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let [n_patches, d_model] = x.dims();
        let d_joined = self.fc1.d_in();
        let joined = [n_patches * d_model / d_joined, d_joined];
        let x = match self.norm_after_join {
            true => self.norm.forward(x.reshape(joined)),
            false => self.norm.forward(x).reshape(joined),
        };
        let hidden = self.fc1.forward_into(x, pass, None, Activation::Gelu);
        self.fc2.forward(hidden, pass)
    }
}
