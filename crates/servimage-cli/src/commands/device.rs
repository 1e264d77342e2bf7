//! The `--device` and `--activations` arguments.

use clap::{Args, ValueEnum};
use servimage_engine::{Compute, OpenDevice, open_device};

/// What runs the network.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct DeviceArguments {
    /// Device that runs the network
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceArgument,
    /// How a GPU stores activations between two layers; f16 needs one with shader-f16
    #[arg(long, value_enum, default_value = "f32", value_name = "FLOATS")]
    activations: Activations,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DeviceArgument {
    /// The CPU backend
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Activations {
    /// Single precision
    F32,
    /// Half precision; sums stay f32
    F16,
}

impl DeviceArguments {
    /// Opens it.
    pub fn open(self) -> anyhow::Result<OpenDevice> {
        let compute = match self.device {
            DeviceArgument::Cpu => Compute::Cpu,
            DeviceArgument::Gpu => Compute::Gpu,
        };
        let device = pollster::block_on(open_device(compute, ""))?;
        Ok(match self.activations {
            Activations::F32 => device,
            Activations::F16 => device.with_f16_activations()?,
        })
    }
}
