//! Where parameters come from: a pack, or a seeded random start for training.
//!
//! Both build the same modules through the same `load` functions, one tensor at a time.

use crate::error::LoadError;
use crate::linear::{LinearWeight, LowRank};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::{PackedWeight, Storage};
use servimage_pack::{Layout, Pack, PackSource, TensorBytes};
use std::future::Future;

/// What a parameter is, so that a random start knows its distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Matrix: normal with deviation `1 / sqrt(d_in)`.
    Weight,
    /// Embedding or query: normal with deviation 0.02.
    Table,
    /// Gain of a norm: 1.
    Ones,
    /// Bias: 0.
    Zeros,
}

/// Gives parameters by name.
pub trait ParamSource {
    /// The parameter `name` with `shape`, on the source's device.
    fn param<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        kind: ParamKind,
    ) -> impl Future<Output = Result<Param<Tensor<D>>, LoadError>>;

    /// The weights `NAME.weight` (`[d_out, d_in]`) of layers that read the same input: names and `d_out` of each.
    fn linear(
        &mut self,
        parts: &[(String, usize)],
        d_in: usize,
    ) -> impl Future<Output = Result<LinearWeight, LoadError>> {
        async move {
            let mut weights = Vec::with_capacity(parts.len());
            for (name, d_out) in parts {
                let name = format!("{name}.weight");
                let shape = [*d_out, d_in];
                weights.push(self.param(&name, shape, ParamKind::Weight).await?);
            }
            Ok(LinearWeight::Float(weights))
        }
    }

    /// The payment adapter on such layers, if one of them has one.
    fn adapter(
        &mut self,
        parts: &[(String, usize)],
        d_in: usize,
    ) -> impl Future<Output = Result<Option<LowRank>, LoadError>> {
        let _ = (parts, d_in);
        async { Ok(None) }
    }

    /// Puts what follows on another device and returns the one before.
    fn set_device(&mut self, device: Device) -> Device;

    /// How activations between the layers that are loaded next are stored.
    fn storage(&self) -> Storage {
        Storage::F32
    }
}

/// Parameters of a pack, uploaded one tensor at a time.
pub struct PackParams<'a, S> {
    pack: &'a Pack<S>,
    device: Device,
    storage: Storage,
    on_bytes: &'a mut dyn FnMut(u64),
}

impl<'a, S: PackSource> PackParams<'a, S> {
    /// Reads from `pack` to `device`; `on_bytes` hears the size of each tensor after its upload.
    pub fn new(pack: &'a Pack<S>, device: Device, on_bytes: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            pack,
            device,
            storage: Storage::F32,
            on_bytes,
        }
    }

    /// Has the layers store their activations so, where they lie on a GPU.
    #[must_use]
    pub fn with_storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Tensor `name` as it lies in the pack.
    async fn bytes(&self, name: &str, shape: &[usize]) -> Result<TensorBytes, LoadError> {
        read_shaped(self.pack, name, shape).await
    }

    fn upload(&mut self, parts: &[TensorBytes]) -> Result<PackedWeight, LoadError> {
        let weight = PackedWeight::upload(parts, &self.device)?;
        let size_bytes: usize = parts.iter().map(|part| part.bytes.len()).sum();
        (self.on_bytes)(size_bytes as u64);
        Ok(weight)
    }

    /// Rank of the payment adapter on `name`; 0 without one.
    fn rank(&self, name: &str) -> usize {
        let entry = self.pack.entry(&format!("{name}.lora_a"));
        entry
            .and_then(|entry| entry.shape.first().copied())
            .unwrap_or(0)
    }
}

/// Tensor `name` as it lies in the pack, where it has this shape.
pub(crate) async fn read_shaped(
    pack: &Pack<impl PackSource>,
    name: &str,
    shape: &[usize],
) -> Result<TensorBytes, LoadError> {
    let entry = pack.entry(name).ok_or_else(|| LoadError::Missing {
        name: name.to_owned(),
    })?;
    // A vector may lie in the pack with axes of 1 around it, as the pooling queries do.
    let fits = match shape {
        [n] => entry.shape.iter().product::<usize>() == *n,
        _ => entry.shape == shape,
    };
    if !fits {
        return Err(LoadError::Shape {
            name: name.to_owned(),
            expected: shape.to_vec(),
            found: entry.shape.clone(),
        });
    }
    Ok(pack.read_tensor(name).await?)
}

