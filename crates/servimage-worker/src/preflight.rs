//! What a large pack asks of this device: told to the page before any of it is downloaded.

use crate::platform::{now_millis, post};
use servimage_bench::message::Response;
use servimage_bench::preflight::Preflight;
use servimage_bench::verdict::ErrorInfo;
use servimage_engine::{OpenDevice, doubts, image_flop};
use servimage_pack::{Layout, Manifest};

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

/// What was measured: a device, a layout and a width, and floating-point operations per second.
type Measured = (String, Layout, usize, f64);

/// Devices' speeds, each measured once.
#[derive(Default)]
pub(crate) struct Speeds(Vec<Measured>);

impl Speeds {
    /// Floating-point operations per second of a device on a pack's weights.
    pub async fn of(&mut self, device: &OpenDevice, manifest: &Manifest) -> Result<f64, ErrorInfo> {
        let (quant, d_in) = (manifest.quant, manifest.text.d_model.clamp(64, 4096));
        let is_known = |(name, layout, width, _): &&Measured| {
            (name, *layout, *width) == (&device.name, quant, d_in)
        };
        if let Some((.., flops)) = self.0.iter().find(is_known) {
            return Ok(*flops);
        }
        let measured = device.measure_flops(quant, d_in, now_millis);
        let flops = measured.await.map_err(|error| error.info())?;
        self.0.push((device.name.clone(), quant, d_in, flops));
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
    missing_bytes: u64,
    free_bytes: Option<u64>,
    insists: bool,
) -> Result<(), Unloaded> {
    let flops = speeds.of(device, manifest).await?;
    let report = Preflight {
        name: manifest.name.clone(),
        device: device.name.clone(),
        missing_bytes,
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
