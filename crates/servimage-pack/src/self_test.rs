//! The self-test's tensors, written by one hand: see [`SelfTest`] for their names and shapes.

use crate::error::PackError;
use crate::manifest::{Layout, SelfTest};
use crate::writer::{PackSink, PackWriter};

/// Inputs of a self-test and what the network made of them.
#[derive(Clone, Copy, Debug)]
pub struct SelfTestVectors<'a> {
    /// Token ids of the prompt.
    pub input_ids: &'a [u32],
    /// Patches of each image over time, height and width.
    pub image_grids: &'a [[u32; 3]],
    /// Rows of patches of all images, one after another.
    pub pixel_values: &'a [f32],
    /// Outputs by their name without the prefix `self_test.`.
    pub expected: &'a [(String, Vec<f32>)],
}

impl<K: PackSink> PackWriter<K> {
    /// Writes inputs and outputs as tensors of the pack; the result belongs into the manifest.
    ///
    /// # Errors
    /// [`PackError::Shape`] where the pixels are not as many rows as the grids have patches, or something is empty;
    /// [`PackError::Duplicate`], [`PackError::NotFinite`], [`PackError::Write`].
    pub fn self_test(
        &mut self,
        vectors: &SelfTestVectors<'_>,
        tolerance: f64,
    ) -> Result<SelfTest, PackError> {
        let SelfTestVectors {
            input_ids,
            image_grids,
            pixel_values,
            expected,
        } = *vectors;
        let pixel_shape = pixel_shape(image_grids, pixel_values.len())?;
        self.push_u32("self_test.input_ids", &[input_ids.len()], input_ids)?;
        self.push_u32(
            "self_test.image_grid_thw",
            &[image_grids.len(), 3],
            image_grids.as_flattened(),
        )?;
        self.push(PIXEL_VALUES, &pixel_shape, Layout::F32, pixel_values)?;
        for (name, values) in expected {
            let name = format!("self_test.{name}");
            self.push(&name, &[values.len()], Layout::F32, values)?;
        }
        Ok(SelfTest {
            tolerance,
            expected: expected.iter().map(|(name, _)| name.clone()).collect(),
        })
    }
}

const PIXEL_VALUES: &str = "self_test.pixel_values";

/// `[n_patches, patch_dim]` by the grids.
fn pixel_shape(grids: &[[u32; 3]], n_values: usize) -> Result<[usize; 2], PackError> {
    let patches = |grid: &[u32; 3]| grid.iter().map(|&dim| dim as usize).product::<usize>();
    let n_patches: usize = grids.iter().map(patches).sum();
    if n_patches > 0 && n_values > 0 && n_values.is_multiple_of(n_patches) {
        return Ok([n_patches, n_values / n_patches]);
    }
    Err(PackError::Shape {
        tensor: PIXEL_VALUES.to_owned(),
        expected: format!("rows for the {n_patches} patches of the grids"),
        found: vec![n_values],
    })
}