/// A float tensor in the pack's form.
fn floats(name: String, shape: [usize; 2], values: &[f32]) -> TensorBytes {
    TensorBytes {
        name,
        shape: shape.to_vec(),
        layout: Layout::F32,
        bytes: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
}

impl<S: PackSource> ParamSource for PackParams<'_, S> {
    async fn param<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        _kind: ParamKind,
    ) -> Result<Param<Tensor<D>>, LoadError> {
        let tensor = self.bytes(name, &shape).await?;
        let values = tensor.to_f32()?;
        let size_bytes = tensor.bytes.len() as u64;
        drop(tensor);
        let param = Param::from_data(TensorData::new(values, shape), &self.device);
        (self.on_bytes)(size_bytes);
        Ok(param)
    }

    async fn linear(
        &mut self,
        parts: &[(String, usize)],
        d_in: usize,
    ) -> Result<LinearWeight, LoadError> {
        let mut tensors = Vec::with_capacity(parts.len());
        for (name, d_out) in parts {
            tensors.push(
                self.bytes(&format!("{name}.weight"), &[*d_out, d_in])
                    .await?,
            );
        }
        Ok(LinearWeight::Packed(Box::new(self.upload(&tensors)?)))
    }

    async fn adapter(
        &mut self,
        parts: &[(String, usize)],
        d_in: usize,
    ) -> Result<Option<LowRank>, LoadError> {
        let d_out: usize = parts.iter().map(|(_, d_out)| d_out).sum();
        let ranks: Vec<usize> = parts.iter().map(|(name, _)| self.rank(name)).collect();
        let rank: usize = ranks.iter().sum();
        if rank == 0 {
            return Ok(None);
        }
        let (mut a, mut b) = (Vec::new(), vec![0.0; d_out * rank]);
        let (mut row, mut column) = (0, 0);
        for ((name, d_out), &rank_here) in parts.iter().zip(&ranks) {
            if rank_here > 0 {
                let part = self
                    .bytes(&format!("{name}.lora_a"), &[rank_here, d_in])
                    .await?;
                a.extend(part.to_f32()?);
                let part = self
                    .bytes(&format!("{name}.lora_b"), &[*d_out, rank_here])
                    .await?;
                for (i, values) in part.to_f32()?.chunks_exact(rank_here).enumerate() {
                    let start = (row + i) * rank + column;
                    b[start..start + rank_here].copy_from_slice(values);
                }
            }
            row += d_out;
            column += rank_here;
        }
        let name = |end: &str| format!("{}.{end}", parts[0].0);
        Ok(Some(LowRank {
            a: self.upload(&[floats(name("lora_a"), [rank, d_in], &a)])?,
            b: self.upload(&[floats(name("lora_b"), [d_out, rank], &b)])?,
        }))
    }

    fn set_device(&mut self, device: Device) -> Device {
        std::mem::replace(&mut self.device, device)
    }

    fn storage(&self) -> Storage {
        // The heads run on the CPU, which has one way only.
        match self.device == Device::flex() {
            true => Storage::F32,
            false => self.storage,
        }
    }
}

/// A seeded random start (SplitMix64 and Box-Muller), the same on every machine and device.
pub struct RandomParams {
    state: u64,
    device: Device,
}

impl RandomParams {
    /// Parameters drawn from `seed` on `device`.
    pub fn new(seed: u64, device: Device) -> Self {
        Self {
            state: seed,
            device,
        }
    }

    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

impl ParamSource for RandomParams {
    async fn param<const D: usize>(
        &mut self,
        _name: &str,
        shape: [usize; D],
        kind: ParamKind,
    ) -> Result<Param<Tensor<D>>, LoadError> {
        let n_values = shape.iter().product::<usize>();
        let d_in = shape.last().copied().unwrap_or(1).max(1) as f64;
        let values: Vec<f32> = match kind {
            ParamKind::Weight => (0..n_values)
                .map(|_| (self.normal() / d_in.sqrt()) as f32)
                .collect(),
            ParamKind::Table => (0..n_values)
                .map(|_| (self.normal() * 0.02) as f32)
                .collect(),
            ParamKind::Ones => vec![1.0; n_values],
            ParamKind::Zeros => vec![0.0; n_values],
        };
        Ok(Param::from_data(
            TensorData::new(values, shape),
            &self.device,
        ))
    }

    fn set_device(&mut self, device: Device) -> Device {
        std::mem::replace(&mut self.device, device)
    }
}
