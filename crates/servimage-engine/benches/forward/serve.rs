//! Answers requests on standard input until it ends.
//!
//! The first line out says what was loaded. A request is `{"input": FILE, "prefix": bool, "copies": N}`: whether the shared start
//! of the prompt is kept for the next one, and how many times the input stands in the batch. Its answer has the milliseconds of the
//! evaluation alone, what the heads said, the operations that it took and the most memory that this process ever held.

use crate::input::InputFile;
use crate::work::operations;
use serde::Deserialize;
use serde_json::json;
use servimage_engine::{Compute, open_device};
use servimage_model::{ModelInput, ServImageModel};
use servimage_pack::dir::DirSource;
use servimage_pack::{Manifest, Pack};
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

#[derive(Deserialize)]
struct Request {
    input: PathBuf,
    #[serde(default)]
    prefix: bool,
    #[serde(default = "one")]
    copies: usize,
}

fn one() -> usize {
    1
}

struct Server {
    manifest: Manifest,
    model: ServImageModel,
    inputs: HashMap<PathBuf, ModelInput>,
    /// The tokens that the last evaluation with `prefix` kept.
    kept: Vec<u32>,
}

/// Loads the pack and answers.
pub fn serve(pack: &Pack<DirSource>, device: &str) -> Result<(), Box<dyn Error>> {
    let compute = match device {
        "cpu" => Compute::Cpu,
        "gpu" | "gpu-f16" => Compute::Gpu,
        other => return Err(format!("device is {other}, expected cpu, gpu or gpu-f16").into()),
    };
    let f16_activations = device == "gpu-f16";
    let start = Instant::now();
    let mut device = pollster::block_on(open_device(compute, ""))?;
    if f16_activations {
        device = device.with_f16_activations()?;
    }
    let mut on_bytes = |_| ();
    let storage = device.activations;
    let load = ServImageModel::load_storing(pack, &device.device, storage, &mut on_bytes);
    let mut server = Server {
        model: pollster::block_on(load)?,
        manifest: pack.manifest().clone(),
        inputs: HashMap::new(),
        kept: Vec::new(),
    };
    say(&json!({
        "device": device.name,
        "load_millis": millis_since(start),
        "pack_bytes": pack.size_bytes(),
        "layout": pack.manifest().quant.as_str(),
        "peak_bytes": peak_bytes(),
    }))?;
    for line in std::io::stdin().lock().lines() {
        say(&server.answer(&serde_json::from_str(&line?)?)?)?;
    }
    Ok(())
}

impl Server {
    fn answer(&mut self, request: &Request) -> Result<serde_json::Value, Box<dyn Error>> {
        let mut input = self.input(&request.input)?;
        if !request.prefix {
            input.prefix_len = 0;
        }
        let prefix = &input.ids[..input.prefix_len];
        let kept = if self.kept == prefix { prefix.len() } else { 0 };
        let work = operations(&self.manifest, &input, kept);
        if request.prefix {
            self.kept = prefix.to_vec();
        }
        let (n_ids, n_patches) = (
            input.ids.len(),
            input.patches.len() / self.manifest.vision.patch_dim(),
        );
        let inputs = vec![input; request.copies];
        let start = Instant::now();
        let outputs = pollster::block_on(self.model.evaluate_batch(&inputs))?;
        Ok(json!({
            "millis": millis_since(start),
            "pay_logits": outputs[0].pay_logits,
            "concept_logits": outputs[0].concept_logits,
            "operations": work * request.copies as f64,
            "n_ids": n_ids,
            "n_patches": n_patches,
            "peak_bytes": peak_bytes(),
        }))
    }

    fn input(&mut self, path: &PathBuf) -> Result<ModelInput, Box<dyn Error>> {
        if let Some(input) = self.inputs.get(path) {
            return Ok(input.clone());
        }
        let input = InputFile::read(path, &self.manifest)?;
        self.inputs.insert(path.clone(), input.clone());
        Ok(input)
    }
}

/// Name and kind of the GPU that burn would take, as wgpu names them.
pub fn print_adapter() -> Result<(), Box<dyn Error>> {
    use burn::tensor::wgpu::wgpu;
    let instance = wgpu::Instance::default();
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let info = pollster::block_on(instance.request_adapter(&options))?.get_info();
    say(&json!({
        "name": info.name,
        "kind": format!("{:?}", info.device_type),
        "driver": format!("{} {}", info.driver, info.driver_info),
        "backend": format!("{:?}", info.backend),
    }))
}

fn say(line: &serde_json::Value) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn millis_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Most memory that this process ever held, where the system says so.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
