//! LoRA adapters of the published layout: which weight each one changes, and by how much.
//!
//! `W' = W + scale * B A`, `scale = alpha / r` (or `alpha / sqrt(r)` with `use_rslora`), summed in f64 and rounded
//! once, which is exact to half a unit in the last place of f32.

use super::checkpoint::Checkpoint;
use super::error::ConvertError;
use super::json::JsonFile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Adapter folders of a stage with the module that their names are relative to.
const ADAPTERS: [(&str, &str); 3] = [
    ("vision_lora", "model.visual."),
    ("projector_lora", "model.visual.merger."),
    ("llm_lora", "model.language_model."),
];

/// Settings of PEFT that change the arithmetic, with the only values that ServImage merges.
const PLAIN_LORA: [(&str, Value); 7] = [
    ("use_dora", Value::Bool(false)),
    ("use_qalora", Value::Bool(false)),
    ("use_bdlora", Value::Bool(false)),
    ("fan_in_fan_out", Value::Bool(false)),
    ("lora_bias", Value::Bool(false)),
    ("modules_to_save", Value::Null),
    ("target_parameters", Value::Null),
];

/// A low-rank change of one weight, seen as a matrix `[d_out, d_in]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LowRank {
    /// Rank.
    pub rank: usize,
    /// Factor of `B A`.
    pub scale: f64,
    /// `[rank, d_in]`
    pub a: Vec<f32>,
    /// `[d_out, rank]`
    pub b: Vec<f32>,
}

/// All low-rank changes of a stage, by the weight's name without `.weight`.
pub(super) type StageLora = BTreeMap<String, LowRank>;

/// Reads the adapters of `stage`. `weights` gives the shape of each weight that may be adapted, by name.
pub(super) fn read_stage(
    stage: &Path,
    weights: &BTreeMap<String, [usize; 2]>,
    warnings: &mut Vec<String>,
) -> Result<StageLora, ConvertError> {
    let mut origins = BTreeMap::new();
    let mut merged = StageLora::new();
    for (folder, root) in ADAPTERS {
        let path = stage.join(folder);
        if !path.exists() {
            warnings.push(format!(
                "`{}` is missing: nothing of it is merged",
                path.display()
            ));
            continue;
        }
        for (target, tensor, low_rank) in read_adapter(&path, root, weights)? {
            let origin = format!("{folder}: {tensor}");
            match merged.get(&target) {
                None => {
                    merged.insert(target.clone(), low_rank);
                    origins.insert(target, origin);
                }
                // `vision_lora` may carry the merger that `projector_lora` carries too: one module, saved twice.
                Some(known) if *known == low_rank => {}
                Some(_) => {
                    let first = origins.remove(&target).unwrap_or_default();
                    let weight = format!("{target}.weight");
                    return Err(ConvertError::AdapterConflict {
                        weight,
                        first,
                        second: origin,
                    });
                }
            }
        }
    }
    Ok(merged)
}

/// One adapter folder: target, name of its `A` tensor, change.
fn read_adapter(
    folder: &Path,
    root: &str,
    weights: &BTreeMap<String, [usize; 2]>,
) -> Result<Vec<(String, String, LowRank)>, ConvertError> {
    let config = Scales::read(folder)?;
    let tensors = Checkpoint::open_safetensors(folder, "adapter_model")?;
    let mut found = Vec::new();
    for tensor in tensors.names() {
        let no_home = |reason: String| ConvertError::NoHome {
            path: tensors.path.clone(),
            tensor: tensor.to_owned(),
            reason,
        };
        let Some((module, matrix)) = split_name(tensor) else {
            return Err(no_home(
                "expected base_model.model.NAME.lora_A.weight or lora_B.weight".into(),
            ));
        };
        let target = format!("{root}{module}");
        let Some(&[d_out, d_in]) = weights.get(&format!("{target}.weight")) else {
            return Err(no_home(format!(
                "the base has no linear weight `{target}.weight`"
            )));
        };
        let partner = tensor.replacen(
            matrix,
            if matrix == "lora_A" {
                "lora_B"
            } else {
                "lora_A"
            },
            1,
        );
        if tensors.shape(&partner).is_none() {
            return Err(no_home(format!("its other half `{partner}` is missing")));
        }
        if matrix == "lora_A" {
            let low_rank = read_pair(&tensors, [tensor, &partner], [d_out, d_in], &config, module)?;
            found.push((target, tensor.to_owned(), low_rank));
        }
    }
    Ok(found)
}

/// Module and matrix of an adapter tensor's name; older saves put an adapter's name before `.weight`.
fn split_name(tensor: &str) -> Option<(&str, &'static str)> {
    let name = tensor.strip_prefix("base_model.model.")?;
    let name = name.strip_suffix(".weight")?;
    let name = name.strip_suffix(".default").unwrap_or(name);
    ["lora_A", "lora_B"].into_iter().find_map(|matrix| {
        name.strip_suffix(matrix)
            .and_then(|module| module.strip_suffix('.'))
            .map(|module| (module, matrix))
    })
}

