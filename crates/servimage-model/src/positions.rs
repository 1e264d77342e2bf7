//! Rotary tables, interpolated position embeddings and masks: small tables made on the CPU, in the order of the tokens.
//!
//! Angles are products of f32 numbers as in the reference implementation; sine and cosine are taken in f64.

use crate::norm::RmsNorm;
use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::Heads;
use servimage_pack::manifest::{TextDims, VisionDims};

/// Number of values that an attention score is lowered by where a token must not look; exp of it is 0 in f32.
#[cfg(not(target_family = "wasm"))]
const MASKED: f32 = -1.0e9;

/// Cosines and sines of one rotation, both `[rows, head_dim]`, halves repeated.
#[derive(Clone, Debug)]
pub struct RotaryTable {
    /// `[rows, head_dim]`
    pub cos: Vec<f32>,
    /// `[rows, head_dim]`
    pub sin: Vec<f32>,
    /// Values in a row.
    pub head_dim: usize,
}

impl RotaryTable {
    fn from_angles(angles: impl Iterator<Item = Vec<f32>>, head_dim: usize) -> Self {
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        for half in angles {
            for _ in 0..2 {
                cos.extend(half.iter().map(|&angle| f64::from(angle).cos() as f32));
                sin.extend(half.iter().map(|&angle| f64::from(angle).sin() as f32));
            }
        }
        Self { cos, sin, head_dim }
    }

    /// Uploads both tables.
    pub fn upload(&self, device: &Device) -> Rotary {
        let rows = self.cos.len() / self.head_dim;
        let tensor = |values: &Vec<f32>| {
            Tensor::from_data(
                TensorData::new(values.clone(), [rows, self.head_dim]),
                device,
            )
        };
        Rotary {
            cos: tensor(&self.cos),
            sin: tensor(&self.sin),
        }
    }
}

/// [`RotaryTable`] on a device, both `[rows, head_dim]`.
#[derive(Clone, Debug)]
pub struct Rotary {
    cos: Tensor<2>,
    sin: Tensor<2>,
}

impl Rotary {
    /// Norms `heads` of every row of `x`, if a norm is given, and rotates them: `y cos + rotate_half(y) sin`.
    ///
    /// # Shapes
    /// - `x` and the result: `[rows, n_heads_in_all * head_dim]`
    pub fn apply(&self, x: Tensor<2>, heads: Heads, norm: Option<&RmsNorm>) -> Tensor<2> {
        let norm = norm.map(RmsNorm::parts);
        let norm = norm.as_ref().map(|(gamma, epsilon)| (gamma, *epsilon));
        servimage_kernels::norm_rotate(x, heads, norm, &self.cos, &self.sin)
    }
}

/// `1 / theta^(2 i / dim)` for `i` in `0..dim / 2`, rounded to f32 as in the reference.
fn inverse_frequencies(theta: f64, dim: usize) -> Vec<f32> {
    (0..dim / 2)
        .map(|i| (1.0 / theta.powf((2 * i) as f64 / dim as f64)) as f32)
        .collect()
}

/// Interleaved M-RoPE: frequency `i` turns with the height where `i % 3 == 1`, the width where `i % 3 == 2`
/// (each up to three times its section), else with the time.
pub fn text_rotary(dims: &TextDims, positions: &[[u32; 3]]) -> RotaryTable {
    let frequencies = inverse_frequencies(dims.rope_theta, dims.head_dim);
    let axis_of = |i: usize| match i % 3 {
        axis @ (1 | 2) if i < 3 * dims.mrope_section[axis] => axis,
        _ => 0,
    };
    let angles = positions.iter().map(|position| {
        frequencies
            .iter()
            .enumerate()
            .map(|(i, f)| position[axis_of(i)] as f32 * f)
            .collect()
    });
    RotaryTable::from_angles(angles, dims.head_dim)
}

/// Row and column of each patch of one frame, in merge-block order.
fn patch_coordinates([_, n_rows, n_columns]: [u32; 3], merge: usize) -> Vec<[usize; 2]> {
    let (n_rows, n_columns) = (n_rows as usize, n_columns as usize);
    let mut coordinates = Vec::with_capacity(n_rows * n_columns);
    for block_row in 0..n_rows / merge {
        for block_column in 0..n_columns / merge {
            for row in 0..merge {
                for column in 0..merge {
                    coordinates.push([block_row * merge + row, block_column * merge + column]);
                }
            }
        }
    }
    coordinates
}

/// Axial rotary positions of the vision tower over all images: the first quarter of a head turns with the row, the next with the column.
pub fn vision_rotary(dims: &VisionDims, grids: &[[u32; 3]]) -> RotaryTable {
    let head_dim = dims.d_model / dims.n_heads;
    let frequencies = inverse_frequencies(dims.rope_theta, head_dim / 2);
    let angles = grids.iter().flat_map(|&grid| {
        let coordinates = patch_coordinates(grid, dims.spatial_merge_size);
        let frequencies = frequencies.clone();
        (0..grid[0])
            .flat_map(move |_| coordinates.clone())
            .map(move |[row, column]| {
                [row, column]
                    .iter()
                    .flat_map(|&at| frequencies.iter().map(move |f| at as f32 * f))
                    .collect()
            })
    });
    RotaryTable::from_angles(angles, head_dim)
}

/// Four taps a patch into the square table of learned positions, and their bilinear weights (corners aligned).
#[derive(Clone, Debug, PartialEq)]
pub struct PositionTaps {
    /// `[4][n_patches]` rows of the table.
    pub rows: [Vec<u32>; 4],
    /// `[4][n_patches]`
    pub weights: [Vec<f32>; 4],
}

/// Taps over all images, in the order of the patches.
pub fn position_taps(dims: &VisionDims, grids: &[[u32; 3]]) -> PositionTaps {
    let side = dims.n_position_embeddings.isqrt();
    let mut taps = PositionTaps {
        rows: Default::default(),
        weights: Default::default(),
    };
    for &grid in grids {
        let coordinates = patch_coordinates(grid, dims.spatial_merge_size);
        for [row, column] in (0..grid[0]).flat_map(|_| coordinates.iter().copied()) {
            let (top, bottom, down) = axis_taps(row, grid[1] as usize, side);
            let (left, right, across) = axis_taps(column, grid[2] as usize, side);
            let corners = [
                (top, left, (1.0 - down) * (1.0 - across)),
                (top, right, (1.0 - down) * across),
                (bottom, left, down * (1.0 - across)),
                (bottom, right, down * across),
            ];
            for (tap, (r, c, weight)) in corners.into_iter().enumerate() {
                taps.rows[tap].push((r * side + c) as u32);
                taps.weights[tap].push(weight);
            }
        }
    }
    taps
}

/// The two table rows around `at` of `n` steps spread over `side` rows, and how far it lies towards the second.
fn axis_taps(at: usize, n: usize, side: usize) -> (usize, usize, f32) {
    let source = match n {
        0 | 1 => 0.0,
        n => at as f32 * ((side - 1) as f32 / (n - 1) as f32),
    };
    let first = (source.floor() as usize).min(side - 1);
    (first, (first + 1).min(side - 1), source - first as f32)
}

/// Additive mask `[batch, seq_len]` over padded rows, for training: 0 up to each length, a large negative number after it.
#[cfg(not(target_family = "wasm"))]
pub fn length_mask(lengths: &[usize], seq_len: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = lengths
        .iter()
        .flat_map(|&length| (0..seq_len).map(move |i| if i < length { 0.0 } else { MASKED }))
        .collect();
    Tensor::from_data(TensorData::new(values, [lengths.len(), seq_len]), device)
}
