//! A weight on a device, as it lies in the pack.

use crate::backend::{Held, hold_words};
use crate::cpu::{Panels, WeightView};
use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_flex::FlexTensor;
use servimage_pack::layout::BLOCK;
use servimage_pack::{Layout, PackError, TensorBytes};
use std::sync::Arc;

/// Most values of a weight that is also kept unpacked on the CPU: 1 MiB as f32. With few rows unpacking anew costs a sixth of a
/// product; large weights have many rows to share it, and unpacked they would be what a quantized pack avoids.
const MAX_KEPT_VALUES: usize = 1 << 18;

/// Weight `[d_out, d_in]` of a linear layer in a pack's layout: the words of all rows, then for q8 and q4 one f16 scale a block.
#[derive(Clone, Debug)]
pub struct PackedWeight {
    /// `[words]`: the bytes as little-endian words.
    pub(crate) words: Tensor<1, Int>,
    pub(crate) layout: Layout,
    pub(crate) d_out: usize,
    pub(crate) d_in: usize,
    /// On the CPU, of a small weight: the values as products read them.
    panels: Option<Arc<Panels>>,
}

impl PackedWeight {
    /// Uploads `parts`, weights of one layout and one `d_in`, as one weight with their rows below each other.
    ///
    /// # Errors
    /// [`PackError::Shape`] and [`PackError::WrongLayout`] where a part is no matrix, or does not fit the first;
    /// [`UploadError::TooLarge`] where the device cannot bind that much at once.
    pub fn upload(parts: &[TensorBytes], device: &Device) -> Result<Self, UploadError> {
        let first = parts.first().ok_or_else(|| PackError::MissingTensor {
            tensor: "weight".to_owned(),
            expected: None,
        })?;
        for part in parts {
            check(part, first)?;
        }
        let d_in = first.shape[1];
        let d_out = parts.iter().map(|part| part.shape[0]).sum();
        check_size(parts, binding_limit(device))?;
        let data = TensorData::new(words(parts), [n_words(parts)]);
        // As large as it is: burn's other pools round up, by half in the worst case.
        let words = device.memory_persistent_allocations(data, |data| {
            Tensor::from_data(data, (device, DType::I32))
        });
        let mut weight = Self {
            words,
            layout: first.layout,
            d_out,
            d_in,
            panels: None,
        };
        if let Held::Cpu(words) = hold_words(&weight.words)
            && d_in * d_out <= MAX_KEPT_VALUES
        {
            weight.panels = Some(Arc::new(weight.view(&words).to_panels()));
        }
        Ok(weight)
    }

    /// The weight on the CPU; `words` are its own.
    pub(crate) fn view<'a>(&'a self, words: &'a FlexTensor) -> WeightView<'a> {
        WeightView {
            layout: self.layout,
            bytes: &words.bytes()[..self.size_bytes()],
            d_out: self.d_out,
            d_in: self.d_in,
            panels: self.panels.as_deref(),
        }
    }

    /// Width of the result.
    pub fn d_out(&self) -> usize {
        self.d_out
    }

    /// Width of the input.
    pub fn d_in(&self) -> usize {
        self.d_in
    }

    /// Bytes in the pack's layout; on a device they are filled to whole words.
    pub fn size_bytes(&self) -> usize {
        let bytes = self.layout.size_bytes(&[self.d_out, self.d_in]);
        bytes.unwrap_or_default() as usize
    }

    /// Blocks of a row; 0 for layouts without blocks.
    pub(crate) fn blocks_per_row(&self) -> usize {
        match self.layout {
            Layout::Q8 | Layout::Q4 => self.d_in.div_ceil(BLOCK),
            Layout::F32 | Layout::F16 | Layout::U32 => 0,
        }
    }

    /// First word of the scales.
    pub(crate) fn scales_at(&self) -> usize {
        self.d_out * self.blocks_per_row() * block_words(self.layout)
    }
}

/// A weight that does not go onto a device.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Its parts are damaged or do not belong together.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// It is larger than what the device binds to a kernel at once.
    #[error(
        "weight `{tensor}` takes {size_bytes} bytes, this GPU binds at most {limit_bytes} at once: a pack with smaller weights (q8 or q4) fits"
    )]
    TooLarge {
        /// Name of the first part.
        tensor: String,
        /// Size on the device.
        size_bytes: u64,
        /// Largest storage buffer binding of the device.
        limit_bytes: u64,
    },
}

