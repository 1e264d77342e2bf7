//! `tokenizer.json`: one token a byte and the special tokens at the checkpoint's ids, no merges.
//!
//! Any text becomes tokens, more of them than with the published vocabulary; the ids between stay unused.

use super::shapes::Dims;
use serde_json::{Map, Value, json};

/// In the order of [`Dims::special_ids`].
const SPECIALS: [&str; 7] = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
];

pub(super) fn tokenizer(dims: &Dims) -> Value {
    let mut vocab = Map::new();
    for (id, symbol) in byte_symbols().into_iter().enumerate() {
        vocab.insert(symbol.to_string(), json!(id));
    }
    let mut added = Vec::new();
    for (id, content) in dims.special_ids.into_iter().zip(SPECIALS) {
        vocab.insert(content.to_owned(), json!(id));
        added.push(json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }));
    }
    let byte_level = |add_prefix_space: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true,
        })
    };
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": byte_level(false),
        "post_processor": null,
        "decoder": byte_level(true),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocab,
            "merges": [],
        },
    })
}

/// The visible character that stands for each byte in a byte-level vocabulary: itself where it is visible, else the
/// next one from U+0100 on.
fn byte_symbols() -> [char; 256] {
    let mut next = 0x100_u32;
    std::array::from_fn(|byte| {
        let is_visible = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let code = if is_visible {
            byte as u32
        } else {
            next += 1;
            next - 1
        };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    })
}
