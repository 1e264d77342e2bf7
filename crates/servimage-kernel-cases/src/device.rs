//! A GPU as it is handed to a page that asks for nothing.

use burn::tensor::Device;
use burn::tensor::wgpu::{WgpuSetup, wgpu};

/// Opens a GPU with the limits that every WebGPU device has: 256 invocations, 16 KiB of workgroup memory, bindings of 128 MiB.
///
/// A browser holds kernels to all of them; natively wgpu does not look at workgroup memory.
///
/// # Errors
/// One sentence where there is no such device.
pub async fn open_with_default_limits() -> Result<Device, String> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = instance.request_adapter(&options).await;
    let adapter = adapter.map_err(|error| error.to_string())?;
    // The runtime takes times where the adapter can; f16 is a feature, no limit.
    let features = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SHADER_F16;
    let asked = wgpu::DeviceDescriptor {
        required_features: adapter.features() & features,
        required_limits: wgpu::Limits::default(),
        ..Default::default()
    };
    let opened = adapter.request_device(&asked).await;
    let (device, queue) = opened.map_err(|error| error.to_string())?;
    let setup = WgpuSetup {
        backend: adapter.get_info().backend,
        instance,
        adapter,
        device,
        queue,
    };
    let registered = Device::wgpu_options().setup(setup).init();
    registered.map_err(|error| error.to_string())
}
