//! Floats become the bytes of a pack: a whole tensor, or some rows of one that never stands in memory.

use crate::error::PackError;
use crate::layout::{BLOCK, first_bad, impossible_shape};
use crate::manifest::Layout;
use crate::quantize::{Q4, Q8, Quantizer};
use half::f16;

/// Some rows of a tensor, encoded by [`encode_rows`]; a [`TensorWriter`](crate::TensorWriter) puts them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedRows {
    /// Words of the blocks, or the values of an unquantized layout.
    pub(crate) words: Vec<u8>,
    /// One f16 a block; empty for an unquantized layout.
    pub(crate) scales: Vec<u8>,
}

/// Encodes `values` of tensor `name`, row-major with shape `shape`, as `layout`; see [`encode_rows`] on quantized ones.
///
/// # Errors
/// [`PackError::NotFinite`] for NaN, infinity and values that f16 cannot hold, [`PackError::Shape`] where values and shape
/// disagree, [`PackError::WrongLayout`] for U32.
pub fn encode(
    name: &str,
    layout: Layout,
    values: &[f32],
    shape: &[usize],
) -> Result<Vec<u8>, PackError> {
    check_count(name, layout, values.len(), shape)?;
    let d_in = shape.last().copied().unwrap_or(1);
    let EncodedRows { mut words, scales } = encode_rows(name, layout, values, d_in, 0)?;
    let padding = padding_bytes(scales.len());
    words.extend(scales);
    words.resize(words.len() + padding, 0);
    Ok(words)
}

/// Encodes whole rows of `d_in` values; `first_row` is the first one's number in tensor `name`, for messages.
///
/// Rows know nothing of each other, so threads may share the work: the bytes are the same.
///
/// Quantized blocks take the scale with the least squared error that a search finds, never one worse than the plain rule
/// `max |x| / 7` (or 127); it may be negative, so that -8 (or -128) holds the largest magnitude. Mean squared error as a
/// share of the plain rule's, 20,000 blocks each
/// (`cargo test -p servimage-pack --test quantization -- --nocapture` prints these figures and holds them to 0.005):
///
/// | weights | q4 | q8 |
/// |---|---|---|
/// | Gaussian | 0.693 | 0.743 |
/// | Student's t, 4 degrees of freedom | 0.715 | 0.783 |
/// | uniform | 0.746 | 0.720 |
///
/// # Errors
/// [`PackError::NotFinite`] and [`PackError::WrongLayout`] as [`encode`]; [`PackError::Shape`] for a part of a row.
pub fn encode_rows(
    name: &str,
    layout: Layout,
    values: &[f32],
    d_in: usize,
    first_row: usize,
) -> Result<EncodedRows, PackError> {
    if d_in == 0 || !values.len().is_multiple_of(d_in) {
        return Err(PackError::Shape {
            tensor: name.to_owned(),
            expected: format!("whole rows of {d_in} values"),
            found: vec![values.len()],
        });
    }
    let not_finite = |place, index, found| PackError::NotFinite {
        tensor: name.to_owned(),
        place,
        index,
        layout,
        found,
    };
    if let Some((index, found)) = first_bad(values.iter().copied()) {
        return Err(not_finite("value", first_row * d_in + index, found));
    }
    let plain = |words| EncodedRows {
        words,
        scales: Vec::new(),
    };
    match layout {
        Layout::F32 => Ok(plain(values.iter().flat_map(|x| x.to_le_bytes()).collect())),
        Layout::F16 => halves(values)
            .map(plain)
            .map_err(|index| not_finite("value", first_row * d_in + index, values[index])),
        Layout::Q8 | Layout::Q4 => quantize(layout, values, d_in).map_err(|(block, scale)| {
            let block = first_row * d_in.div_ceil(BLOCK) + block;
            not_finite("scale of block", block, scale)
        }),
        Layout::U32 => Err(PackError::WrongLayout {
            tensor: name.to_owned(),
            expected: "a float layout",
            found: layout,
        }),
    }
}

/// Refuses a shape that cannot be, or that has another number of values than `found`.
pub(crate) fn check_count(
    name: &str,
    layout: Layout,
    found: usize,
    shape: &[usize],
) -> Result<(), PackError> {
    layout
        .size_bytes(shape)
        .ok_or_else(|| impossible_shape(name, shape))?;
    if shape.iter().product::<usize>() == found {
        return Ok(());
    }
    Err(PackError::Shape {
        tensor: name.to_owned(),
        expected: format!("{found} values"),
        found: shape.to_vec(),
    })
}

/// Zeros after `scale_bytes` of scales.
pub(crate) fn padding_bytes(scale_bytes: usize) -> usize {
    scale_bytes.next_multiple_of(4) - scale_bytes
}

/// Values as f16; on failure the index of the first that it cannot hold.
fn halves(values: &[f32]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(values.len() * 2);
    for (index, value) in values.iter().enumerate() {
        let half = f16::from_f32(*value);
        if !half.is_finite() {
            return Err(index);
        }
        bytes.extend(half.to_le_bytes());
    }
    Ok(bytes)
}

/// Quantizes rows of `d_in` values; on failure the block and the scale that f16 cannot hold.
fn quantize(layout: Layout, values: &[f32], d_in: usize) -> Result<EncodedRows, (usize, f32)> {
    let quantizer: Quantizer = if layout == Layout::Q8 { Q8 } else { Q4 };
    let n_blocks = values.len() / d_in * d_in.div_ceil(BLOCK);
    let mut encoded = EncodedRows {
        words: Vec::with_capacity(n_blocks * layout.block_bytes()),
        scales: Vec::with_capacity(n_blocks * 2),
    };
    let blocks = values.chunks(d_in).flat_map(|row| row.chunks(BLOCK));
    for (index, values) in blocks.enumerate() {
        let mut block = [0.0; BLOCK];
        block[..values.len()].copy_from_slice(values);
        let found = quantizer.quantize(&block).map_err(|scale| (index, scale))?;
        encoded.scales.extend(found.scale.to_le_bytes());
        if layout == Layout::Q8 {
            encoded.words.extend(found.quants.map(i8::cast_unsigned));
        } else {
            let pairs = found.quants.as_chunks().0.iter();
            encoded
                .words
                .extend(pairs.map(|[low, high]| nibble(*low) | nibble(*high) << 4));
        }
    }
    Ok(encoded)
}

fn nibble(quant: i8) -> u8 {
    (quant + 8).cast_unsigned()
}
