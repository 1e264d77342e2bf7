//! The linear layer as burn does it and as we do it, on the same values: to be timed side by side, natively and in a browser.

use crate::made_up::{noise, stored, tensor};
use burn::tensor::quantization::{QuantScheme, QuantValue, ScaleDtype};
use burn::tensor::{DType, Device, Tensor};
use servimage_kernels::{
    Activation, PackedWeight, ReadError, Storage, UploadError, linear_stored, read,
};
use servimage_pack::{Layout, TensorBytes, layout};

/// Who multiplies, with which weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// burn's f32 matmul.
    BurnF32,
    /// burn's matmul with a `QFloat` weight: 4 bits, block 32.
    BurnQ4,
    /// Our kernel, weights in a pack's layout.
    Ours(Layout),
    /// The same on f16 activations.
    OursHalf(Layout),
}

/// All that are timed.
pub const CONTESTANTS: [Contestant; 7] = [
    Contestant::BurnF32,
    Contestant::BurnQ4,
    Contestant::Ours(Layout::F32),
    Contestant::Ours(Layout::Q8),
    Contestant::Ours(Layout::Q4),
    Contestant::OursHalf(Layout::Q8),
    Contestant::OursHalf(Layout::Q4),
];

impl std::fmt::Display for Contestant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BurnF32 => f.write_str("burn f32"),
            Self::BurnQ4 => f.write_str("burn q4"),
            Self::Ours(layout) => write!(f, "ours {layout}"),
            Self::OursHalf(layout) => write!(f, "ours {layout}, f16 activations"),
        }
    }
}

impl Contestant {
    /// Whether `device` can run it.
    pub fn runs_on(self, device: &Device) -> bool {
        match self {
            Self::OursHalf(_) => *device != Device::flex() && device.supports_dtype(DType::F16),
            Self::BurnF32 | Self::BurnQ4 | Self::Ours(_) => true,
        }
    }
}

/// One layer, ready to run.
pub struct Contest(Box<dyn Fn() -> Tensor<2>>);

impl Contest {
    /// A layer of `[rows, d_in, d_out]` with made-up values.
    ///
    /// # Errors
    /// [`UploadError`] where the weight is too large for the device.
    pub fn new(
        contestant: Contestant,
        [n_rows, d_in, d_out]: [usize; 3],
        device: &Device,
    ) -> Result<Self, UploadError> {
        let (x, weight) = (noise(n_rows * d_in, 1), noise(d_in * d_out, 2));
        let float = || tensor(&weight, [d_out, d_in], device);
        let packed = |layout| {
            let part = TensorBytes {
                name: "weight".to_owned(),
                shape: vec![d_out, d_in],
                layout,
                bytes: layout::encode("weight", layout, &weight, &[d_out, d_in])?,
            };
            PackedWeight::upload(&[part], device)
        };
        let ours = |storage, weight: PackedWeight| {
            let x = stored(&x, [n_rows, d_in], device, storage);
            move || {
                linear_stored(
                    x.clone(),
                    &weight,
                    None,
                    None,
                    Activation::None,
                    [storage; 2],
                )
            }
        };
        Ok(match contestant {
            Contestant::BurnF32 => {
                let (x, weight) = (tensor(&x, [n_rows, d_in], device), float());
                Self(Box::new(move || {
                    x.clone().matmul(weight.clone().transpose())
                }))
            }
            Contestant::BurnQ4 => {
                let scheme = QuantScheme::default()
                    .with_value(QuantValue::Q4S)
                    .per_block([32], ScaleDtype::F32);
                let weight = float().quantize_dynamic(&scheme);
                let x = tensor(&x, [n_rows, d_in], device);
                Self(Box::new(move || {
                    x.clone().matmul(weight.clone().transpose())
                }))
            }
            Contestant::Ours(layout) => Self(Box::new(ours(Storage::F32, packed(layout)?))),
            Contestant::OursHalf(layout) => Self(Box::new(ours(Storage::F16, packed(layout)?))),
        })
    }

    /// Runs it once and reads the result back, so that the device has finished.
    ///
    /// # Errors
    /// [`ReadError`] where the device does not give its values.
    pub async fn run(&self) -> Result<Vec<f32>, ReadError> {
        read((self.0)()).await
    }
}
