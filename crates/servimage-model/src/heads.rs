//! The heads of the ServImage research code: attention pooling, concepts (stage 1), payment (stage 2).
//!
//! Pooling runs beside the network; the small matrices behind it run on the CPU backend, because a matmul
//! with one row breaks in browsers and one readback of the pooled vector is all that has to leave the GPU.
//! Source: `CBMQualityDecoder` and `SingleTaskQualityDecoder`; widths come from the pack's shapes.

use crate::error::LoadError;
use crate::linear::{Linear, Pass};
use crate::norm::LayerNorm;
#[cfg(not(target_family = "wasm"))]
use crate::positions::length_mask;
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
#[cfg(not(target_family = "wasm"))]
use burn::tensor::activation::softmax;
use servimage_kernels::Activation;

/// Epsilon of PyTorch's `LayerNorm` by default.
const NORM_EPSILON: f64 = 1e-5;

/// Factor on the payment logits in the research code.
pub const PAY_LOGIT_SCALE: f64 = 100.0;

/// Number of classes of a concept: scores 1 to 5 and N/A.
pub const N_CLASSES: usize = 6;

/// Concepts in the order of [`ConceptHead::forward`]'s result, with the group that encodes each.
pub const CONCEPT_HEADS: [(&str, usize); 7] = [
    ("brf", 0),
    ("veq_clarity", 1),
    ("veq_realism", 1),
    ("veq_aesthetic", 1),
    ("veq_text", 1),
    ("cns_edit", 2),
    ("cns_set", 2),
];

/// Groups of concepts.
pub const GROUPS: [&str; 3] = ["brf", "veq", "cns"];

/// Learned query over the whole sequence: `softmax(q . h_i / sqrt(d))`-weighted sum of the `h_i`.
#[derive(Module, Debug)]
pub struct AttentionPooling {
    /// `[d_model]`
    query: Param<Tensor<1>>,
}

/// What the pooling of a batch gives.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Debug)]
pub struct PooledBatch {
    /// `[batch, d_model]`
    pub vector: Tensor<2>,
    /// `[batch, seq_len]`, each row sums to 1.
    pub weights: Tensor<2>,
}

impl AttentionPooling {
    /// Takes `PREFIX.attention_pooling.attention_query`.
    ///
    /// # Errors
    /// [`LoadError`] where it is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        prefix: &str,
        d_model: usize,
    ) -> Result<Self, LoadError> {
        let name = format!("{prefix}.attention_pooling.attention_query");
        Ok(Self {
            query: source.param(&name, [d_model], ParamKind::Table).await?,
        })
    }

    /// The query, `[d_model]`.
    pub fn query(&self) -> Tensor<1> {
        self.query.val()
    }

    /// Pools the first `lengths[i]` positions of each sequence, for training.
    ///
    /// # Shapes
    /// - `hidden`: `[batch, seq_len, d_model]`
    #[cfg(not(target_family = "wasm"))]
    pub fn forward(&self, hidden: Tensor<3>, lengths: &[usize]) -> PooledBatch {
        let [batch, seq_len, d_model] = hidden.dims();
        let scores = (hidden.clone() * self.query.val().reshape([1, 1, d_model]))
            .sum_dim(2)
            .reshape([batch, seq_len]);
        let scores =
            scores * (d_model as f64).powf(-0.5) + length_mask(lengths, seq_len, &hidden.device());
        let weights = softmax(scores, 1);
        let vector = (hidden * weights.clone().reshape([batch, seq_len, 1]))
            .sum_dim(1)
            .reshape([batch, d_model]);
        PooledBatch { vector, weights }
    }
}

/// Widths of the concept head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConceptWidths {
    /// Width of the pooled vector.
    pub d_model: usize,
    /// First shared layer (2048 in the research code).
    pub d_shared1: usize,
    /// Second shared layer (1024).
    pub d_shared2: usize,
    /// Each group's encoder (512).
    pub d_group: usize,
}

/// Linear, LayerNorm, GELU.
#[derive(Module, Debug)]
struct EncoderBlock {
    linear: Linear,
    norm: LayerNorm,
}

