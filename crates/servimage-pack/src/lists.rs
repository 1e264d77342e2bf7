//! Checks of the manifest's lists: how long they are, and that nothing stands in them twice; see [`crate::validate`].
//!
//! Each entry of some lists asks for tensors, so a list of millions would cost hundreds of times the manifest's bytes.

use crate::error::PackError;
use crate::manifest::{Heads, Manifest};
use crate::validate::{check_range, field};
use std::collections::HashSet;

/// Most concepts, groups of concepts, slots and roles; there are seven concepts.
const MAX_NAMES: usize = 64;

/// Most weights that an adapter changes; a 4B has some 400 in all.
const MAX_TARGETS: usize = 1 << 14;

/// Most expected outputs of a self-test, and most bins of a reliability table.
const MAX_ROWS: usize = 1024;

/// Checks every list but the two tables of files and tensors.
pub(crate) fn check_lists(manifest: &Manifest) -> Result<(), PackError> {
    check_names("heads.concepts", &manifest.heads.concepts, MAX_NAMES)?;
    if let Some(adapter) = &manifest.payment_adapter {
        check_names("payment_adapter.targets", &adapter.targets, MAX_TARGETS)?;
    }
    if let Some(self_test) = &manifest.self_test {
        check_names("self_test.expected", &self_test.expected, MAX_ROWS)?;
    }
    let template = &manifest.template;
    for (name, found, most) in [
        ("score_weights", manifest.score_weights.len(), MAX_NAMES),
        (
            "template.concept_tails",
            template.concept_tails.len(),
            MAX_NAMES,
        ),
        (
            "template.image_lines",
            template.image_lines.len(),
            MAX_NAMES,
        ),
        ("template.missing", template.missing.len(), MAX_NAMES),
        (
            "calibration.reliability",
            manifest.calibration.reliability.len(),
            MAX_ROWS,
        ),
    ] {
        if found > most {
            return Err(field(name, format!("at most {most} entries"), found));
        }
    }
    check_answers(&manifest.heads, manifest.text.vocab_size)
}

/// Checks a list of names: not too long, each once, each such as a tensor could have.
fn check_names(list: &str, names: &[String], most: usize) -> Result<(), PackError> {
    if !names.is_empty() {
        check_range(list, names.len(), most)?;
    }
    let mut seen = HashSet::new();
    for name in names {
        let is_plain =
            (1..=200).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain {
            let found: String = name.chars().take(100).collect();
            let expected = "names of 1 to 200 visible ASCII characters";
            return Err(field(list, expected, format!("{found:?}")));
        }
        if !seen.insert(name) {
            return Err(field(list, "each name once", format!("`{name}` twice")));
        }
    }
    Ok(())
}

/// Checks that the answers of the zero-shot head are tokens of the vocabulary: they pick rows of the embedding.
fn check_answers(heads: &Heads, vocab_size: usize) -> Result<(), PackError> {
    let Some(answers) = &heads.zero_shot else {
        return Ok(());
    };
    let ids = [answers.reject, answers.accept]
        .into_iter()
        .chain(answers.digits);
    match ids.into_iter().find(|&id| id as usize >= vocab_size) {
        None => Ok(()),
        Some(id) => Err(field(
            "heads.zero_shot",
            format!("ids below vocab_size = {vocab_size}"),
            id,
        )),
    }
}
