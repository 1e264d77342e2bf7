//! The `--device` argument.

use clap::ValueEnum;
use servimage_engine::{Compute, OpenDevice, open_device};

/// Which device runs the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DeviceArgument {
    /// The CPU backend
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX
    Gpu,
}

impl DeviceArgument {
    /// Opens it.
    pub fn open(self) -> anyhow::Result<OpenDevice> {
        let compute = match self {
            Self::Cpu => Compute::Cpu,
            Self::Gpu => Compute::Gpu,
        };
        Ok(pollster::block_on(open_device(compute, ""))?)
    }
}
