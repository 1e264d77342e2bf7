//! Reads `golden.safetensors`, the outputs of the reference implementation, into named tensors.

use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why a golden could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is no safetensors file.
    #[error("{path} is no safetensors file")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SafeTensorError,
    },
    /// A tensor of another element type than `F32` or `I32`.
    #[error("tensor {name} holds {dtype:?}, expected F32 or I32")]
    ElementType {
        /// The tensor.
        name: String,
        /// What it holds.
        dtype: Dtype,
    },
    /// A tensor that was asked for and is not there.
    #[error("the golden has no {expected} tensor {name}")]
    Missing {
        /// The tensor.
        name: String,
        /// Element type that was asked for.
        expected: &'static str,
    },
}

/// One tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldenTensor<T> {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// As many values as the product of `shape`.
    pub values: Vec<T>,
}

/// All tensors of one `golden.safetensors`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Golden {
    floats: BTreeMap<String, GoldenTensor<f32>>,
    integers: BTreeMap<String, GoldenTensor<i32>>,
}

impl Golden {
    /// Read `golden.safetensors` in `folder`.
    ///
    /// # Errors
    /// [`GoldenError`] for a file that is missing or damaged, or holds other element types.
    pub fn open(folder: &Path) -> Result<Self, GoldenError> {
        let path = folder.join("golden.safetensors");
        let read = std::fs::read(&path);
        let bytes = read.map_err(|source| GoldenError::Read {
            path: path.clone(),
            source,
        })?;
        let tensors = SafeTensors::deserialize(&bytes);
        let tensors = tensors.map_err(|source| GoldenError::Format { path, source })?;
        let mut golden = Self::default();
        for (name, view) in tensors.iter() {
            let shape = view.shape().to_vec();
            let name = name.to_owned();
            match view.dtype() {
                Dtype::F32 => {
                    let values = read_values(view.data(), f32::from_le_bytes);
                    golden.floats.insert(name, GoldenTensor { shape, values });
                }
                Dtype::I32 => {
                    let values = read_values(view.data(), i32::from_le_bytes);
                    golden.integers.insert(name, GoldenTensor { shape, values });
                }
                dtype => return Err(GoldenError::ElementType { name, dtype }),
            }
        }
        Ok(golden)
    }

    /// The `f32` tensor of this name, such as `stage1.hidden_states`.
    ///
    /// # Errors
    /// [`GoldenError::Missing`].
    pub fn f32(&self, name: &str) -> Result<&GoldenTensor<f32>, GoldenError> {
        let missing = || GoldenError::Missing {
            name: name.to_owned(),
            expected: "f32",
        };
        self.floats.get(name).ok_or_else(missing)
    }

    /// The `i32` tensor of this name, such as `input_ids`.
    ///
    /// # Errors
    /// [`GoldenError::Missing`].
    pub fn i32(&self, name: &str) -> Result<&GoldenTensor<i32>, GoldenError> {
        let missing = || GoldenError::Missing {
            name: name.to_owned(),
            expected: "i32",
        };
        self.integers.get(name).ok_or_else(missing)
    }

    /// Names of all `f32` tensors, sorted.
    pub fn f32_names(&self) -> impl Iterator<Item = &str> {
        self.floats.keys().map(String::as_str)
    }
}

fn read_values<T>(bytes: &[u8], read: fn([u8; 4]) -> T) -> Vec<T> {
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().map(|value| read(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden_dir;
    use std::error::Error;

    #[test]
    fn shapes_and_values_of_the_reference_are_read() -> Result<(), Box<dyn Error>> {
        let golden = Golden::open(&golden_dir("a")?)?;
        let hidden = golden.f32("stage1.hidden_states")?;
        assert_eq!(hidden.values.len(), hidden.shape.iter().product::<usize>());
        let grids = golden.i32("image_grid_thw")?;
        assert_eq!(grids.shape, [3, 3]);
        let n_patches: i32 = grids
            .values
            .chunks(3)
            .map(|grid| grid.iter().product::<i32>())
            .sum();
        assert_eq!(
            usize::try_from(n_patches)?,
            golden.f32("pixel_values")?.shape[0]
        );
        assert!(golden.f32_names().any(|name| name == "stage2.pay_logits"));
        Ok(())
    }

    #[test]
    fn a_tensor_of_another_name_or_type_is_missing_and_named() -> Result<(), Box<dyn Error>> {
        let golden = Golden::open(&golden_dir("a")?)?;
        let error = golden.f32("input_ids").err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("the golden has no f32 tensor input_ids")
        );
        Ok(())
    }

    #[test]
    fn a_folder_without_a_golden_is_named() {
        let error = Golden::open(Path::new("nowhere"))
            .err()
            .map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.starts_with("nowhere/golden.safetensors")));
    }
}