/// Largest binding of a GPU in bytes: 128 MiB are certain, most have more. All weights of a Qwen3-VL-2B stay below in every layout; of
/// the 4B only gate and up in f32 do not (`tests/weights.rs`).
pub fn binding_limit(device: &Device) -> u64 {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().properties().memory.max_page_size,
        _ => u64::MAX,
    }
}

fn check_size(parts: &[TensorBytes], limit_bytes: u64) -> Result<(), UploadError> {
    let size_bytes = 4 * n_words(parts) as u64;
    match size_bytes > limit_bytes {
        false => Ok(()),
        true => Err(UploadError::TooLarge {
            tensor: parts[0].name.clone(),
            size_bytes,
            limit_bytes,
        }),
    }
}

/// Words of one block's values.
fn block_words(layout: Layout) -> usize {
    match layout {
        Layout::Q8 => BLOCK / 4,
        Layout::Q4 => BLOCK / 8,
        Layout::F32 | Layout::F16 | Layout::U32 => 0,
    }
}

fn check(part: &TensorBytes, first: &TensorBytes) -> Result<(), PackError> {
    if part.layout == Layout::U32 || part.layout != first.layout {
        return Err(PackError::WrongLayout {
            tensor: part.name.clone(),
            expected: "float values in the layout of the weights beside it",
            found: part.layout,
        });
    }
    let fits = part.shape.len() == 2
        && part.shape[1] == first.shape[1]
        && part.layout.size_bytes(&part.shape) == Some(part.bytes.len() as u64);
    match fits {
        true => Ok(()),
        false => Err(PackError::Shape {
            tensor: part.name.clone(),
            expected: format!("a matrix with rows of {} values", first.shape[1]),
            found: part.shape.clone(),
        }),
    }
}

fn n_words(parts: &[TensorBytes]) -> usize {
    let (values, scales) = sections(parts);
    values.div_ceil(4) + scales.div_ceil(4)
}

/// Bytes of all values and of all scales.
fn sections(parts: &[TensorBytes]) -> (usize, usize) {
    parts.iter().fold((0, 0), |(values, scales), part| {
        let (v, s) = split(part);
        (values + v.len(), scales + s.len())
    })
}

/// Values and scales of one part, without the zeros behind them.
fn split(part: &TensorBytes) -> (&[u8], &[u8]) {
    let n_blocks = part.shape[0] * part.shape[1].div_ceil(BLOCK);
    match block_words(part.layout) * 4 {
        0 => (&part.bytes, &[]),
        block_bytes => {
            let (values, scales) = part.bytes.split_at(n_blocks * block_bytes);
            (values, &scales[..n_blocks * 2])
        }
    }
}

/// Values of all parts, then scales of all parts, each filled to whole words.
fn words(parts: &[TensorBytes]) -> Vec<i32> {
    let mut words = Vec::with_capacity(n_words(parts));
    for section in [0, 1] {
        let mut rest = Vec::new();
        for part in parts {
            let (values, scales) = split(part);
            push_words(&mut words, &mut rest, [values, scales][section]);
        }
        if !rest.is_empty() {
            rest.resize(4, 0);
            push_words(&mut words, &mut Vec::new(), &rest);
        }
    }
    words
}

/// Appends `bytes` behind the `rest` of the section as whole words; what is left over becomes the new `rest`.
fn push_words(words: &mut Vec<i32>, rest: &mut Vec<u8>, mut bytes: &[u8]) {
    while !rest.is_empty() && rest.len() < 4 && !bytes.is_empty() {
        rest.push(bytes[0]);
        bytes = &bytes[1..];
    }
    if rest.len() == 4 {
        words.push(i32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]));
        rest.clear();
    }
    let (whole, left) = bytes.as_chunks::<4>();
    words.extend(whole.iter().map(|word| i32::from_le_bytes(*word)));
    rest.extend_from_slice(left);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploaded(d_out: usize) -> PackedWeight {
        let d_in = 1 << 9;
        let part = TensorBytes {
            name: "w".to_owned(),
            shape: vec![d_out, d_in],
            layout: Layout::F16,
            bytes: vec![0; d_out * d_in * 2],
        };
        PackedWeight::upload(&[part], &Device::flex()).expect("a matrix of zeros")
    }

    #[test]
    fn only_weights_up_to_1_mib_are_kept_unpacked_on_the_cpu() {
        assert!(uploaded(1 << 9).panels.is_some());
        assert!(uploaded((1 << 9) + 1).panels.is_none());
    }
}
