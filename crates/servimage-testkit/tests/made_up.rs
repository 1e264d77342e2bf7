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
fn the_folder_has_every_file_of_a_published_one() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let report = write_made_up(MadeUpSize::Nano, 5, folder.path())?;
    let mut expected: BTreeSet<String> = [
        "chat_template.jinja",
        "chat_template.json",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "model.safetensors.index.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "video_preprocessor_config.json",
        "vocab.json",
    ]
    .map(str::to_owned)
    .into();
    let n_shards = report.n_shards;
    expected.extend(
        (1..=n_shards).map(|index| format!("model-{index:05}-of-{n_shards:05}.safetensors")),
    );
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder.path())? {
        found.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    assert_eq!(found, expected);
    let config = json(&folder.path().join("config.json"))?;
    assert_eq!(config["text_config"]["tie_word_embeddings"], true);
    let index = json(&folder.path().join("model.safetensors.index.json"))?;
    let names = index["weight_map"].as_object().ok_or("no weight_map")?;
    assert!(!names.contains_key("lm_head.weight"), "tied: left out");
    let roots = ["model.language_model.", "model.visual."];
    let has_root = |name: &String| roots.iter().any(|root| name.starts_with(root));
    assert!(names.keys().all(has_root), "{names:?}");
    Ok(())
}

#[test]
fn the_tokenizers_files_say_the_same() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    write_made_up(MadeUpSize::Nano, 5, folder.path())?;
    let tokenizer = json(&folder.path().join("tokenizer.json"))?;
    let config = json(&folder.path().join("config.json"))?;
    let vocab = json(&folder.path().join("vocab.json"))?;
    assert_eq!(tokenizer["model"]["vocab"], vocab);
    let n_learned = vocab.as_object().map(serde_json::Map::len);
    assert_eq!(tokenizer["added_tokens"][0]["id"], Value::from(n_learned));
    // As in the published vocabulary, where the visible bytes come first.
    assert_eq!(
        (&vocab["!"], &vocab["0"], &vocab["Ġ"]),
        (&0.into(), &15.into(), &220.into())
    );
    let merges = std::fs::read_to_string(folder.path().join("merges.txt"))?;
    let merges: Vec<&str> = merges.lines().skip(1).collect();
    assert_eq!(tokenizer["model"]["merges"], Value::from(merges));
    let added = tokenizer["added_tokens"].as_array().ok_or("no tokens")?;
    for (content, field) in [
        ("<|image_pad|>", "image_token_id"),
        ("<|vision_end|>", "vision_end_token_id"),
    ] {
        assert!(
            vocab.get(content).is_none(),
            "{content} is added, not learned"
        );
        let token = added.iter().find(|token| token["content"] == content);
        assert_eq!(token.map(|token| &token["id"]), Some(&config[field]));
    }
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
