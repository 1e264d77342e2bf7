//! The tokenizer's files in the published form: byte-level BPE behind a normalizer and a splitting pattern, the added tokens in
//! their order and outside the vocabulary.
//!
//! One token a byte and a handful of merges: any text becomes tokens, more of them than with the published vocabulary. Tokens that
//! nothing merges to fill the vocabulary up: the library numbers added tokens by its size, whatever id the file states.

use super::shapes::Dims;
use serde_json::{Map, Value, json};

/// From `<|endoftext|>` on, in the order of their ids; the second says which count as special.
const ADDED: [(&str, bool); 26] = [
    ("<|endoftext|>", true),
    ("<|im_start|>", true),
    ("<|im_end|>", true),
    ("<|object_ref_start|>", true),
    ("<|object_ref_end|>", true),
    ("<|box_start|>", true),
    ("<|box_end|>", true),
    ("<|quad_start|>", true),
    ("<|quad_end|>", true),
    ("<|vision_start|>", true),
    ("<|vision_end|>", true),
    ("<|vision_pad|>", true),
    ("<|image_pad|>", true),
    ("<|video_pad|>", true),
    ("<tool_call>", false),
    ("</tool_call>", false),
    ("<|fim_prefix|>", false),
    ("<|fim_middle|>", false),
    ("<|fim_suffix|>", false),
    ("<|fim_pad|>", false),
    ("<|repo_name|>", false),
    ("<|file_sep|>", false),
    ("<tool_response>", false),
    ("</tool_response>", false),
    ("<think>", false),
    ("</think>", false),
];

/// Pairs that become one token, the first ones first; `Ġ` is the space.
const MERGES: [(&str, &str); 12] = [
    ("Ġ", "Ġ"),
    ("i", "n"),
    ("Ġ", "t"),
    ("e", "r"),
    ("Ġ", "a"),
    ("o", "n"),
    ("h", "e"),
    ("Ġt", "he"),
    ("in", "g"),
    ("ĠĠ", "ĠĠ"),
    ("Ċ", "Ċ"),
    ("a", "n"),
];

/// Where a text is cut before it becomes bytes: short endings, words, single digits, signs, ends of lines, spaces.
const SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A template in this project's own words, of the published one's format.
pub(super) const CHAT_TEMPLATE: &str = "\
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}\
{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}";

/// Id of an added token.
pub(super) fn added_id(dims: &Dims, content: &str) -> Option<u32> {
    let place = ADDED.iter().position(|(found, _)| *found == content)?;
    Some(dims.first_added_id + place as u32)
}

pub(super) fn tokenizer(dims: &Dims) -> Value {
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false,
    });
    let added = (dims.first_added_id..)
        .zip(ADDED)
        .map(|(id, (content, special))| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": special,
            })
        });
    let split = json!({
        "type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": false,
    });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "byte_fallback": false,
            "vocab": vocab(dims),
            "merges": MERGES.map(|(left, right)| format!("{left} {right}")),
        },
    })
}

/// `vocab.json`: bytes, then merged pairs, then what no text becomes.
pub(super) fn vocab(dims: &Dims) -> Value {
    let bytes = byte_symbols().map(String::from);
    let merged = MERGES.map(|(left, right)| format!("{left}{right}"));
    let unused = (0..).map(|number| format!("unused-{number}"));
    let tokens = bytes.into_iter().chain(merged).chain(unused);
    let numbered = (0..dims.first_added_id).zip(tokens);
    Value::Object(
        numbered
            .map(|(id, token)| (token, json!(id)))
            .collect::<Map<_, _>>(),
    )
}

/// `merges.txt`.
pub(super) fn merges() -> String {
    let lines = MERGES.map(|(left, right)| format!("{left} {right}\n"));
    format!("#version: 0.2\n{}", lines.concat())
}

pub(super) fn tokenizer_config(dims: &Dims) -> Value {
    let added = (dims.first_added_id..)
        .zip(ADDED)
        .map(|(id, (content, special))| {
            let token = json!({
                "content": content, "lstrip": false, "normalized": false, "rstrip": false,
                "single_word": false, "special": special,
            });
            (id.to_string(), token)
        });
    json!({
        "add_bos_token": false,
        "add_prefix_space": false,
        "added_tokens_decoder": added.collect::<Map<_, _>>(),
        "additional_special_tokens": ADDED[1..14].iter().map(|(content, _)| content).collect::<Vec<_>>(),
        "bos_token": null,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": false,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 262_144,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": false,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": null,
    })
}

/// `chat_template.json`.
pub(super) fn chat_template() -> Value {
    json!({"chat_template": CHAT_TEMPLATE})
}

/// The visible character that stands for each byte in a byte-level vocabulary, in the vocabulary's order: visible bytes, which
/// stand for themselves, then the others from U+0100 on.
fn byte_symbols() -> [char; 256] {
    let is_visible = |byte: &u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let visible = (0..256_u32).filter(is_visible);
    let n_visible = visible.clone().count() as u32;
    let mut codes = visible.chain(0x100..0x100 + 256 - n_visible);
    std::array::from_fn(|_| {
        codes
            .next()
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    })
}
