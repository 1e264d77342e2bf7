//! How values become bytes and back, for every [`Layout`]; the CPU truth that kernels are held against.
//!
//! Quantized rows are cut into blocks of 32 along the last dimension; a row that ends inside a block is
//! filled with zeros, so `[2, 48]` has 4 blocks. With scale `s` of a block, `x = s * q`, `q` in -128..=127
//! (`Q8`, two's complement) or -8..=7 (`Q4`, stored as `q + 8`); `s` may be negative. First come the words of all
//! blocks, then one f16 scale a block, then zeros up to a multiple of 4 bytes.

use crate::error::PackError;
use crate::manifest::Layout;
use half::f16;
use std::ops::Range;

pub use crate::encode::{EncodedRows, encode, encode_rows};

/// Values of one block of a quantized row.
pub const BLOCK: usize = 32;

/// Most dimensions of a tensor.
pub const MAX_RANK: usize = 8;

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Layout {
    type Err = String;

    /// Reads the names of [`Layout::as_str`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::F32, Self::F16, Self::U32, Self::Q8, Self::Q4]
            .into_iter()
            .find(|layout| layout.as_str() == text)
            .ok_or_else(|| format!("expected f32, f16, u32, q8 or q4, found `{text}`"))
    }
}

impl Layout {
    /// Name as in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U32 => "u32",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
        }
    }

    /// Bytes that a tensor of this shape takes; `None` where that is no number of bytes that 2^48 could hold,
    /// or the shape is empty, has a zero or more than [`MAX_RANK`] dimensions.
    pub fn size_bytes(self, shape: &[usize]) -> Option<u64> {
        if shape.is_empty() || shape.len() > MAX_RANK || shape.contains(&0) {
            return None;
        }
        let (last, rows) = shape.split_last()?;
        let product = |start: u64, dims: &[usize]| {
            dims.iter()
                .try_fold(start, |n, &dim| n.checked_mul(u64::try_from(dim).ok()?))
        };
        let bytes = match self {
            Self::F32 | Self::U32 => product(4, shape)?,
            Self::F16 => product(2, shape)?,
            Self::Q8 | Self::Q4 => {
                let n_blocks = product(u64::try_from(last.div_ceil(BLOCK)).ok()?, rows)?;
                let words = n_blocks.checked_mul(self.block_bytes() as u64)?;
                words.checked_add(n_blocks.checked_mul(2)?.checked_next_multiple_of(4)?)?
            }
        };
        (bytes < 1 << 48).then_some(bytes)
    }

    /// Bytes of one block's words; 0 for layouts without blocks.
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Q8 => BLOCK,
            Self::Q4 => BLOCK / 2,
            Self::F32 | Self::F16 | Self::U32 => 0,
        }
    }
}

/// A tensor as it lies in the pack: what is read is what is uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorBytes {
    /// Name in the pack.
    pub name: String,
    /// Shape; linear weights are `[d_out, d_in]`.
    pub shape: Vec<usize>,
    /// How the values lie.
    pub layout: Layout,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl TensorBytes {
    /// All values as f32, row-major.
    ///
    /// # Errors
    /// [`PackError::WrongLayout`] for U32, [`PackError::Length`] where bytes and shape disagree.
    pub fn to_f32(&self) -> Result<Vec<f32>, PackError> {
        let n_rows = self.shape.iter().rev().skip(1).product();
        self.rows_to_f32(0..n_rows)
    }

    /// Rows `rows` of the tensor seen as `[product of the leading dimensions, last dimension]`, as f32.
    ///
    /// # Errors
    /// As [`TensorBytes::to_f32`]; [`PackError::Shape`] where the rows lie outside.
    pub fn rows_to_f32(&self, rows: Range<usize>) -> Result<Vec<f32>, PackError> {
        if self.layout == Layout::U32 {
            return Err(self.wrong_layout("float values"));
        }
        self.check_length()?;
        let n_rows: usize = self.shape.iter().rev().skip(1).product();
        if rows.start > rows.end || rows.end > n_rows {
            let expected = format!("at least {} rows (rows {rows:?} were asked for)", rows.end);
            return Err(PackError::Shape {
                tensor: self.name.clone(),
                expected,
                found: self.shape.clone(),
            });
        }
        Ok(decode_rows(self.layout, &self.bytes, &self.shape, rows))
    }

    /// All values of a U32 tensor.
    ///
    /// # Errors
    /// [`PackError::WrongLayout`] for any other layout, [`PackError::Length`] where bytes and shape disagree.
    pub fn to_u32(&self) -> Result<Vec<u32>, PackError> {
        if self.layout != Layout::U32 {
            return Err(self.wrong_layout("layout u32"));
        }
        self.check_length()?;
        Ok(self
            .bytes
            .as_chunks()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .collect())
    }

    /// Refuses NaN and infinity among values and scales; word bytes cannot hold any.
    ///
    /// # Errors
    /// [`PackError::NotFinite`] with the first offender, [`PackError::Length`] where bytes and shape disagree.
    pub fn check_finite(&self) -> Result<(), PackError> {
        self.check_length()?;
        let bad = match self.layout {
            Layout::U32 => None,
            Layout::F32 => first_bad(f32_values(&self.bytes)),
            Layout::F16 => first_bad(f16_values(&self.bytes)),
            Layout::Q8 | Layout::Q4 => {
                let n_blocks = n_blocks(&self.shape);
                let scales = &self.bytes[n_blocks * self.layout.block_bytes()..][..n_blocks * 2];
                first_bad(f16_values(scales))
            }
        };
        let place = if self.layout.block_bytes() == 0 {
            "value"
        } else {
            "scale of block"
        };
        bad.map_or(Ok(()), |(index, found)| {
            Err(PackError::NotFinite {
                tensor: self.name.clone(),
                place,
                index,
                layout: self.layout,
                found,
            })
        })
    }

    fn check_length(&self) -> Result<(), PackError> {
        let expected = self
            .layout
            .size_bytes(&self.shape)
            .ok_or_else(|| impossible_shape(&self.name, &self.shape))?;
        let found = self.bytes.len() as u64;
        if expected == found {
            return Ok(());
        }
        let (tensor, shape, layout) = (self.name.clone(), self.shape.clone(), self.layout);
        Err(PackError::Length {
            tensor,
            shape,
            layout,
            expected,
            found,
        })
    }

    fn wrong_layout(&self, expected: &'static str) -> PackError {
        PackError::WrongLayout {
            tensor: self.name.clone(),
            expected,
            found: self.layout,
        }
    }
}

