//! Opening the device that runs the network.

use crate::error::EngineError;
use burn::tensor::Device;

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
    /// Name for provenance, such as `gpu (wgpu)` or `cpu (flex)`.
    pub name: String,
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
                name,
            })
        }
    }
}
