//! What a large pack asks of this device: told to the page before any of it is downloaded.

use crate::platform::{now_millis, post};
use servimage_bench::message::Response;
use servimage_bench::preflight::Preflight;
use servimage_bench::verdict::ErrorInfo;
use servimage_engine::{OpenDevice, doubts, image_flop};
use servimage_pack::Manifest;

/// Parameters from which on a device's speed is worth measuring.
pub(crate) const LARGE_PARAMETERS: u64 = 50_000_000;

/// Why loading ended without a pack.
pub(crate) enum Unloaded {
    /// It failed.
    Failed(ErrorInfo),
    /// The visitor is asked first.
    Asked,
}

impl From<ErrorInfo> for Unloaded {
    fn from(error: ErrorInfo) -> Self {
        Self::Failed(error)
    }
}

/// Devices' speeds, each measured once.
#[derive(Default)]
pub(crate) struct Speeds(Vec<(String, f64)>);

impl Speeds {
    /// Floating-point operations per second of a device on a pack's weights.
    pub async fn of(&mut self, device: &OpenDevice, manifest: &Manifest) -> Result<f64, ErrorInfo> {
        let name = format!("{} {}", device.name, manifest.quant);
        if let Some((_, flops)) = self.0.iter().find(|(known, _)| *known == name) {
            return Ok(*flops);
        }
        let d_in = manifest.text.d_model.clamp(64, 4096);
        let measured = device.measure_flops(manifest.quant, d_in, now_millis);
        let flops = measured.await.map_err(|error| error.info())?;
        self.0.push((name, flops));
        Ok(flops)
    }
}

/// Posts what was found.
///
/// # Errors
/// [`Unloaded::Asked`] where there are doubts and the visitor does not insist; a device that does not compute.
pub(crate) async fn check(
    speeds: &mut Speeds,
    device: &OpenDevice,
    manifest: &Manifest,
    [missing_bytes, free_bytes]: [Option<u64>; 2],
    insists: bool,
) -> Result<(), Unloaded> {
    let flops = speeds.of(device, manifest).await?;
    let report = Preflight {
        name: manifest.name.clone(),
        device: device.name.clone(),
        size_bytes: manifest.files().map(|file| file.size_bytes).sum(),
        missing_bytes: missing_bytes.unwrap_or_default(),
        free_bytes,
        flops,
        seconds_an_image: image_flop(manifest) / flops,
        doubts: doubts(manifest, flops, device.binding_limit()),
    };
    let is_fine = insists || report.doubts.is_empty();
    post(&Response::Preflight { report });
    if is_fine {
        Ok(())
    } else {
        Err(Unloaded::Asked)
    }
}
