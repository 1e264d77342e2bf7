//! The card says what the evaluations say, and the committed one belongs to the committed pack.

use super::*;
use crate::about::read_json;
use servimage_pack::sha256_hex;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// SHA-256 of the manifest of the pack that ships.
fn shipped() -> String {
    let manifest = std::fs::read(root().join("public/models/nano/manifest.json"));
    sha256_hex(&manifest.expect("the manifest"))
}

fn committed() -> Vec<Evaluation> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluations");
    let files = std::fs::read_dir(folder).expect("the evaluations are committed");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let read = files
        .iter()
        .map(|file| read_json(file).expect("an evaluation"));
    read.collect()
}

#[test]
fn the_committed_card_is_made_of_the_committed_evaluations() {
    let evaluations = committed();
    let nano = root().join("public/models/nano");
    let written = std::fs::read_to_string(nano.join("README.md")).expect("the card");
    assert!(
        written == card(&evaluations, &shipped()).expect("a card"),
        "run `servimage-train card crates/servimage-train/evaluations/*.json`"
    );
}

#[test]
fn a_goal_that_is_missed_is_said_to_be_missed() {
    let mut evaluations = committed();
    for evaluation in &mut evaluations {
        evaluation.figures.payment.auroc.value = 0.7;
        evaluation.figures.payment.auroc.high = 0.72;
    }
    let text = card(&evaluations, &shipped()).expect("a card");
    let line = text
        .lines()
        .find(|line| line.contains("AUROC of the payment"));
    assert!(
        line.is_some_and(|line| line.contains("0.700") && line.contains("**not met**")),
        "{line:?}"
    );
}

#[test]
fn a_card_without_the_figures_of_its_pack_is_refused() {
    let mut evaluations = committed();
    let other = card(&evaluations, "0123").expect_err("no such pack");
    assert!(other.to_string().contains("0123"), "{other}");
    for evaluation in &mut evaluations {
        evaluation.figures.pairs = None;
    }
    assert!(card(&evaluations, &shipped()).is_err());
}

#[test]
fn figures_on_pictures_of_training_are_refused() {
    let mut evaluations = committed();
    evaluations[0].part = Part::Train;
    let label = evaluations[0].label.clone();
    let refused = card(&evaluations, &shipped()).expect_err("learned by heart");
    let message = refused.to_string();
    assert!(
        message.contains(&label) && message.contains("--on-training"),
        "{message}"
    );
}

#[test]
fn a_run_on_shuffled_labels_stands_last_and_says_what_it_is() {
    let mut evaluations = committed();
    evaluations.retain(|evaluation| !is_shuffled(evaluation));
    let is_whole = |other: &&Evaluation| other.training.is_some() && other.figures.pairs.is_some();
    let trained = evaluations.iter().find(is_whole);
    let mut control = trained.expect("an evaluation that names its run").clone();
    control.label = "a control".to_owned();
    control.pack.sha256 = "of another pack".to_owned();
    let training = control.training.as_mut().expect("as found above");
    training.schedule.shuffle_labels = true;
    let without = card(&evaluations, &shipped()).expect("a card");
    assert!(without.contains("was not made for this card"));
    evaluations.insert(0, control);
    let text = card(&evaluations, &shipped()).expect("a card");
    let beside = text
        .split("## Beside other networks")
        .nth(1)
        .expect("the section");
    let header = beside
        .lines()
        .find(|line| line.starts_with('|'))
        .expect("a table");
    assert!(header.ends_with("| a control | chance |"), "{header}");
    assert!(beside.contains("Each example got another one's truth"));
    assert!(!text.contains("was not made for this card"));
}
