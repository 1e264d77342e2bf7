//! Weights by their checkpoint names, and the burn modules made of them.
//!
//! The plain map is the truth; modules are made of it for every step. That is cheap at this size, and it makes
//! saving, resuming and exporting one and the same thing on every device.

use crate::error::TrainError;
use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use servimage_model::LoadError;
use servimage_model::source::{ParamKind, ParamSource, RandomParams};
use std::collections::BTreeMap;
use std::path::Path;

/// Values of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major.
    pub data: Vec<f32>,
}

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// In the order of their names.
    pub tensors: BTreeMap<String, Values>,
}

impl Weights {
    /// Makes a `layer` map the mean of `rows` (`[n, d_model]`) to 0 and their spread to about 1.
    pub(crate) fn centre(&mut self, layer: &str, rows: &[f32], [n, d_model]: [usize; 2]) {
        let mean: Vec<f32> = (0..d_model)
            .map(|i| rows.iter().skip(i).step_by(d_model).sum::<f32>() / n as f32)
            .collect();
        let square: f32 = rows
            .iter()
            .enumerate()
            .map(|(i, x)| (x - mean[i % d_model]).powi(2))
            .sum();
        let spread = (square / rows.len() as f32).sqrt().max(1e-6);
        let Some(weight) = self.tensors.get_mut(&format!("{layer}.weight")) else {
            return;
        };
        weight.data.iter_mut().for_each(|w| *w /= spread);
        let shifted: Vec<f32> = weight
            .data
            .chunks_exact(d_model)
            .map(|row| -row.iter().zip(&mean).map(|(w, m)| w * m).sum::<f32>())
            .collect();
        if let Some(bias) = self.tensors.get_mut(&format!("{layer}.bias")) {
            bias.data = shifted;
        }
    }

    /// Number of values.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.tensors.values().map(|values| values.data.len()).sum()
    }

    /// Reads an f32 safetensors file.
    ///
    /// # Errors
    /// [`TrainError::File`] or [`TrainError::Safetensors`].
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(path).map_err(|source| TrainError::File {
            path: path.to_path_buf(),
            source,
        })?;
        let wrap = |source| TrainError::Safetensors {
            path: path.to_path_buf(),
            source,
        };
        let file = SafeTensors::deserialize(&bytes).map_err(wrap)?;
        let tensors = file.iter().map(|(name, view)| {
            let data = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            (
                name.to_owned(),
                Values {
                    shape: view.shape().to_vec(),
                    data,
                },
            )
        });
        Ok(Self {
            tensors: tensors.collect(),
        })
    }

    /// Writes an f32 safetensors file, through a temporary one so that an interrupted write harms nothing.
    ///
    /// # Errors
    /// [`TrainError::File`] or [`TrainError::Safetensors`].
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let wrap = |source| TrainError::Safetensors {
            path: path.to_path_buf(),
            source,
        };
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, v)| {
                (
                    name.clone(),
                    v.shape.clone(),
                    v.data.iter().flat_map(|x| x.to_le_bytes()).collect(),
                )
            })
            .collect();
        let views: Result<Vec<_>, _> = bytes
            .iter()
            .map(|(name, shape, data)| {
                Ok((
                    name.as_str(),
                    TensorView::new(Dtype::F32, shape.clone(), data)?,
                ))
            })
            .collect();
        let file = safetensors::serialize(views.map_err(wrap)?, None).map_err(wrap)?;
        write_whole(path, &file)
    }
}

/// Writes a file under another name first, then renames it.
///
/// # Errors
/// [`TrainError::File`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let wrap = |source| TrainError::File {
        path: path.to_path_buf(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrap)?;
    }
    let part = path.with_extension("part");
    std::fs::write(&part, bytes).map_err(wrap)?;
    std::fs::rename(&part, path).map_err(wrap)
}

/// One parameter that a module took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Name in the checkpoint.
    pub name: String,
    /// Key of its gradient.
    pub id: ParamId,
    /// Number of axes.
    pub rank: usize,
}

/// Rounded values by name, for modules that run on them in place of the weights.
pub type Rounded = BTreeMap<String, Vec<f32>>;

