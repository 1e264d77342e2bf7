//! Pixels to the rows of patches that the vision tower reads, equal to `Qwen2VLImageProcessor` of transformers 5.
//!
//! Resize so that both sides are multiples of `patch_size * merge_size`, normalise `(x / 255 - mean) / std`, cut into
//! patches in merge-block order (block row, block column, row in block, column in block). A row is
//! `[channel, time, y, x]`; a still image fills every time step.

use crate::pixels::Rgb8Image;
use crate::resize::resize;

/// How an image becomes patches; the numbers belong to a checkpoint.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProcessorConfig {
    /// Least area after the resize, in pixels.
    pub min_pixels: u32,
    /// Largest area after the resize, in pixels.
    pub max_pixels: u32,
    /// Side of a patch, in pixels.
    pub patch_size: u32,
    /// Times a still image is repeated in a patch.
    pub temporal_patch_size: u32,
    /// Side of the block of patches that becomes one visual token.
    pub merge_size: u32,
    /// Channel means over 0..=1.
    pub mean: [f32; 3],
    /// Channel standard deviations over 0..=1.
    pub std: [f32; 3],
}

impl Default for ProcessorConfig {
    /// The processor of ServImageModel: at most 49 visual tokens an image.
    fn default() -> Self {
        Self {
            min_pixels: 784,
            max_pixels: 50_176,
            patch_size: 16,
            temporal_patch_size: 2,
            merge_size: 2,
            mean: [0.5; 3],
            std: [0.5; 3],
        }
    }
}

impl ProcessorConfig {
    /// Both sides after the resize are multiples of this.
    pub fn factor(&self) -> u32 {
        self.patch_size * self.merge_size
    }

    /// Number of values in a row of patches.
    pub fn patch_dim(&self) -> usize {
        3 * self.temporal_patch_size as usize * (self.patch_size as usize).pow(2)
    }
}

/// Rows of patches of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Patches {
    /// `[n_patches, channel * time * patch * patch]`, normalised.
    pub rows: Vec<f32>,
    /// Time, height and width in patches; their product is `n_patches`.
    pub grid: [u32; 3],
}

impl Patches {
    /// Visual tokens after the merge of `merge_size` x `merge_size` patches.
    pub fn n_tokens(&self, merge_size: u32) -> usize {
        let [t, h, w] = self.grid;
        (t * (h / merge_size) * (w / merge_size)) as usize
    }
}

/// Width and height after the resize, in pixels, for an image of `width` x `height`.
///
/// The rule of the reference (`smart_resize`), Python's rounding of halves to even included. Where the reference
/// would go beyond `max_pixels` (sides more unequal than about `max_pixels / factor^2` to 1: a side cannot be under one block; the
/// reference refuses 200 to 1), the longer side is cut further, so that no image costs more tokens than planned.
pub fn target_size(width: u32, height: u32, config: &ProcessorConfig) -> (u32, u32) {
    let factor = f64::from(config.factor());
    let (least, most) = (f64::from(config.min_pixels), f64::from(config.max_pixels));
    let (w, h) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let mut w_bar = (w / factor).round_ties_even() * factor;
    let mut h_bar = (h / factor).round_ties_even() * factor;
    if w_bar * h_bar > most {
        let beta = (w * h / most).sqrt();
        w_bar = ((w / beta / factor).floor() * factor).max(factor);
        h_bar = ((h / beta / factor).floor() * factor).max(factor);
    } else if w_bar * h_bar < least {
        let beta = (least / (w * h)).sqrt();
        w_bar = (w * beta / factor).ceil() * factor;
        h_bar = (h * beta / factor).ceil() * factor;
    }
    if w_bar * h_bar > most {
        let longest = ((most / (factor * factor)).floor() * factor).max(factor);
        w_bar = w_bar.min(longest);
        h_bar = h_bar.min(longest);
    }
    (w_bar as u32, h_bar as u32)
}

/// Resizes, normalises and cuts an image into rows of patches.
///
/// # Panics
/// Where a side is 0 or the length of the pixels does not fit the sides; `decode` gives no such image.
pub fn patchify(image: &Rgb8Image, config: &ProcessorConfig) -> Patches {
    let (width, height) = target_size(image.width, image.height, config);
    let resized = resize(image, width, height);
    let grid = [1, height / config.patch_size, width / config.patch_size];
    Patches {
        rows: cut(&resized, grid, config),
        grid,
    }
}

