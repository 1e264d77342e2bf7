//! What must hold for each reader, whatever it reads.

use servimage_bench::results::{read_rows, write_rows};
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::task::{Task, load_tasks};
use servimage_image::{Limits, ProcessorConfig, decode, patchify};
use servimage_pack::manifest::Manifest;
use servimage_pack::{MANIFEST_FILE, MemorySource, Pack, PackError};
use servimage_prompt::{PromptBuilder, Tokenizer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Small limits: a size field that lies must not cost the run its memory.
pub(crate) const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_pixels: 1 << 16,
    max_decoder_bytes: 1 << 22,
};

/// A tokenizer for templates.
const TOKENIZER: &[u8] = include_bytes!("../corpus/tokenizer/small.json");

/// Bytes as a text reader gets them.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

pub(crate) fn open_manifest(bytes: &[u8]) -> Result<Pack<MemorySource>, PackError> {
    let files = BTreeMap::from([(MANIFEST_FILE.to_owned(), bytes.to_vec())]);
    pollster::block_on(Pack::open(MemorySource::new(files)))
}

/// A manifest that opens can be checked, written and read again, and its template makes a prompt or an error.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(pack) = open_manifest(bytes) else {
        return;
    };
    // No shard is there, so every pack is unsound.
    let findings = pollster::block_on(pack.verify());
    assert!(!findings.is_empty(), "a pack without shards passed");
    for finding in &findings {
        assert!(!finding.error.to_string().is_empty());
    }
    let json = pack.manifest().to_json();
    let again: Manifest = serde_json::from_slice(&json).expect("what we write, we read");
    assert_eq!(&again, pack.manifest());
    let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the committed tokenizer is sound");
    drop(PromptBuilder::new(tokenizer, pack.manifest()));
}

/// Tensors lie within the file, in order and apart, and have as many bytes as their shapes need.
pub(crate) fn safetensors(bytes: &[u8]) {
    // Also as the header of a file with room behind it, so that more than empty tensors fit.
    for file_bytes in [bytes.len() as u64, bytes.len() as u64 + 4096] {
        let Ok(tensors) = servimage_safetensors::read_header(bytes, file_bytes) else {
            continue;
        };
        let mut end = 8;
        for (name, tensor) in &tensors {
            assert!(
                tensor.offset >= end,
                "{name} begins before its forerunner ends"
            );
            end = tensor.offset + tensor.size_bytes;
            assert!(end <= file_bytes, "{name} ends behind the file");
            let n_values: usize = tensor.shape.iter().product();
            let bits = n_values * tensor.dtype.bitsize();
            assert_eq!(bits as u64, 8 * tensor.size_bytes, "{name}");
        }
    }
}

/// A tokenizer that is read encodes and cuts any text within its bounds.
pub(crate) fn tokenizer(bytes: &[u8]) {
    let Ok(tokenizer) = Tokenizer::from_json(bytes) else {
        return;
    };
    let sample = "A brief: 12 % off, 极速\u{301}<|im_end|>\r\n\t\u{1f600} é";
    if let Ok(ids) = tokenizer.encode(sample) {
        assert!(ids.len() <= 4 * sample.len() + 16, "{} tokens", ids.len());
    }
    for max_tokens in [0, 1, 5] {
        if let Ok((kept, is_cut)) = tokenizer.cut(sample, max_tokens) {
            assert!(sample.starts_with(kept) && is_cut == (kept.len() < sample.len()));
        }
    }
    let plain = tokenizer.as_plain_text(sample);
    assert!(plain.len() < 1 << 16, "{} bytes of plain text", plain.len());
}

/// Rows that are read are written back byte for byte, and setting a field changes that field only.
pub(crate) fn results(bytes: &[u8]) {
    let text = text(bytes);
    let read = read_rows(&text);
    let written = write_rows(&read.rows);
    let again = read_rows(&written);
    assert!(again.errors.is_empty(), "{:?}", again.errors);
    assert_eq!(again.rows, read.rows);
    for row in read.rows {
        assert!(row.deliverable().is_some() && row.accepted().is_some());
        let mut changed = row.clone();
        changed.set("label", &serde_json::json!(1));
        changed.set("noted by", &serde_json::json!("极\"\\"));
        let changed = read_rows(changed.line()).rows;
        let changed = changed.first().expect("a row with a field set is a row");
        assert_eq!(changed.accepted(), Some(true));
        assert_eq!(changed.text("noted by").as_deref(), Some("极\"\\"));
        assert_eq!(changed.raw("task_id"), row.raw("task_id"));
    }
}

/// Tasks that are read can be used and written, and read again they are the same.
pub(crate) fn tasks(bytes: &[u8]) {
    let Ok(loaded) = load_tasks(&text(bytes)) else {
        return;
    };
    let facts = ImageFacts {
        file_type: "PNG".to_owned(),
        width: 640,
        height: 480,
        dpi: Some(72.0),
        has_alpha: false,
        background_rgb: Some([250, 250, 250]),
    };
    for task in loaded.tasks.iter().take(8) {
        assert!(!task.deliverables.is_empty(), "a task delivers something");
        for deliverable in task.deliverables.iter().take(8) {
            drop(check_rules(task, deliverable.index, &facts));
        }
        let again = Task::from_json(&task.to_json()).expect("what we write, we read");
        assert_eq!(again.version(), task.version());
    }
}

/// Bytes are pixels or an error with a code and a sentence; pixels become patches.
pub(crate) fn image(bytes: &[u8]) {
    match decode(bytes, &LIMITS) {
        Ok(decoded) => {
            let (width, height) = (decoded.image.width, decoded.image.height);
            let n_pixels = width as usize * height as usize;
            assert_eq!(decoded.image.pixels.len(), 3 * n_pixels);
            assert!(n_pixels as u64 <= LIMITS.max_pixels);
            let patches = patchify(&decoded.image, &ProcessorConfig::default());
            assert!(patches.rows.iter().all(|value| value.is_finite()));
        }
        Err(error) => {
            assert!(error.code().starts_with("image.") && error.to_string().len() > 20);
        }
    }
}