/// The error of a shape that no tensor can have.
pub(crate) fn impossible_shape(tensor: &str, shape: &[usize]) -> PackError {
    let expected = format!("1 to {MAX_RANK} dimensions, none of them 0, under 2^48 bytes");
    PackError::Shape {
        tensor: tensor.to_owned(),
        expected,
        found: shape.iter().copied().take(2 * MAX_RANK).collect(),
    }
}

/// Decodes rows `rows` of a float tensor seen as `[rows, last dimension]`.
///
/// # Panics
/// Where `bytes` is not `layout.size_bytes(shape)` long or `rows` lie outside; [`TensorBytes::rows_to_f32`] checks both.
pub fn decode_rows(layout: Layout, bytes: &[u8], shape: &[usize], rows: Range<usize>) -> Vec<f32> {
    let d_in = shape.last().copied().unwrap_or(1);
    let values = rows.start * d_in..rows.end * d_in;
    match layout {
        Layout::F32 | Layout::U32 => f32_values(&bytes[values.start * 4..values.end * 4]).collect(),
        Layout::F16 => f16_values(&bytes[values.start * 2..values.end * 2]).collect(),
        Layout::Q8 | Layout::Q4 => dequantize(layout, bytes, shape, rows),
    }
}

/// What `values` of tensor `name` are once they have lain in a pack as `layout`: [`encode`] and back.
///
/// # Errors
/// As [`encode`].
pub fn rounded(
    name: &str,
    layout: Layout,
    values: &[f32],
    shape: &[usize],
) -> Result<Vec<f32>, PackError> {
    let bytes = encode(name, layout, values, shape)?;
    let n_rows = shape.iter().rev().skip(1).product();
    Ok(decode_rows(layout, &bytes, shape, 0..n_rows))
}

fn dequantize(layout: Layout, bytes: &[u8], shape: &[usize], rows: Range<usize>) -> Vec<f32> {
    let d_in = shape.last().copied().unwrap_or(1);
    let blocks_per_row = d_in.div_ceil(BLOCK);
    let (words, scales) = bytes.split_at(n_blocks(shape) * layout.block_bytes());
    let mut values = Vec::with_capacity(rows.len() * d_in);
    for row in rows {
        for block in 0..blocks_per_row {
            let index = row * blocks_per_row + block;
            let scale = f16::from_le_bytes([scales[index * 2], scales[index * 2 + 1]]).to_f32();
            let words = &words[index * layout.block_bytes()..][..layout.block_bytes()];
            let n = BLOCK.min(d_in - block * BLOCK);
            match layout {
                Layout::Q8 => values.extend(
                    words
                        .iter()
                        .take(n)
                        .map(|&byte| scale * f32::from(byte.cast_signed())),
                ),
                _ => {
                    let nibbles = words.iter().flat_map(|byte| [byte & 15, byte >> 4]);
                    values.extend(
                        nibbles
                            .take(n)
                            .map(|nibble| scale * (f32::from(nibble) - 8.0)),
                    );
                }
            }
        }
    }
    values
}

fn n_blocks(shape: &[usize]) -> usize {
    let d_in = shape.last().copied().unwrap_or(1);
    shape.iter().rev().skip(1).product::<usize>() * d_in.div_ceil(BLOCK)
}

fn f32_values(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|value| f32::from_le_bytes(*value))
}

fn f16_values(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|value| f16::from_le_bytes(*value).to_f32())
}

pub(crate) fn first_bad(values: impl Iterator<Item = f32>) -> Option<(usize, f32)> {
    values.enumerate().find(|(_, value)| !value.is_finite())
}
