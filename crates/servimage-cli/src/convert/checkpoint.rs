//! Tensors of a checkpoint, read one at a time: safetensors (one file or shards with an index) and PyTorch `.bin`.
//!
//! Files are read by seeking, not mapped (a mapping needs `unsafe`), in pieces that are turned into f32 as they come, so
//! a tensor costs its f32 size and no more.

use super::error::ConvertError;
use super::json::{read_bytes, read_json};
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::{Dtype, Metadata};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes read at once; a multiple of every element size.
const PIECE_BYTES: usize = 1 << 20;

/// Largest header of a safetensors file, in bytes, as in the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Tensors of one or more weight files, by name.
pub(super) struct Checkpoint {
    /// The folder or file, for messages.
    pub path: PathBuf,
    tensors: BTreeMap<String, Stored>,
}

struct Stored {
    shape: Vec<usize>,
    place: Place,
}

enum Place {
    Safetensors {
        path: PathBuf,
        dtype: Dtype,
        offset: u64,
        size_bytes: u64,
    },
    Pytorch(pytorch_reader::Tensor),
}

/// Element types of weights.
#[derive(Clone, Copy)]
enum Float {
    F64,
    F32,
    F16,
    Bf16,
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
        let files: HashSet<&String> = weight_map.values().collect();
        for file in files {
            if Path::new(file)
                .file_name()
                .is_none_or(|name| name != file.as_str())
            {
                let reason = format!("shard name `{file}` is not a plain file name");
                return Err(ConvertError::Weights {
                    path: index,
                    reason,
                });
            }
            checkpoint.add_safetensors(&folder.join(file), Some(&weight_map))?;
        }
        match weight_map
            .iter()
            .find(|(name, _)| !checkpoint.tensors.contains_key(*name))
        {
            None => Ok(checkpoint),
            Some((name, file)) => {
                let reason = format!("tensor `{name}` is not in `{file}`, where the index puts it");
                Err(ConvertError::Weights {
                    path: index,
                    reason,
                })
            }
        }
    }

    /// Opens a file that `torch.save` wrote.
    pub fn open_pytorch(path: &Path) -> Result<Self, ConvertError> {
        let weights = |error: pytorch_reader::PytorchError| ConvertError::Weights {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let tensors = PytorchReader::new(path).map_err(weights)?.into_tensors();
        let stored = |tensor: pytorch_reader::Tensor| Stored {
            shape: tensor.shape().to_vec(),
            place: Place::Pytorch(tensor),
        };
        let tensors = tensors
            .into_iter()
            .map(|(name, tensor)| (name, stored(tensor)))
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
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// Values of tensor `name`, which must have shape `expected`.
    pub fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, ConvertError> {
        let (path, tensor) = (self.path.clone(), name.to_owned());
        let Some(stored) = self.tensors.get(name) else {
            return Err(ConvertError::MissingTensor {
                path,
                tensor,
                expected: expected.to_vec(),
            });
        };
        if stored.shape != expected {
            return Err(ConvertError::Shape {
                path,
                tensor,
                expected: expected.to_vec(),
                found: stored.shape.clone(),
            });
        }
        match &stored.place {
            Place::Safetensors {
                path,
                dtype,
                offset,
                size_bytes,
            } => {
                let float = float_of(path, name, *dtype)?;
                read_range(path, *offset, *size_bytes, float).map_err(|source| ConvertError::Read {
                    path: path.clone(),
                    source,
                })
            }
            Place::Pytorch(tensor) => read_pytorch(&self.path, tensor),
        }
    }

    /// Values of an integer or float tensor of safetensors as i64: ids and grids.
    pub fn read_integers(&self, name: &str) -> Result<Vec<i64>, ConvertError> {
        let Some(Stored {
            place:
                Place::Safetensors {
                    path,
                    dtype,
                    offset,
                    size_bytes,
                },
            ..
        }) = self.tensors.get(name)
        else {
            return Err(ConvertError::MissingTensor {
                path: self.path.clone(),
                tensor: name.to_owned(),
                expected: vec![],
            });
        };
        let bytes = read_raw(path, *offset, *size_bytes).map_err(|source| ConvertError::Read {
            path: path.clone(),
            source,
        })?;
        match dtype {
            Dtype::I32 => Ok(bytes
                .as_chunks()
                .0
                .iter()
                .map(|word| i64::from(i32::from_le_bytes(*word)))
                .collect()),
            Dtype::I64 => Ok(bytes
                .as_chunks()
                .0
                .iter()
                .map(|word| i64::from_le_bytes(*word))
                .collect()),
            other => Err(ConvertError::Config {
                path: path.clone(),
                field: name.to_owned(),
                expected: "I32 or I64".to_owned(),
                found: format!("{other:?}"),
            }),
        }
    }

    fn add_safetensors(
        &mut self,
        path: &Path,
        weight_map: Option<&BTreeMap<String, String>>,
    ) -> Result<(), ConvertError> {
        let (metadata, data_start, file_bytes) = read_header(path)?;
        for (name, info) in metadata.tensors() {
            let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            let bits = info
                .shape
                .iter()
                .try_fold(info.dtype.bitsize() as u64, |bits, &dim| {
                    bits.checked_mul(dim as u64)
                });
            let size_bytes = end.saturating_sub(start);
            let fits = data_start
                .checked_add(end)
                .is_some_and(|end| end <= file_bytes);
            if start > end || !fits || bits.map(|bits| bits / 8) != Some(size_bytes) {
                let reason = format!(
                    "tensor `{name}` of shape {:?} lies at {start}..{end} of {} data bytes",
                    info.shape,
                    file_bytes.saturating_sub(data_start)
                );
                return Err(ConvertError::Weights {
                    path: path.to_owned(),
                    reason,
                });
            }
            // A shard may hold more than the index gives it; the index decides.
            let file = path.file_name().and_then(|name| name.to_str());
            if weight_map.is_some_and(|map| map.get(&name).map(String::as_str) != file) {
                continue;
            }
            let place = Place::Safetensors {
                path: path.to_owned(),
                dtype: info.dtype,
                offset: data_start + start,
                size_bytes,
            };
            self.tensors.insert(
                name,
                Stored {
                    shape: info.shape.clone(),
                    place,
                },
            );
        }
        Ok(())
    }
}

/// Header of a safetensors file, where its data begins, and the file's size.
fn read_header(path: &Path) -> Result<(Metadata, u64, u64), ConvertError> {
    let read = |source| ConvertError::Read {
        path: path.to_owned(),
        source,
    };
    let weights = |reason: String| ConvertError::Weights {
        path: path.to_owned(),
        reason,
    };
    let mut file = File::open(path).map_err(read)?;
    let file_bytes = file.metadata().map_err(read)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| weights(format!("{file_bytes} bytes are too few for a header")))?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES || header_bytes + 8 > file_bytes {
        return Err(weights(format!(
            "a header of {header_bytes} bytes does not fit the file's {file_bytes}"
        )));
    }
    let mut header = Vec::new();
    file.take(header_bytes)
        .read_to_end(&mut header)
        .map_err(read)?;
    let metadata = serde_json::from_slice(&header)
        .map_err(|error| weights(format!("its header is damaged: {error}")))?;
    Ok((metadata, header_bytes + 8, file_bytes))
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

fn read_range(
    path: &Path,
    offset: u64,
    size_bytes: u64,
    float: Float,
) -> std::io::Result<Vec<f32>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    // `add_safetensors` has checked the size against the file's, so this is no more than the file holds (as f32).
    let mut values = Vec::with_capacity(size_bytes as usize / float.size_bytes());
    let mut piece = vec![0; PIECE_BYTES];
    let mut rest = size_bytes;
    while rest > 0 {
        let now = (PIECE_BYTES as u64).min(rest) as usize;
        file.read_exact(&mut piece[..now])?;
        float.extend(&piece[..now], &mut values);
        rest -= now as u64;
    }
    Ok(values)
}

fn read_raw(path: &Path, offset: u64, size_bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(size_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Float {
    fn size_bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Appends the values in `bytes`, little-endian.
    fn extend(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F64 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|value| f64::from_le_bytes(*value) as f32),
            ),
            Self::F32 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|value| f32::from_le_bytes(*value)),
            ),
            Self::F16 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|value| f16::from_le_bytes(*value).to_f32()),
            ),
            Self::Bf16 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|value| bf16::from_le_bytes(*value).to_f32()),
            ),
        }
    }
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
