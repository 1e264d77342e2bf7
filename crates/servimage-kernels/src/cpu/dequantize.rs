//! Weights as they lie in a pack, and rows of them as f32.

use super::panels::Panels;
use super::simd::vectorize;
use servimage_pack::Layout;
use servimage_pack::layout::BLOCK;
use std::ops::Range;

/// Weight `[d_out, d_in]` of a linear layer as it lies in a pack; see `servimage_pack::layout`.
#[derive(Clone, Copy, Debug)]
pub struct WeightView<'a> {
    /// How the values lie: f32, f16, q8 or q4.
    pub layout: Layout,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Rows: width of the result.
    pub d_out: usize,
    /// Columns: width of the input.
    pub d_in: usize,
    /// What [`WeightView::to_panels`] made of it, where that is kept.
    pub panels: Option<&'a Panels>,
}

impl<'a> WeightView<'a> {
    /// All values, where they lie as f32 that can be read in place.
    pub(super) fn values(&self) -> Option<&'a [f32]> {
        match self.layout {
            Layout::F32 if cfg!(target_endian = "little") => {
                bytemuck::try_cast_slice(self.bytes).ok()
            }
            _ => None,
        }
    }

    /// All values unpacked and arranged for products: what [`super::linear`] does anew in every call where it is not kept.
    ///
    /// # Panics
    /// Where layout, dimensions and bytes disagree.
    pub fn to_panels(&self) -> Panels {
        self.check();
        let mut panels = Panels::new(self.d_in, self.d_out);
        let mut row_values = vec![0.0; self.d_in];
        for row in 0..self.d_out {
            vectorize(
                #[inline(always)]
                || self.unpack(row..row + 1, &(0..self.d_in), &mut row_values, self.d_in),
            );
            panels.set_columns(row, 1, &row_values, self.d_in);
        }
        panels
    }

    /// # Panics
    /// Where layout, dimensions and bytes disagree.
    pub(super) fn check(&self) {
        let expected = self.layout.size_bytes(&[self.d_out, self.d_in]);
        assert!(
            self.layout != Layout::U32 && expected == Some(self.bytes.len() as u64),
            "a weight [{}, {}] in {} takes {expected:?} bytes, found {}",
            self.d_out,
            self.d_in,
            self.layout,
            self.bytes.len()
        );
    }

    /// Writes columns `cols` of rows `rows` as f32, row `i` at `i * stride` of `target`; `cols` starts with a block.
    #[inline(always)]
    pub(super) fn unpack(
        &self,
        rows: Range<usize>,
        cols: &Range<usize>,
        target: &mut [f32],
        stride: usize,
    ) {
        debug_assert!(cols.start.is_multiple_of(BLOCK));
        for (row, target) in rows.zip(target.chunks_mut(stride)) {
            let target = &mut target[..cols.len()];
            match self.layout {
                Layout::F32 | Layout::U32 => {
                    unpack_f32(self.row_bytes(row, cols, 4), target);
                }
                Layout::F16 => unpack_f16(self.row_bytes(row, cols, 2), target),
                Layout::Q8 => self.unpack_blocks::<BLOCK>(row, cols.start, target, unpack_q8),
                Layout::Q4 => self.unpack_q4_row(row, cols.start, target),
            }
        }
    }

    #[inline(always)]
    fn unpack_q4_row(&self, row: usize, first_col: usize, target: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            return self.unpack_blocks(
                row,
                first_col,
                target,
                #[inline(always)]
                |words, scale, target| unpack_q4_avx2(simd, words, scale, target),
            );
        }
        self.unpack_blocks(row, first_col, target, unpack_q4);
    }

    /// Bytes of some columns of a row in a layout without blocks.
    #[inline(always)]
    fn row_bytes(&self, row: usize, cols: &Range<usize>, value_bytes: usize) -> &'a [u8] {
        let start = row * self.d_in;
        &self.bytes[(start + cols.start) * value_bytes..(start + cols.end) * value_bytes]
    }

    /// Columns from `first_col` on of a row of blocks whose words take `N` bytes.
    #[inline(always)]
    fn unpack_blocks<const N: usize>(
        &self,
        row: usize,
        first_col: usize,
        target: &mut [f32],
        unpack: impl Fn(&[u8; N], f32, &mut [f32; BLOCK]),
    ) {
        let blocks_per_row = self.d_in.div_ceil(BLOCK);
        let first = row * blocks_per_row + first_col / BLOCK;
        let (words, scales) = self.bytes.split_at(self.d_out * blocks_per_row * N);
        let words = &words.as_chunks::<N>().0[first..];
        let scales = &scales.as_chunks::<2>().0[first..];
        let (whole, rest) = target.as_chunks_mut::<BLOCK>();
        let n_whole = whole.len();
        for ((target, words), scale) in whole.iter_mut().zip(words).zip(scales) {
            unpack(words, f16_to_f32(u16::from_le_bytes(*scale)), target);
        }
        if !rest.is_empty() {
            let scale = f16_to_f32(u16::from_le_bytes(scales[n_whole]));
            let mut block = [0.0; BLOCK];
            unpack(&words[n_whole], scale, &mut block);
            rest.copy_from_slice(&block[..rest.len()]);
        }
    }
}

