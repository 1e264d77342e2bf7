//! The backbone: both towers and how their rows meet.
//!
//! Embedded text tokens are gathered to their rows and visual tokens added to theirs: the same two steps serve a prefix, one
//! evaluation, a batch of them and a training batch.

use crate::between::Between;
use crate::error::{LoadError, RunError};
use crate::linear::Pass;
use crate::positions::{Rotary, text_rotary};
use crate::source::ParamSource;
use crate::text::{Text, TextRows};
use crate::vision::{Vision, VisualTokens};
use burn::module::Module;
use burn::tensor::Tensor;
use servimage_kernels::{MAX_HEAD_DIM, Segment, Segments};
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

/// Where each row of some sequences comes from. Sequences lie one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SequenceLayout {
    /// `[rows]`: embedded text token of each row, counted in reading order; 0 where a row is visual.
    pub text: Vec<u32>,
    /// `[rows]`: 1 where a row is text, else 0.
    pub is_text: Vec<f32>,
    /// `[visual rows]`: the rows that visual tokens take, in reading order.
    pub visual: Vec<u32>,
    /// `[rows]` positions on the time, height and width axes.
    pub positions: Vec<[u32; 3]>,
    /// Rows of each sequence.
    pub segments: Vec<Segment>,
}

impl SequenceLayout {
    /// Appends a sequence: `ids` with `image_token` at visual positions.
    pub fn push(&mut self, ids: &[u32], positions: &[[u32; 3]], image_token: u32) {
        let start = self.text.len();
        let mut next_text = self.n_text() as u32;
        for (i, &id) in ids.iter().enumerate() {
            if id == image_token {
                self.visual.push((start + i) as u32);
                self.text.push(0);
                self.is_text.push(0.0);
            } else {
                self.text.push(next_text);
                self.is_text.push(1.0);
                next_text += 1;
            }
        }
        self.positions.extend_from_slice(positions);
        self.segments.push(Segment {
            start,
            len: ids.len(),
        });
    }

    /// Number of text rows.
    fn n_text(&self) -> usize {
        self.text.len() - self.visual.len()
    }
}

/// Keys and values of a prefix, one `[prefix rows, 2 * n_kv_heads * head_dim]` a layer.
pub type PrefixKeys = Vec<Tensor<2>>;

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
    /// - `visual`: from [`Network::see`], in reading order; absent where the layout has no visual rows
    /// - `prefix`: what every sequence sees before itself; empty without one
    /// - the result: `[rows, d_model]`
    pub fn read(
        &self,
        text_rows: &Tensor<2>,
        visual: Option<&VisualTokens>,
        layout: &SequenceLayout,
        prefix: &[Tensor<2>],
        pass: Pass,
    ) -> Tensor<2> {
        self.run_text(text_rows, visual, layout, prefix, pass, None)
    }

    /// [`Network::see`] with a stop behind each layer.
    ///
    /// # Errors
    /// [`RunError::Stopped`] where `between` does not go on.
    pub async fn see_between(
        &self,
        patches: Tensor<2>,
        grids: &[[u32; 3]],
        pass: Pass,
        between: &impl Between,
    ) -> Result<VisualTokens, RunError> {
        self.vision
            .forward_between(patches, grids, pass, between)
            .await
    }

    /// [`Network::read`] with a stop behind each layer.
    ///
    /// # Errors
    /// [`RunError::Stopped`] where `between` does not go on.
    pub async fn read_between(
        &self,
        text_rows: &Tensor<2>,
        visual: &VisualTokens,
        layout: &SequenceLayout,
        prefix: &[Tensor<2>],
        pass: Pass,
        between: &impl Between,
    ) -> Result<Tensor<2>, RunError> {
        let Rows {
            x,
            rotary,
            segments,
        } = self.rows(text_rows, Some(visual), layout);
        let rows = text_rows_of(&segments, layout, prefix, Some(visual));
        self.text
            .forward_between(x, &rotary, rows, pass, between)
            .await
    }

    /// [`Network::read`] of a prefix: also gives what later sequences see of it.
    pub fn read_prefix(
        &self,
        text_rows: &Tensor<2>,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> (Tensor<2>, PrefixKeys) {
        let mut keys = PrefixKeys::new();
        let hidden = self.run_text(text_rows, None, layout, &[], pass, Some(&mut keys));
        (hidden, keys)
    }

    fn run_text(
        &self,
        text_rows: &Tensor<2>,
        visual: Option<&VisualTokens>,
        layout: &SequenceLayout,
        prefix: &[Tensor<2>],
        pass: Pass,
        keep: Option<&mut PrefixKeys>,
    ) -> Tensor<2> {
        let Rows {
            x,
            rotary,
            segments,
        } = self.rows(text_rows, visual, layout);
        let rows = text_rows_of(&segments, layout, prefix, visual);
        self.text.forward(x, &rotary, rows, pass, keep)
    }

    fn rows(
        &self,
        text_rows: &Tensor<2>,
        visual: Option<&VisualTokens>,
        layout: &SequenceLayout,
    ) -> Rows {
        let device = text_rows.device();
        let x = servimage_kernels::gather(text_rows, &layout.text, &layout.is_text, 1);
        Rows {
            x: match visual {
                Some(visual) => servimage_kernels::add_rows(x, &layout.visual, &visual.tokens),
                None => x,
            },
            rotary: text_rotary(&self.dims.0, &layout.positions).upload(&device),
            segments: Segments::new(layout.segments.clone(), &device),
        }
    }

    /// Whether the payment pass differs from the concept pass.
    pub fn has_adapter(&self) -> bool {
        self.vision.has_adapter() || self.text.has_adapter()
    }
}

/// What the text tower starts from.
struct Rows {
    /// `[rows, d_model]`
    x: Tensor<2>,
    rotary: Rotary,
    segments: Segments,
}

fn text_rows_of<'a>(
    segments: &'a Segments,
    layout: &'a SequenceLayout,
    prefix: &'a [Tensor<2>],
    visual: Option<&'a VisualTokens>,
) -> TextRows<'a> {
    TextRows {
        segments,
        prefix,
        visual: &layout.visual,
        deepstack: visual.map_or(&[], |visual| &visual.deepstack),
    }
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
            "a multiple of 4 from 4 to 192",
            (4..=MAX_HEAD_DIM).contains(&text.head_dim) && text.head_dim.is_multiple_of(4),
        ),
        (
            "mrope_section",
            "a sum of head_dim / 2",
            text.mrope_section.iter().sum::<usize>() == text.head_dim / 2,
        ),
        (
            "vision width over heads",
            "a multiple of 4, up to 192",
            vision.n_heads > 0
                && vision.d_model.is_multiple_of(4 * vision.n_heads)
                && vision.d_model <= MAX_HEAD_DIM * vision.n_heads,
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
