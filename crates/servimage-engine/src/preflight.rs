//! Whether a pack suits a device, and how long an image will take, from the manifest and one measured product.

use crate::device::OpenDevice;
use crate::error::EngineError;
use burn::tensor::{Device, Tensor, TensorData};
use servimage_bench::preflight::{Doubt, MAX_SECONDS_AN_IMAGE};
use servimage_kernels::{Activation, PackedWeight, binding_limit, linear, read};
use servimage_model::error::RunError;
use servimage_model::text::{GATE_UP, QKV};
use servimage_model::tokens::{EMBEDDING, LM_HEAD};
use servimage_pack::manifest::{Layout, Manifest};
use servimage_pack::{TensorBytes, layout};
use std::collections::BTreeMap;

/// Pixels of the picture that estimates are for: 640 x 480.
const PIXELS: u32 = 640 * 480;

/// Text rows of a prompt behind its pictures.
const TAIL_ROWS: f64 = 64.0;

/// Rows that the brief and the wording before the picture leave in the prefix: attended to, not computed again.
const PREFIX_ROWS: f64 = 300.0;

/// A product that takes a software GPU a quarter of a second.
const SMALL: [usize; 2] = [64, 256];

/// Rows and columns of a product that is not lost on a large GPU.
const LARGE: [usize; 2] = [256, 2048];

/// Milliseconds of the small product below which the large one is worth asking.
const QUICK_MILLIS: f64 = 20.0;

/// Milliseconds of products that a measurement is made of.
const MEASURED_MILLIS: f64 = 80.0;

/// Most products in one go.
const MAX_PRODUCTS: u32 = 64;

/// Floating-point operations of one 640 x 480 image whose brief is read: both towers, and the text tower twice where the payment has
/// an adapter of its own.
pub fn image_flop(manifest: &Manifest) -> f64 {
    let (vision, text) = (&manifest.vision, &manifest.text);
    let processor = &manifest.image_processor;
    let pixels = PIXELS.max(processor.min_pixels).min(processor.max_pixels);
    let patches = f64::from(pixels) / (vision.patch_size * vision.patch_size).max(1) as f64;
    let visual = patches / (vision.spatial_merge_size * vision.spatial_merge_size).max(1) as f64;
    let d = vision.d_model as f64;
    let of_patch = 2.0 * (4.0 * d * d + 2.0 * d * vision.d_hidden as f64);
    let seen = patches * vision.n_layers as f64 * (of_patch + 4.0 * patches * d);

    let (d, heads) = (text.d_model as f64, (text.n_heads * text.head_dim) as f64);
    let keys = (text.n_kv_heads * text.head_dim) as f64;
    let of_row = 2.0 * (2.0 * d * heads + 2.0 * d * keys + 3.0 * d * text.d_hidden as f64);
    let rows = visual + TAIL_ROWS;
    let attended = 4.0 * (PREFIX_ROWS + rows / 2.0) * heads;
    let passes = 1.0 + f64::from(u8::from(manifest.payment_adapter.is_some()));
    seen + passes * rows * text.n_layers as f64 * (of_row + attended)
}

/// Weights that lie on a device as one have one name here: that of the first of them.
fn name_on_device(name: &str) -> String {
    let first = |part| {
        let joined = [&QKV[..], &GATE_UP].into_iter();
        let mut of_this = joined.filter(|joined| joined.contains(&part));
        of_this.next().map_or(part, |joined| joined[0])
    };
    name.split('.').map(first).collect::<Vec<_>>().join(".")
}