fn read_pair(
    tensors: &Checkpoint,
    [name_a, name_b]: [&str; 2],
    [d_out, d_in]: [usize; 2],
    config: &Scales,
    module: &str,
) -> Result<LowRank, ConvertError> {
    let (rank, scale) = config.of(module);
    // A convolution's halves have its kernel's dimensions, all of them in A and ones in B.
    let flat = |name: &str, expected: [usize; 2]| {
        let shape = tensors.shape(name).unwrap_or_default().to_vec();
        let matches = shape.first() == Some(&expected[0])
            && shape[1..].iter().product::<usize>() == expected[1];
        if matches {
            return tensors.read(name, &shape);
        }
        let (path, tensor, expected) = (tensors.path.clone(), name.to_owned(), expected.to_vec());
        Err(ConvertError::Shape {
            path,
            tensor,
            expected,
            found: shape,
        })
    };
    Ok(LowRank {
        rank,
        scale,
        a: flat(name_a, [rank, d_in])?,
        b: flat(name_b, [d_out, rank])?,
    })
}

/// Ranks and scales of an adapter, from `adapter_config.json`.
struct Scales {
    rank: usize,
    alpha: f64,
    rank_pattern: BTreeMap<String, usize>,
    alpha_pattern: BTreeMap<String, f64>,
    use_rslora: bool,
}

impl Scales {
    fn read(folder: &Path) -> Result<Self, ConvertError> {
        let file = JsonFile::read(folder.join("adapter_config.json"))?;
        file.only("peft_type", &[json!("LORA")])?;
        file.only("bias", &[json!("none")])?;
        for (field, plain) in PLAIN_LORA {
            file.only(field, &[plain, json!([])])?;
        }
        let scales = Self {
            rank: file.need("r")?,
            alpha: file.need("lora_alpha")?,
            rank_pattern: file.get("rank_pattern")?.unwrap_or_default(),
            alpha_pattern: file.get("alpha_pattern")?.unwrap_or_default(),
            use_rslora: file.get("use_rslora")?.unwrap_or(false),
        };
        // PEFT reads pattern keys as regular expressions; plain module names are the same in both readings.
        let plain = |key: &String| {
            key.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        for (field, keys) in [
            (
                "rank_pattern",
                scales.rank_pattern.keys().collect::<Vec<_>>(),
            ),
            ("alpha_pattern", scales.alpha_pattern.keys().collect()),
        ] {
            if !keys.into_iter().all(plain) {
                return Err(file.error(field, "plain module names as keys, no regular expressions"));
            }
        }
        let ranks = std::iter::once(&scales.rank).chain(scales.rank_pattern.values());
        if ranks.into_iter().any(|&rank| rank == 0) {
            return Err(file.error("r", "ranks above 0"));
        }
        Ok(scales)
    }

    /// Rank and scale of a module.
    fn of(&self, module: &str) -> (usize, f64) {
        let rank = *by_pattern(&self.rank_pattern, module).unwrap_or(&self.rank);
        let alpha = *by_pattern(&self.alpha_pattern, module).unwrap_or(&self.alpha);
        let divisor = if self.use_rslora {
            (rank as f64).sqrt()
        } else {
            rank as f64
        };
        (rank, alpha / divisor)
    }
}

/// The value whose key is the module's name or the end of it after a dot.
fn by_pattern<'a, T>(pattern: &'a BTreeMap<String, T>, module: &str) -> Option<&'a T> {
    let ends = |key: &str| {
        module
            .strip_suffix(key)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    pattern
        .iter()
        .find(|(key, _)| ends(key))
        .map(|(_, value)| value)
}

impl LowRank {
    /// Adds `scale * B A` to some rows of the weight `[d_out, d_in]`, from `first_row` on.
    pub fn merge_into(&self, rows: &mut [f32], d_in: usize, first_row: usize) {
        let mut delta = vec![0.0_f64; d_in];
        let b_rows = self.b.chunks_exact(self.rank).skip(first_row);
        for (row, b) in rows.chunks_exact_mut(d_in).zip(b_rows) {
            delta.fill(0.0);
            for (b, a) in b.iter().zip(self.a.chunks_exact(d_in)) {
                let factor = self.scale * f64::from(*b);
                for (delta, a) in delta.iter_mut().zip(a) {
                    *delta += factor * f64::from(*a);
                }
            }
            for (value, delta) in row.iter_mut().zip(&delta) {
                *value = (f64::from(*value) + delta) as f32;
            }
        }
    }

    /// `scale * B`, as the pack keeps it.
    pub fn scaled_b(&self) -> Vec<f32> {
        self.b
            .iter()
            .map(|b| (self.scale * f64::from(*b)) as f32)
            .collect()
    }
}
