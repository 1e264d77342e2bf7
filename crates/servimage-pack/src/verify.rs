//! Checks a whole pack and says what is damaged and what that affects.

use crate::error::PackError;
use crate::expected::expected_tensors;
use crate::layout::TensorBytes;
use crate::manifest::{Layout, TensorEntry};
use crate::pack::Pack;
use crate::source::PackSource;
use std::collections::HashSet;

/// One thing that is wrong with a pack.
#[derive(Debug)]
pub struct Finding {
    /// What is wrong, where, expected and found.
    pub error: PackError,
    /// The file it lies in, where it lies in one.
    pub file: Option<String>,
    /// Names of the tensors that cannot be used for it.
    pub tensors: Vec<String>,
}

impl<S: PackSource> Pack<S> {
    /// Reads every file and checks hashes, values, shapes and that nothing is missing; empty where all is well.
    pub async fn verify(&self) -> Vec<Finding> {
        let manifest = self.manifest();
        let mut findings = self.check_shapes();
        for file in std::iter::once(&manifest.tokenizer).chain(&manifest.card) {
            if let Err(error) = self.read_file(file).await {
                findings.push(Finding {
                    error,
                    file: Some(file.path.clone()),
                    tensors: Vec::new(),
                });
            }
        }
        let mut damaged = HashSet::new();
        for (index, shard) in manifest.shards.iter().enumerate() {
            let error = match self.read_file(shard).await {
                Ok(bytes) => {
                    findings.extend(self.check_values_within(index, &bytes));
                    continue;
                }
                Err(error) => error,
            };
            damaged.insert(index);
            let affected =
                |entry: &&TensorEntry| entry.parts.iter().any(|part| part.shard == index);
            let tensors = manifest
                .tensors
                .iter()
                .filter(affected)
                .map(|entry| entry.name.clone())
                .collect();
            findings.push(Finding {
                error,
                file: Some(shard.path.clone()),
                tensors,
            });
        }
        for entry in manifest
            .tensors
            .iter()
            .filter(|entry| entry.parts.len() > 1)
        {
            if entry.parts.iter().any(|part| damaged.contains(&part.shard)) {
                continue;
            }
            if let Err(error) = self.read_tensor(&entry.name).await {
                findings.push(Finding {
                    error,
                    file: None,
                    tensors: vec![entry.name.clone()],
                });
            }
        }
        findings
    }

    /// NaN and infinity in the tensors that lie wholly in shard `index`.
    fn check_values_within(&self, index: usize, shard: &[u8]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for entry in &self.manifest().tensors {
            let [part] = entry.parts.as_slice() else {
                continue;
            };
            if part.shard != index {
                continue;
            }
            let bytes = shard[part.offset as usize..(part.offset + part.length) as usize].to_vec();
            let name = entry.name.clone();
            let tensor = TensorBytes {
                name,
                shape: entry.shape.clone(),
                layout: entry.layout,
                bytes,
            };
            if let Err(error) = tensor.check_finite() {
                let file = Some(self.manifest().shards[index].path.clone());
                findings.push(Finding {
                    error,
                    file,
                    tensors: vec![tensor.name],
                });
            }
        }
        findings
    }

    /// Shapes and layouts against the manifest's dimensions; reads nothing.
    fn check_shapes(&self) -> Vec<Finding> {
        let manifest = self.manifest();
        let known_shape = |name: &str| self.entry(name).map(|entry| entry.shape.clone());
        let mut errors = Vec::new();
        for expected in expected_tensors(manifest, known_shape) {
            let shape = format!("{:?}", expected.shape);
            let Some(entry) = self.entry(&expected.name) else {
                errors.push(PackError::MissingTensor {
                    tensor: expected.name,
                    expected: Some(shape),
                });
                continue;
            };
            if entry.shape != expected.shape {
                let found = entry.shape.clone();
                errors.push(PackError::Shape {
                    tensor: expected.name,
                    expected: shape,
                    found,
                });
            } else if !expected.linear && entry.layout != Layout::F32 {
                let (tensor, found) = (expected.name, entry.layout);
                errors.push(PackError::WrongLayout {
                    tensor,
                    expected: "layout f32",
                    found,
                });
            } else if entry.layout == Layout::U32 {
                let tensor = expected.name;
                errors.push(PackError::WrongLayout {
                    tensor,
                    expected: "float values",
                    found: Layout::U32,
                });
            }
        }
        errors.extend(self.check_self_test());
        errors
            .into_iter()
            .map(|error| Finding {
                tensors: tensor_of(&error),
                error,
                file: None,
            })
            .collect()
    }

    fn check_self_test(&self) -> Vec<PackError> {
        let Some(self_test) = &self.manifest().self_test else {
            return Vec::new();
        };
        let inputs = ["input_ids", "image_grid_thw", "pixel_values"].into_iter();
        inputs
            .chain(self_test.expected.iter().map(String::as_str))
            .map(|name| format!("self_test.{name}"))
            .filter(|name| self.entry(name).is_none())
            .map(|tensor| PackError::MissingTensor {
                tensor,
                expected: None,
            })
            .collect()
    }
}

fn tensor_of(error: &PackError) -> Vec<String> {
    match error {
        PackError::MissingTensor { tensor, .. }
        | PackError::Shape { tensor, .. }
        | PackError::WrongLayout { tensor, .. } => vec![tensor.clone()],
        _ => Vec::new(),
    }
}