/// Reasons against a pack on a device that computes `flops` operations a second and binds `limit_bytes` at once.
pub fn doubts(manifest: &Manifest, flops: f64, limit_bytes: u64) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    // A table of tokens is read row by row on the CPU.
    let weights = manifest.tensors.iter().filter(|tensor| {
        tensor.shape.len() == 2 && tensor.name != EMBEDDING && tensor.name != LM_HEAD
    });
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for tensor in weights {
        let size_bytes = tensor.layout.size_bytes(&tensor.shape).unwrap_or_default();
        *sizes.entry(name_on_device(&tensor.name)).or_default() += size_bytes;
    }
    let largest = sizes.into_iter().max_by_key(|(_, size_bytes)| *size_bytes);
    if let Some((tensor, size_bytes)) = largest.filter(|(_, bytes)| *bytes > limit_bytes) {
        doubts.push(Doubt::TooLarge {
            tensor,
            size_bytes,
            limit_bytes,
        });
    }
    if image_flop(manifest) > MAX_SECONDS_AN_IMAGE * flops {
        doubts.push(Doubt::Slow);
    }
    doubts
}

impl OpenDevice {
    /// Bytes that the device binds at once.
    pub fn binding_limit(&self) -> u64 {
        binding_limit(&self.device)
    }

    /// Floating-point operations per second in a linear layer on weights of this layout, `d_in` wide. Takes well under a second, on a
    /// software GPU too; `now_millis` is a clock.
    ///
    /// # Errors
    /// [`EngineError`] where the device does not compute.
    pub async fn measure_flops(
        &self,
        layout: Layout,
        d_in: usize,
        now_millis: impl Fn() -> f64,
    ) -> Result<f64, EngineError> {
        let small = Product::new(SMALL, d_in, layout, &self.device)?;
        // Uploads, and compiles the kernel.
        small.run(1).await?;
        let millis = small.millis(1, &now_millis).await?;
        if millis > QUICK_MILLIS {
            return Ok(small.flop() / millis * 1e3);
        }
        let large = Product::new(LARGE, d_in, layout, &self.device)?;
        large.run(1).await?;
        let mut n = 1;
        loop {
            let millis = large.millis(n, &now_millis).await?;
            if millis >= MEASURED_MILLIS || n >= MAX_PRODUCTS {
                // A clock that stands still, as some browsers' coarse ones, counts as its step.
                return Ok(f64::from(n) * large.flop() / millis.max(0.1) * 1e3);
            }
            n *= 2;
        }
    }
}

/// A linear layer with made-up values.
struct Product {
    x: Tensor<2>,
    weight: PackedWeight,
}

impl Product {
    fn new(
        [n_rows, d_out]: [usize; 2],
        d_in: usize,
        layout: Layout,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let rows = SMALL[1].min(d_out);
        let values: Vec<f32> = (0..rows * d_in).map(|i| (i % 15) as f32 - 7.0).collect();
        let shape = [rows, d_in];
        let part = TensorBytes {
            name: "preflight".to_owned(),
            shape: shape.to_vec(),
            layout,
            bytes: layout::encode("preflight", layout, &values, &shape)?,
        };
        let parts = vec![part; d_out / rows];
        let x = TensorData::new(vec![0.5f32; n_rows * d_in], [n_rows, d_in]);
        Ok(Self {
            x: Tensor::from_data(x, device),
            weight: PackedWeight::upload(&parts, device)
                .map_err(servimage_model::LoadError::from)?,
        })
    }

    fn flop(&self) -> f64 {
        let [n_rows, d_in] = self.x.dims();
        2.0 * (n_rows * d_in * self.weight.d_out()) as f64
    }

    /// Runs it `n` times and waits for the last.
    async fn run(&self, n: u32) -> Result<(), EngineError> {
        let product = || linear(self.x.clone(), &self.weight, None, None, Activation::None);
        let mut last = product();
        for _ in 1..n {
            last = product();
        }
        let reason = match read(last).await {
            Ok(_) => return Ok(()),
            Err(error) => error.reason,
        };
        Err(RunError::Device { reason }.into())
    }

    async fn millis(&self, n: u32, now_millis: &impl Fn() -> f64) -> Result<f64, EngineError> {
        let begin = now_millis();
        self.run(n).await?;
        Ok(now_millis() - begin)
    }
}
