//! Random bf16 weights as a stream of safetensors files with an index.

use super::shapes::{Dims, Spread, Tensor};
use super::{MadeUpError, MadeUpReport};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Gaussian numbers that every weight is drawn from.
const N_DRAWN: usize = 1 << 16;

/// Writes all tensors and the index.
pub(super) fn write(dims: &Dims, seed: u64, folder: &Path) -> Result<MadeUpReport, MadeUpError> {
    let shards = shards(dims.tensors(), dims.shard_bytes);
    let mut random = Random(seed);
    let drawn: Vec<f32> = (0..N_DRAWN).map(|_| random.gaussian()).collect();
    let mut weight_map = Map::new();
    let mut size_bytes = 0;
    for (index, shard) in shards.iter().enumerate() {
        let name = format!("model-{:05}-of-{:05}.safetensors", index + 1, shards.len());
        let path = folder.join(&name);
        size_bytes += write_shard(&path, shard, &drawn, &mut random)
            .map_err(|source| MadeUpError { path, source })?;
        let entries = shard
            .iter()
            .map(|tensor| (tensor.name.clone(), json!(name)));
        weight_map.extend(entries);
    }
    let n_parameters = shards.iter().flatten().map(n_values).sum();
    let index = json!({
        "metadata": {"total_size": 2 * n_parameters},
        "weight_map": weight_map,
    });
    let path = folder.join("model.safetensors.index.json");
    std::fs::write(&path, format!("{index:#}")).map_err(|source| MadeUpError { path, source })?;
    Ok(MadeUpReport {
        n_parameters,
        n_shards: shards.len(),
        size_bytes,
    })
}

fn n_values(tensor: &Tensor) -> u64 {
    tensor.shape.iter().map(|&dim| dim as u64).product()
}

/// Cuts the list into files of at most `shard_bytes`, one tensor at least.
fn shards(tensors: Vec<Tensor>, shard_bytes: u64) -> Vec<Vec<Tensor>> {
    let mut shards: Vec<Vec<Tensor>> = Vec::new();
    let mut room = 0;
    for tensor in tensors {
        let size_bytes = 2 * n_values(&tensor);
        match shards.last_mut() {
            Some(shard) if size_bytes <= room => {
                room -= size_bytes;
                shard.push(tensor);
            }
            _ => {
                room = shard_bytes.saturating_sub(size_bytes);
                shards.push(vec![tensor]);
            }
        }
    }
    shards
}

/// Writes one file; its size.
fn write_shard(
    path: &Path,
    tensors: &[Tensor],
    drawn: &[f32],
    random: &mut Random,
) -> std::io::Result<u64> {
    let mut header = Map::from_iter([("__metadata__".to_owned(), json!({"format": "pt"}))]);
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += 2 * n_values(tensor);
        let entry: Value =
            json!({"dtype": "BF16", "shape": tensor.shape, "data_offsets": [start, end]});
        header.insert(tensor.name.clone(), entry);
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for tensor in tensors {
        write_values(tensor, drawn, random, &mut file)?;
    }
    file.flush()?;
    Ok(8 + header.len() as u64 + end)
}

/// Draws values from the Gaussian numbers, four with each random word.
fn write_values(
    tensor: &Tensor,
    drawn: &[f32],
    random: &mut Random,
    file: &mut impl Write,
) -> std::io::Result<()> {
    let Spread { mean, std } = tensor.spread;
    let table: Vec<[u8; 2]> = drawn.iter().map(|z| bf16(mean + std * z)).collect();
    let mut rest = n_values(tensor);
    let mut piece = Vec::with_capacity(8 << 13);
    while rest > 0 {
        piece.clear();
        let n = rest.min(4 << 13);
        for _ in 0..n.div_ceil(4) {
            let word = random.word();
            for shift in [0, 16, 32, 48] {
                piece.extend(table[usize::from((word >> shift) as u16)]);
            }
        }
        file.write_all(&piece[..2 * n as usize])?;
        rest -= n;
    }
    Ok(())
}

/// bf16, rounded to nearest.
fn bf16(value: f32) -> [u8; 2] {
    let bits = value.to_bits();
    let rounded = bits + 0x7fff + (bits >> 16 & 1);
    ((rounded >> 16) as u16).to_le_bytes()
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Uniform over 0..1.
    fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller's.
    fn gaussian(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.unit()).cos()) as f32
    }
}