/// Rows of patches of an image whose sides are multiples of the block.
fn cut(image: &Rgb8Image, [_, grid_h, grid_w]: [u32; 3], config: &ProcessorConfig) -> Vec<f32> {
    let normalised = normalisation_table(config);
    let merge = config.merge_size;
    let mut rows = Vec::with_capacity(grid_h as usize * grid_w as usize * config.patch_dim());
    for block_y in (0..grid_h).step_by(merge as usize) {
        for block_x in (0..grid_w).step_by(merge as usize) {
            for patch_y in block_y..block_y + merge {
                for patch_x in block_x..block_x + merge {
                    push_patch(&mut rows, image, [patch_x, patch_y], &normalised, config);
                }
            }
        }
    }
    rows
}

/// Appends one patch as `[channel, time, y, x]`.
fn push_patch(
    rows: &mut Vec<f32>,
    image: &Rgb8Image,
    [patch_x, patch_y]: [u32; 2],
    normalised: &[[f32; 256]; 3],
    config: &ProcessorConfig,
) {
    let side = config.patch_size as usize;
    let stride = image.width as usize * 3;
    let corner = patch_y as usize * side * stride + patch_x as usize * side * 3;
    for (channel, table) in normalised.iter().enumerate() {
        for _ in 0..config.temporal_patch_size {
            for y in 0..side {
                let row = &image.pixels[corner + y * stride..][..side * 3];
                rows.extend(
                    row.iter()
                        .skip(channel)
                        .step_by(3)
                        .map(|value| table[usize::from(*value)]),
                );
            }
        }
    }
}

/// `(x / 255 - mean) / std` for every 8-bit `x`, in the order of operations of the reference: `(x - 255 mean) / (255 std)`.
fn normalisation_table(config: &ProcessorConfig) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        let (mean, std) = (config.mean[channel] * 255.0, config.std[channel] * 255.0);
        std::array::from_fn(|value| (value as f32 - mean) / std)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_reference_rule() {
        // Width, height in; width, height out; computed by `smart_resize` of transformers 5.23.0.
        let known = [
            ((300, 200), (256, 160)),
            ((160, 480), (128, 384)),
            ((224, 224), (224, 224)),
            ((97, 613), (64, 544)),
            ((1024, 768), (256, 192)),
            ((40, 40), (32, 32)),
            ((512, 333), (256, 160)),
        ];
        for ((width, height), expected) in known {
            assert_eq!(
                target_size(width, height, &ProcessorConfig::default()),
                expected,
                "{width} x {height}"
            );
        }
    }

    #[test]
    fn halves_round_to_even_as_in_python() {
        // 48 / 32 = 1.5 rounds to 2, 80 / 32 = 2.5 rounds to 2, not 3.
        assert_eq!(target_size(48, 80, &ProcessorConfig::default()), (64, 64));
    }

    #[test]
    fn rows_run_in_merge_blocks_and_repeat_over_time() {
        // Every 16 x 16 patch of a 64 x 64 image has its own grey, 10 x its index in reading order.
        let pixels = (0..64 * 64)
            .flat_map(|i| [((i / 64 / 16 * 4 + i % 64 / 16) * 10) as u8; 3])
            .collect();
        let image = Rgb8Image {
            width: 64,
            height: 64,
            pixels,
        };
        let config = ProcessorConfig {
            mean: [0.0; 3],
            std: [1.0 / 255.0; 3],
            ..ProcessorConfig::default()
        };
        let patches = patchify(&image, &config);
        assert_eq!(patches.grid, [1, 4, 4]);
        assert_eq!(patches.n_tokens(config.merge_size), 4);
        let greys: Vec<f32> = patches
            .rows
            .chunks_exact(config.patch_dim())
            .map(|row| (row[0] / 10.0).round())
            .collect();
        let expected = [
            0., 1., 4., 5., 2., 3., 6., 7., 8., 9., 12., 13., 10., 11., 14., 15.,
        ];
        assert_eq!(greys, expected);
        for row in patches.rows.chunks_exact(config.patch_dim()) {
            assert!(
                row.iter().all(|value| *value == row[0]),
                "channels and time steps of a grey patch are equal"
            );
        }
    }
}