/// Gives the values of a map to modules, or the rounded ones where there are any; what the map lacks is started at random.
pub struct NamedParams<'a> {
    weights: &'a Weights,
    rounded: &'a Rounded,
    start: RandomParams,
    device: Device,
    /// What was given, in order.
    pub taken: Vec<Taken>,
    /// What was started at random.
    pub started: Weights,
}

impl<'a> NamedParams<'a> {
    /// Parameters on `device`; missing ones are drawn from `seed`.
    pub fn new(weights: &'a Weights, rounded: &'a Rounded, seed: u64, device: &Device) -> Self {
        Self {
            weights,
            rounded,
            start: RandomParams::new(seed, Device::flex()),
            device: device.clone(),
            taken: Vec::new(),
            started: Weights::default(),
        }
    }
}

impl ParamSource for NamedParams<'_> {
    async fn param<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        kind: ParamKind,
    ) -> Result<Param<Tensor<D>>, LoadError> {
        if !self.weights.tensors.contains_key(name) {
            let drawn = self.start.param(name, shape, kind).await?.val().into_data();
            let mut data: Vec<f32> = drawn.iter::<f32>().collect();
            adjust_start(name, &shape, &mut data);
            self.started.tensors.insert(
                name.to_owned(),
                Values {
                    shape: shape.to_vec(),
                    data,
                },
            );
        }
        let known = self.weights.tensors.get(name);
        let values = known.unwrap_or_else(|| &self.started.tensors[name]);
        // A vector may lie in a file with axes of 1 around it, as the pooling queries do.
        let fits = match D {
            1 => values.data.len() == shape[0],
            _ => values.shape == shape,
        };
        if !fits {
            return Err(LoadError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: values.shape.clone(),
            });
        }
        let data = self.rounded.get(name).unwrap_or(&values.data).clone();
        let param = Param::from_data(TensorData::new(data, shape), &self.device);
        self.taken.push(Taken {
            name: name.to_owned(),
            id: param.id,
            rank: D,
        });
        Ok(param)
    }

    fn set_device(&mut self, device: Device) -> Device {
        std::mem::replace(&mut self.device, device)
    }
}

/// Better starts than pure noise: magnitudes of the patch filters, residual branches that begin small.
fn adjust_start(name: &str, shape: &[usize], data: &mut [f32]) {
    if name.ends_with("blocks.0.mlp.linear_fc1.weight") {
        start_magnitudes(shape[1], data, |d, i| {
            if i < d { (i, i, 1.5) } else { (i, i - d, -1.5) }
        });
    } else if name.ends_with("blocks.0.mlp.linear_fc2.weight") {
        start_magnitudes(shape[1], data, |d, i| (i % d, i, 0.8));
    } else if [
        "attn.proj.weight",
        "mlp.linear_fc2.weight",
        "o_proj.weight",
        "down_proj.weight",
    ]
    .iter()
    .any(|e| name.ends_with(e))
    {
        data.iter_mut().for_each(|value| *value *= 0.4);
    }
}

/// The first feed-forward block begins as `x + |x|`-like: two neurons a channel, one for each sign, both adding to it.
///
/// How strong a wave is matters here, not its sign, and noise finds that out slowly.
fn start_magnitudes(
    n_columns: usize,
    data: &mut [f32],
    entry: impl Fn(usize, usize) -> (usize, usize, f32),
) {
    let n_rows = data.len() / n_columns;
    let d_model = n_rows.min(n_columns);
    data.iter_mut().for_each(|value| *value *= 0.2);
    for i in 0..2 * d_model {
        let (row, column, value) = entry(d_model, i);
        data[row * n_columns + column] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_survive_a_file() -> Result<(), TrainError> {
        let mut weights = Weights::default();
        weights.tensors.insert(
            "a.weight".to_owned(),
            Values {
                shape: vec![2, 3],
                data: vec![1.5, -2.0, 0.0, 3.0, 4.0, 1e-9],
            },
        );
        weights.tensors.insert(
            "b".to_owned(),
            Values {
                shape: vec![1],
                data: vec![7.0],
            },
        );
        let path = std::env::temp_dir().join(format!(
            "servimage-train-weights-{}.safetensors",
            std::process::id()
        ));
        weights.write(&path)?;
        let back = Weights::read(&path)?;
        let _ = std::fs::remove_file(&path);
        assert_eq!(back, weights);
        Ok(())
    }
}