impl EncoderBlock {
    async fn load(
        source: &mut impl ParamSource,
        linear: &str,
        norm: &str,
        dims: [usize; 2],
    ) -> Result<Self, LoadError> {
        Ok(Self {
            linear: Linear::load(source, linear, dims, true).await?,
            norm: LayerNorm::load(source, norm, dims[1], NORM_EPSILON).await?,
        })
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.norm.forward(self.linear.forward(x, Pass::Concepts));
        servimage_kernels::gelu(x)
    }
}

/// Stage 1: pooled vector to seven concepts of six classes.
#[derive(Module, Debug)]
pub struct ConceptHead {
    shared: Vec<EncoderBlock>,
    groups: Vec<EncoderBlock>,
    classifiers: Vec<Linear>,
}

impl ConceptHead {
    /// Takes the tensors under `stage1.` but the pooling query.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        widths: ConceptWidths,
    ) -> Result<Self, LoadError> {
        let ConceptWidths {
            d_model,
            d_shared1,
            d_shared2,
            d_group,
        } = widths;
        let shared = |i: usize| format!("stage1.shared_encoder.{i}");
        let shared = vec![
            EncoderBlock::load(source, &shared(0), &shared(1), [d_model, d_shared1]).await?,
            EncoderBlock::load(source, &shared(4), &shared(5), [d_shared1, d_shared2]).await?,
        ];
        let mut groups = Vec::with_capacity(GROUPS.len());
        for group in GROUPS {
            let name = |i: usize| format!("stage1.{group}_concept_encoder.{i}");
            groups
                .push(EncoderBlock::load(source, &name(0), &name(1), [d_shared2, d_group]).await?);
        }
        let mut classifiers = Vec::with_capacity(CONCEPT_HEADS.len());
        for (concept, _) in CONCEPT_HEADS {
            classifiers.push(
                Linear::load(
                    source,
                    &format!("stage1.{concept}_head"),
                    [d_group, N_CLASSES],
                    true,
                )
                .await?,
            );
        }
        Ok(Self {
            shared,
            groups,
            classifiers,
        })
    }

    /// Logits of the classes 1, 2, 3, 4, 5 and N/A.
    ///
    /// # Shapes
    /// - `pooled`: `[batch, d_model]`
    /// - the result: one `[batch, 6]` a concept, in the order of [`CONCEPT_HEADS`]
    pub fn forward(&self, pooled: Tensor<2>) -> Vec<Tensor<2>> {
        let shared = self.shared.iter().fold(pooled, |x, block| block.forward(x));
        let encoded: Vec<_> = self
            .groups
            .iter()
            .map(|group| group.forward(shared.clone()))
            .collect();
        CONCEPT_HEADS
            .iter()
            .zip(&self.classifiers)
            .map(|((_, group), classifier)| {
                classifier.forward(encoded[*group].clone(), Pass::Concepts)
            })
            .collect()
    }
}

/// Stage 2: pooled vector to the logits of reject and accept.
#[derive(Module, Debug)]
pub struct PaymentHead {
    layers: Vec<Linear>,
}

impl PaymentHead {
    /// Takes `stage2.fc1` to `stage2.fc5`; `widths` are `d_model`, the four hidden widths (1024, 256, 64, 16 in the research code) and 2.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        widths: [usize; 6],
    ) -> Result<Self, LoadError> {
        let mut layers = Vec::with_capacity(5);
        for (i, dims) in widths.windows(2).enumerate() {
            layers.push(
                Linear::load(
                    source,
                    &format!("stage2.fc{}", i + 1),
                    [dims[0], dims[1]],
                    true,
                )
                .await?,
            );
        }
        Ok(Self { layers })
    }

    /// Logits of reject and accept, before their factor [`PAY_LOGIT_SCALE`].
    ///
    /// # Shapes
    /// - `pooled`: `[batch, d_model]`
    /// - the result: `[batch, 2]`
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        self.layers
            .iter()
            .enumerate()
            .fold(pooled, |x, (i, layer)| {
                let activation = if i < last {
                    Activation::Relu
                } else {
                    Activation::None
                };
                layer.forward_into(x, Pass::Concepts, None, activation)
            })
    }
}
