//! The backbone: both towers and how their rows meet.
//!
//! A sequence is made by picking rows out of one table, first the embedded text tokens, then the visual
//! tokens: the same gather serves one evaluation and a training batch.

use crate::error::LoadError;
use crate::linear::Pass;
use crate::positions::{causal_mask, text_rotary};
use crate::source::ParamSource;
use crate::text::Text;
use crate::vision::{Vision, VisualTokens};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use servimage_pack::manifest::{TextDims, VisionDims};

/// Both towers. Build with [`Network::load`].
#[derive(Module, Debug)]
pub struct Network {
    vision: Vision,
    text: Text,
    #[module(skip)]
    dims: Dims,
}

/// The manifest's dimensions of the text tower, kept beside the weights.
#[derive(Clone, Debug)]
struct Dims(TextDims);

/// Where each position of a batch of sequences takes its row from.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceLayout {
    /// Number of sequences.
    pub batch: usize,
    /// Positions of each, padding included.
    pub seq_len: usize,
    /// `[batch * seq_len]` rows of the table: text rows first, visual rows behind them.
    pub rows: Vec<i32>,
    /// `[batch * seq_len]`: 0 where a position is text, else 1 + the index of its visual row.
    pub visual_rows: Vec<i32>,
    /// `[batch * seq_len]` positions on the time, height and width axes.
    pub positions: Vec<[u32; 3]>,
    /// `[batch]` positions without the padding at the end.
    pub lengths: Vec<usize>,
}

impl SequenceLayout {
    /// Layout of a batch: `ids` with `image_token` at visual positions, all of one length, visual rows in reading order.
    ///
    /// `lengths` are the true lengths; what lies behind them is padding and takes the text row it stands for.
    pub fn new(
        ids: &[Vec<u32>],
        positions: &[Vec<[u32; 3]>],
        lengths: Vec<usize>,
        image_token: u32,
    ) -> Self {
        let n_text = ids
            .iter()
            .flatten()
            .filter(|&&id| id != image_token)
            .count() as i32;
        let (mut next_text, mut next_visual) = (0, 0);
        let (mut rows, mut visual_rows) = (Vec::new(), Vec::new());
        for &id in ids.iter().flatten() {
            if id == image_token {
                rows.push(n_text + next_visual);
                next_visual += 1;
                visual_rows.push(next_visual);
            } else {
                rows.push(next_text);
                next_text += 1;
                visual_rows.push(0);
            }
        }
        let seq_len = ids.first().map_or(0, Vec::len);
        Self {
            batch: ids.len(),
            seq_len,
            rows,
            visual_rows,
            positions: positions.concat(),
            lengths,
        }
    }
}

impl Network {
    /// Takes all tensors under `model.` but the token embedding.
    ///
    /// # Errors
    /// [`LoadError`] where dimensions contradict each other, or a tensor is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        text: &TextDims,
        vision: &VisionDims,
    ) -> Result<Self, LoadError> {
        check_dims(text, vision)?;
        Ok(Self {
            vision: Vision::load(source, vision).await?,
            text: Text::load(source, text).await?,
            dims: Dims(text.clone()),
        })
    }

    /// The vision tower alone.
    ///
    /// # Shapes
    /// - `patches`: `[n_patches, d_patch]`; see [`Vision::forward`]
    pub fn see(&self, patches: Tensor<2>, grids: &[[u32; 3]], pass: Pass) -> VisualTokens {
        self.vision.forward(patches, grids, pass)
    }

    /// The text tower over text and visual rows; the result is after the final norm.
    ///
    /// # Shapes
    /// - `text_rows`: `[n_text, d_model]`, embedded tokens in reading order without the image pads
    /// - `visual`: from [`Network::see`], in reading order
    /// - the result: `[batch, seq_len, d_model]`
    pub fn read(
        &self,
        text_rows: Tensor<2>,
        visual: &VisualTokens,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> Tensor<3> {
        let device = text_rows.device();
        let [_, d_model] = text_rows.dims();
        let (batch, seq_len) = (layout.batch, layout.seq_len);
        let sequence = |table: Tensor<2>, rows: &[i32]| {
            table
                .select(0, index(rows, &device))
                .reshape([batch, seq_len, d_model])
        };
        let x = sequence(
            Tensor::cat(vec![text_rows, visual.tokens.clone()], 0),
            &layout.rows,
        );
        let blank = Tensor::<2>::zeros([1, d_model], &device);
        let deepstack: Vec<_> = visual
            .deepstack
            .iter()
            .map(|features| {
                sequence(
                    Tensor::cat(vec![blank.clone(), features.clone()], 0),
                    &layout.visual_rows,
                )
            })
            .collect();
        let rotary = text_rotary(&self.dims.0, &layout.positions).upload(batch, &device);
        let mask = causal_mask(seq_len, &device);
        self.text.forward(x, &rotary, &mask, &deepstack, pass)
    }

    /// Whether the payment pass differs from the concept pass.
    pub fn has_adapter(&self) -> bool {
        self.vision.has_adapter() || self.text.has_adapter()
    }
}

fn index(rows: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(rows.to_vec(), [rows.len()]), device)
}

fn check_dims(text: &TextDims, vision: &VisionDims) -> Result<(), LoadError> {
    let side = vision.n_position_embeddings.isqrt();
    let merge = vision.spatial_merge_size;
    let rules = [
        (
            "text heads over KV heads",
            "a whole number",
            text.n_kv_heads > 0 && text.n_heads.is_multiple_of(text.n_kv_heads),
        ),
        (
            "text head_dim",
            "an even number above 0",
            text.head_dim > 0 && text.head_dim.is_multiple_of(2),
        ),
        (
            "mrope_section",
            "a sum of head_dim / 2",
            text.mrope_section.iter().sum::<usize>() == text.head_dim / 2,
        ),
        (
            "vision width over heads",
            "a multiple of 4",
            vision.n_heads > 0 && vision.d_model.is_multiple_of(4 * vision.n_heads),
        ),
        (
            "vision d_out",
            "the text width",
            vision.d_out == text.d_model,
        ),
        (
            "n_position_embeddings",
            "a square number above 0",
            side > 0 && side * side == vision.n_position_embeddings,
        ),
        ("spatial_merge_size", "above 0", merge > 0),
        (
            "deepstack layers",
            "ascending, below the depth, at most one a text layer",
            taps_fit(text, vision),
        ),
    ];
    match rules.into_iter().find(|(_, _, holds)| !holds) {
        None => Ok(()),
        Some((what, expected, _)) => Err(LoadError::Dims {
            what,
            expected: expected.to_owned(),
            found: format!("{text:?}, {vision:?}"),
        }),
    }
}

fn taps_fit(text: &TextDims, vision: &VisionDims) -> bool {
    let taps = &vision.deepstack_layers;
    taps.len() <= text.n_layers
        && taps.windows(2).all(|pair| pair[0] < pair[1])
        && taps.last().is_none_or(|&last| last < vision.n_layers)
}