/// A finite f16 as f32, without a branch: its bits at the place of an f32's, times the difference of the two exponents' biases.
#[inline(always)]
fn f16_to_f32(bits: u16) -> f32 {
    /// `2^112`
    const REBIAS: f32 = 5.192_297e33;
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * REBIAS;
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

#[inline(always)]
fn unpack_f32(bytes: &[u8], target: &mut [f32]) {
    for (target, value) in target.iter_mut().zip(bytes.as_chunks().0) {
        *target = f32::from_le_bytes(*value);
    }
}

#[inline(always)]
fn unpack_f16(bytes: &[u8], target: &mut [f32]) {
    for (target, value) in target.iter_mut().zip(bytes.as_chunks().0) {
        *target = f16_to_f32(u16::from_le_bytes(*value));
    }
}

#[inline(always)]
fn unpack_q8(words: &[u8; BLOCK], scale: f32, target: &mut [f32; BLOCK]) {
    for i in 0..BLOCK {
        target[i] = scale * f32::from(words[i].cast_signed());
    }
}

/// Nibbles of half a word are masked where they are and get a scale of their own, as not every processor shifts lanes by
/// different distances. All products are exact: 4 bits times the 11 of an f16.
#[inline(always)]
pub(super) fn unpack_q4(words: &[u8; BLOCK / 2], scale: f32, target: &mut [f32; BLOCK]) {
    const MASKS: [i32; 4] = [0xf, 0xf0, 0xf00, 0xf000];
    const PLACES: [f32; 4] = [1.0, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 4096.0];
    let scales = [0, 1, 2, 3].map(
        #[inline(always)]
        |i: usize| scale * PLACES[i],
    );
    let zero = scale * 8.0;
    let halves = words
        .as_chunks()
        .0
        .iter()
        .zip(target.as_chunks_mut::<4>().0);
    for (half, target) in halves {
        let half = i32::from(u16::from_le_bytes(*half));
        for i in 0..4 {
            target[i] = (half & MASKS[i]) as f32 * scales[i] - zero;
        }
    }
}

/// [`unpack_q4`], which the optimizer cannot turn into 8 lanes by itself.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn unpack_q4_avx2(
    simd: pulp::x86::V3,
    words: &[u8; BLOCK / 2],
    scale: f32,
    target: &mut [f32; BLOCK],
) {
    use pulp::{Simd, cast, u32x8};
    let shifts = u32x8(0, 4, 8, 12, 16, 20, 24, 28);
    let mask = simd.splat_u32x8(15);
    let zero = simd.splat_f32x8(scale * 8.0);
    let scale = simd.splat_f32x8(scale);
    let words = words.as_chunks().0.iter();
    for (word, target) in words.zip(target.as_chunks_mut::<8>().0) {
        let word = simd.splat_u32x8(u32::from_le_bytes(*word));
        let nibbles = simd.and_u32s(simd.shr_dyn_u32x8(word, shifts), mask);
        let nibbles = simd.convert_i32x8_to_f32x8(cast(nibbles));
        *target = cast(simd.mul_sub_f32x8(nibbles, scale, zero));
    }
}
