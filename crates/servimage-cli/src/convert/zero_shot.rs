//! Answer tokens of the zero-shot head, looked up in `tokenizer.json`.

use super::error::ConvertError;
use super::json::read_json;
use servimage_pack::manifest::ZeroShot;
use std::collections::HashMap;
use std::path::Path;

/// The part of `tokenizer.json` that maps a token's text to its id.
#[derive(serde::Deserialize)]
struct TokenizerFile {
    model: Model,
}

#[derive(serde::Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
}

/// Ids of "0" and of "1" to "5".
pub(super) fn answer_tokens(tokenizer: &Path) -> Result<ZeroShot, ConvertError> {
    let vocab = read_json::<TokenizerFile>(tokenizer)?.model.vocab;
    let id = |token: &str| {
        let missing = || ConvertError::AnswerToken {
            path: tokenizer.to_owned(),
            token: token.to_owned(),
        };
        vocab.get(token).copied().ok_or_else(missing)
    };
    let digits = [id("1")?, id("2")?, id("3")?, id("4")?, id("5")?];
    Ok(ZeroShot {
        reject: id("0")?,
        accept: digits[0],
        digits,
    })
}
