//! Opening the device that runs the network.

use crate::error::EngineError;
use burn::tensor::{DType, Device};
use servimage_model::Storage;

/// Bound on what f16 activations add to the largest relative error of a tensor. Golden `a` on lavapipe, 2026-11-25: hidden states
/// 1.9e-3, heads up to 9.4e-4; nano as q4: P(pay) of a picture moves by 1.1e-5.
const F16_ROUNDING: f64 = 1e-2;

/// Which kind of device runs the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compute {
    /// A GPU through wgpu: WebGPU in a browser, Vulkan, Metal or DirectX natively.
    Gpu,
    /// burn's pure-Rust CPU backend (Flex).
    Cpu,
}

/// An open device and its name for people.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// Handle for burn.
    pub device: Device,
    /// What it is.
    pub compute: Compute,
    /// How activations between two layers are stored: f32 unless [`OpenDevice::with_f16_activations`] was asked for.
    pub activations: Storage,
    /// Name for provenance, such as `gpu (wgpu)`, `gpu (wgpu), f16 activations` or `cpu (flex)`.
    pub name: String,
}

impl OpenDevice {
    /// The same device with f16 activations: half the bytes between two layers, for about three digits. Sums, norms' statistics,
    /// softmax and the residual stream stay f32. No default: no GPU was at hand to show where it is faster.
    ///
    /// # Errors
    /// [`EngineError::NoF16`] where the device cannot.
    pub fn with_f16_activations(mut self) -> Result<Self, EngineError> {
        if self.compute == Compute::Cpu || !self.device.supports_dtype(DType::F16) {
            return Err(EngineError::NoF16 { device: self.name });
        }
        self.activations = Storage::F16;
        self.name.push_str(", f16 activations");
        Ok(self)
    }

    /// What the storage of activations may add to a relative error, beyond f32's own bound.
    pub fn rounding(&self) -> f64 {
        match self.activations {
            Storage::F32 => 0.0,
            Storage::F16 | Storage::F16Sixteenths => F16_ROUNDING,
        }
    }
}

/// Opens a device. Call it once a kind and thread: burn keeps the runtime for good.
///
/// In a browser the caller must have checked for an adapter with `timestamp-query` before asking for
/// [`Compute::Gpu`]: cubecl 0.11 panics without it. `adapter_name` is what the caller knows of the adapter.
///
/// # Errors
/// [`EngineError::NoGpu`] where no adapter or device can be had.
pub async fn open_device(compute: Compute, adapter_name: &str) -> Result<OpenDevice, EngineError> {
    match compute {
        Compute::Cpu => Ok(OpenDevice {
            device: Device::flex(),
            compute,
            activations: Storage::F32,
            name: "cpu (flex)".to_owned(),
        }),
        Compute::Gpu => {
            let device =
                Device::wgpu_options()
                    .init_async()
                    .await
                    .map_err(|error| EngineError::NoGpu {
                        reason: error.to_string(),
                    })?;
            let name = match adapter_name {
                "" => "gpu (wgpu)".to_owned(),
                adapter => format!("gpu (wgpu, {adapter})"),
            };
            Ok(OpenDevice {
                device,
                compute,
                activations: Storage::F32,
                name,
            })
        }
    }
}
