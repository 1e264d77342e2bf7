//! A made-up checkpoint is one: every tensor of the index lies in its file, in bf16, and is random but not wild.

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use servimage_testkit::{MadeUpSize, write_made_up};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

fn json(path: &Path) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

#[test]
fn the_nano_checkpoint_holds_what_its_index_says() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let report = write_made_up(MadeUpSize::Nano, 5, folder.path())?;
    assert!(report.n_shards > 1, "{report:?}");
    let index = json(&folder.path().join("model.safetensors.index.json"))?;
    let weight_map: BTreeMap<String, String> = serde_json::from_value(index["weight_map"].clone())?;
    let files: BTreeSet<&String> = weight_map.values().collect();
    let mut n_values = 0;
    for file in files {
        let bytes = std::fs::read(folder.path().join(file))?;
        for (name, view) in SafeTensors::deserialize(&bytes)?.iter() {
            assert_eq!(weight_map.get(name), Some(file), "{name}");
            assert_eq!(view.dtype(), Dtype::BF16, "{name}");
            let values: Vec<f32> = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|[low, high]| f32::from_le_bytes([0, 0, *low, *high]))
                .collect();
            n_values += values.len() as u64;
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let expected = if name.contains("norm") && name.ends_with("weight") {
                1.0
            } else {
                0.0
            };
            assert!((mean - expected).abs() < 0.1, "{name}: {mean}");
            assert!(values.iter().any(|value| *value != values[0]), "{name}");
        }
    }
    assert_eq!(n_values, report.n_parameters);
    let embedding = "model.language_model.embed_tokens.weight";
    assert!(weight_map.contains_key(embedding));
    let config = json(&folder.path().join("config.json"))?;
    assert_eq!(config["text_config"]["vocab_size"], 1024);
    Ok(())
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_one_others() -> Result<(), Box<dyn Error>> {
    let first_file = |seed| -> Result<Vec<u8>, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let report = write_made_up(MadeUpSize::Nano, seed, folder.path())?;
        let name = format!("model-00001-of-{:05}.safetensors", report.n_shards);
        Ok(std::fs::read(folder.path().join(name))?)
    };
    assert_eq!(first_file(1)?, first_file(1)?);
    assert_ne!(first_file(1)?, first_file(2)?);
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let error = write_made_up(MadeUpSize::Nano, 0, Path::new("/proc/no/such")).err();
    assert!(error.is_some_and(|error| error.to_string().contains("/proc/no/such")));
}
