//! What a `tokenizer.json` may be made of: byte-level BPE, as every Qwen checkpoint has it.
//!
//! The file comes with a pack, from anywhere. The tokenizer library reads far more kinds of parts than that, some of which panic
//! or take memory at the file's word (a padding to 10^12 tokens), so other kinds are refused before the library sees them.

use crate::error::PromptError;
use serde::Deserialize;

/// Longest pattern that a text is split by; the published one has 112 characters.
const MAX_PATTERN_BYTES: usize = 1024;

/// Most parts of a sequence.
const MAX_PARTS: usize = 16;

/// The parts of a tokenizer, without what they hold.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    normalizer: Option<Part>,
    #[serde(default)]
    pre_tokenizer: Option<Part>,
    #[serde(default)]
    post_processor: Option<Part>,
    #[serde(default)]
    decoder: Option<Part>,
    model: Model,
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    normalizers: Vec<Part>,
    #[serde(default)]
    pretokenizers: Vec<Part>,
    #[serde(default)]
    pattern: Option<Pattern>,
}

#[derive(Deserialize)]
enum Pattern {
    Regex(String),
    String(String),
}

#[derive(Deserialize)]
struct Model {
    /// Old files leave it out for BPE.
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    dropout: Option<f32>,
}

/// Refuses a tokenizer of other parts.
///
/// # Errors
/// [`PromptError::TokenizerPart`] names the part, [`PromptError::Tokenizer`] says that the bytes are no JSON of this kind.
pub(crate) fn check_parts(json: &[u8]) -> Result<(), PromptError> {
    let no_tokenizer = |error: serde_json::Error| PromptError::Tokenizer {
        source: Box::new(error),
    };
    let parts: Parts = serde_json::from_slice(json).map_err(no_tokenizer)?;
    let model = parts.model.r#type.as_deref().unwrap_or("BPE");
    only("model.type", "BPE", &["BPE"], model)?;
    if let Some(dropout) = parts.model.dropout.filter(|dropout| *dropout != 0.0) {
        return Err(refused("model.dropout", "none", &dropout.to_string()));
    }
    for part in flat(&parts.normalizer, |part| &part.normalizers) {
        only(
            "normalizer",
            "NFC, NFD, NFKC or NFKD",
            &["NFC", "NFD", "NFKC", "NFKD"],
            &part.r#type,
        )?;
    }
    for part in flat(&parts.pre_tokenizer, |part| &part.pretokenizers) {
        only(
            "pre_tokenizer",
            "Split or ByteLevel",
            &["Split", "ByteLevel"],
            &part.r#type,
        )?;
        if let Some(Pattern::Regex(text) | Pattern::String(text)) = &part.pattern
            && text.len() > MAX_PATTERN_BYTES
        {
            let found = format!("{} bytes", text.len());
            return Err(refused(
                "pre_tokenizer.pattern",
                "at most 1024 bytes",
                &found,
            ));
        }
    }
    for (name, part) in [
        ("post_processor", &parts.post_processor),
        ("decoder", &parts.decoder),
    ] {
        if let Some(part) = part {
            only(name, "ByteLevel", &["ByteLevel"], &part.r#type)?;
        }
    }
    Ok(())
}

/// The part itself, or the members of a sequence, one level deep: deeper ones are refused as the sequences that they are.
fn flat(part: &Option<Part>, members: fn(&Part) -> &Vec<Part>) -> Vec<&Part> {
    match part {
        Some(part) if part.r#type == "Sequence" && members(part).len() <= MAX_PARTS => {
            members(part).iter().collect()
        }
        Some(part) => vec![part],
        None => Vec::new(),
    }
}

fn only(
    part: &'static str,
    expected: &'static str,
    supported: &[&str],
    found: &str,
) -> Result<(), PromptError> {
    match supported.contains(&found) {
        true => Ok(()),
        false => Err(refused(part, expected, found)),
    }
}

fn refused(part: &'static str, expected: &'static str, found: &str) -> PromptError {
    PromptError::TokenizerPart {
        part,
        expected,
        found: found.chars().take(80).collect(),
    }
}
