//! Tensors of a checkpoint by name: safetensors (one file or shards with an index) and PyTorch `.bin`.
//!
//! Files are read by seeking, not mapped (a mapping needs `unsafe`), and a range at a time: see [`Values`].

use super::error::ConvertError;
use super::header::{read_integers, read_tensors};
use super::json::{read_bytes, read_json};
use super::values::{Float, Values};
use pytorch_reader::{DType, PytorchReader};
use servimage_safetensors::{Dtype, StoredTensor};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Tensors of one or more weight files, by name.
pub(super) struct Checkpoint {
    /// The folder or file, for messages.
    pub path: PathBuf,
    tensors: BTreeMap<String, Stored>,
}

enum Stored {
    /// A tensor and the file that it lies in.
    Safetensors(StoredTensor, PathBuf),
    Pytorch(pytorch_reader::Tensor),
}

impl Checkpoint {
    /// Opens `STEM.safetensors` or `STEM.safetensors.index.json` in `folder`.
    pub fn open_safetensors(folder: &Path, stem: &str) -> Result<Self, ConvertError> {
        let mut checkpoint = Self {
            path: folder.to_owned(),
            tensors: BTreeMap::new(),
        };
        let index = folder.join(format!("{stem}.safetensors.index.json"));
        let single = folder.join(format!("{stem}.safetensors"));
        if single.exists() || !index.exists() {
            checkpoint.path = single.clone();
            checkpoint.add_safetensors(&single, None)?;
            return Ok(checkpoint);
        }
        #[derive(serde::Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let weight_map = read_json::<Index>(&index)?.weight_map;
        let refuse = |reason| {
            let path = index.clone();
            Err(ConvertError::Weights { path, reason })
        };
        let files: HashSet<&String> = weight_map.values().collect();
        for file in files {
            let is_plain = |name: &std::ffi::OsStr| name == file.as_str();
            if !Path::new(file).file_name().is_some_and(is_plain) {
                return refuse(format!("shard name `{file}` is not a plain file name"));
            }
            checkpoint.add_safetensors(&folder.join(file), Some(&weight_map))?;
        }
        let is_missing = |(name, _): &(&String, _)| !checkpoint.tensors.contains_key(*name);
        match weight_map.iter().find(is_missing) {
            None => Ok(checkpoint),
            Some((name, file)) => refuse(format!(
                "tensor `{name}` is not in `{file}`, where the index puts it"
            )),
        }
    }

    /// Opens a file that `torch.save` wrote.
    pub fn open_pytorch(path: &Path) -> Result<Self, ConvertError> {
        let weights = |error: pytorch_reader::PytorchError| ConvertError::Weights {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let tensors = PytorchReader::new(path).map_err(weights)?.into_tensors();
        let tensors = tensors
            .into_iter()
            .map(|(name, tensor)| (name, Stored::Pytorch(tensor)))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            tensors,
        })
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Shape of tensor `name`.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(Stored::shape)
    }

    /// All values of tensor `name`, which must have shape `expected`.
    pub fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, ConvertError> {
        self.values(name, expected)?.into_vec()
    }

    /// Values of tensor `name`, which must have shape `expected`; nothing of safetensors is read yet.
    pub fn values(&self, name: &str, expected: &[usize]) -> Result<Values, ConvertError> {
        let (path, tensor) = (self.path.clone(), name.to_owned());
        let Some(stored) = self.tensors.get(name) else {
            return Err(ConvertError::MissingTensor {
                path,
                tensor,
                expected: expected.to_vec(),
            });
        };
        if stored.shape() != expected {
            return Err(ConvertError::Shape {
                path,
                tensor,
                expected: expected.to_vec(),
                found: stored.shape().to_vec(),
            });
        }
        match stored {
            Stored::Safetensors(stored, path) => {
                let float = float_of(path, name, stored.dtype)?;
                let len = expected.iter().product();
                Ok(Values::in_file(path.clone(), stored.offset, float, len))
            }
            Stored::Pytorch(tensor) => read_pytorch(&self.path, tensor).map(Values::in_memory),
        }
    }

    /// Values of an integer tensor of safetensors as i64: ids and grids.
    pub fn read_integers(&self, name: &str) -> Result<Vec<i64>, ConvertError> {
        let Some(Stored::Safetensors(stored, path)) = self.tensors.get(name) else {
            return Err(ConvertError::MissingTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
                expected: vec![],
            });
        };
        read_integers(stored, path, name)
    }

    fn add_safetensors(
        &mut self,
        path: &Path,
        weight_map: Option<&BTreeMap<String, String>>,
    ) -> Result<(), ConvertError> {
        let file = path.file_name().and_then(|name| name.to_str());
        for (name, stored) in read_tensors(path)? {
            // A shard may hold more than the index gives it; the index decides.
            if weight_map.is_none_or(|map| map.get(&name).map(String::as_str) == file) {
                let stored = Stored::Safetensors(stored, path.to_owned());
                self.tensors.insert(name, stored);
            }
        }
        Ok(())
    }
}

impl Stored {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Safetensors(stored, _) => &stored.shape,
            Self::Pytorch(tensor) => tensor.shape(),
        }
    }
}

fn float_of(path: &Path, tensor: &str, dtype: Dtype) -> Result<Float, ConvertError> {
    match dtype {
        Dtype::F64 => Ok(Float::F64),
        Dtype::F32 => Ok(Float::F32),
        Dtype::F16 => Ok(Float::F16),
        Dtype::BF16 => Ok(Float::Bf16),
        other => Err(ConvertError::Dtype {
            path: path.to_owned(),
            tensor: tensor.to_owned(),
            found: format!("{other:?}"),
        }),
    }
}

fn read_pytorch(path: &Path, tensor: &pytorch_reader::Tensor) -> Result<Vec<f32>, ConvertError> {
    let float = match tensor.dtype() {
        DType::F64 => Float::F64,
        DType::F32 => Float::F32,
        DType::F16 => Float::F16,
        DType::BF16 => Float::Bf16,
        other => {
            let (tensor, found) = (tensor.name.clone(), format!("{other:?}"));
            return Err(ConvertError::Dtype {
                path: path.to_owned(),
                tensor,
                found,
            });
        }
    };
    // The reader gives native-endian bytes; every target of ours is little-endian.
    let bytes = tensor.read().map_err(|error| ConvertError::Weights {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let mut values = Vec::with_capacity(tensor.num_elements());
    float.extend(&bytes, &mut values);
    Ok(values)
}

/// Opens a head: `model.safetensors` where it is there, else `pytorch_model.bin`.
pub(super) fn open_head(folder: &Path) -> Result<Checkpoint, ConvertError> {
    if folder.join("model.safetensors").exists() {
        return Checkpoint::open_safetensors(folder, "model");
    }
    let path = folder.join("pytorch_model.bin");
    // A missing file is told in our words; the reader's own error does not name it.
    if !path.exists() {
        read_bytes(&path)?;
    }
    Checkpoint::open_pytorch(&path)
}
