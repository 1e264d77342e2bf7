//! The model card: Markdown from evaluations. Its figures come from nowhere else.

pub mod goals;
mod tables;

use crate::about::{Evaluation, TrainingFacts};
use crate::error::TrainError;
use crate::evaluate::PairFigures;
use crate::source::Part;
use goals::goals;

/// What briefs a checkpoint of the proxy world of seven concepts knows.
const GRAMMAR: &str = include_str!("card/grammar.md");
const LIMITS: &str = include_str!("card/limits.md");
const PROVENANCE: &str = include_str!("card/provenance.md");

/// What a checkpoint of the proxy world of seven concepts was trained on.
const DATA: &str = include_str!("card/data.md");
/// What the checkpoint before that world was trained on, and how.
const DATA_BEFORE: &str = include_str!("card/data-before.md");

/// The evaluations of a card, each in its part.
struct Parts<'a> {
    /// The pack's own.
    own: &'a Evaluation,
    pairs: &'a PairFigures,
    /// All evaluations of packs of one run beside each other, the largest pack first.
    layouts: Vec<Vec<&'a Evaluation>>,
    /// Other networks with pairs, those with shuffled labels last.
    others: Vec<&'a Evaluation>,
}

fn is_shuffled(evaluation: &Evaluation) -> bool {
    let training = evaluation.training.as_ref();
    training.is_some_and(|training| training.schedule.shuffle_labels)
}

impl<'a> Parts<'a> {
    fn of(evaluations: &'a [Evaluation], sha256: &str) -> Result<Self, TrainError> {
        let own = evaluations
            .iter()
            .filter(|evaluation| evaluation.pack.sha256 == sha256)
            .find_map(|own| Some((own, own.figures.pairs.as_ref()?)));
        let (own, pairs) = own.ok_or_else(|| TrainError::NotEvaluated {
            expected: sha256.to_owned(),
            found: evaluations.iter().map(|e| e.pack.sha256.clone()).collect(),
        })?;
        let mut sorted: Vec<&Evaluation> = evaluations.iter().collect();
        sorted.sort_by_key(|other| {
            let size = std::cmp::Reverse(other.pack.size_bytes);
            (is_shuffled(other), other.label.clone(), size)
        });
        let layouts = sorted.chunk_by(|a, b| a.label == b.label);
        let layouts = layouts.map(<[&Evaluation]>::to_vec).collect();
        sorted.retain(|other| other.label != own.label && other.figures.pairs.is_some());
        let others = sorted;
        Ok(Self {
            own,
            pairs,
            layouts,
            others,
        })
    }

    /// Whether the pack was trained in today's proxy world: the run of the one before is not known.
    fn is_of_this_world(&self) -> bool {
        self.own.training.is_some()
    }
}

/// The card of the pack with this SHA-256 of its manifest: its figures, beside those of its other layouts (of the same label) and of other networks.
///
/// # Errors
/// [`TrainError::NotEvaluated`] where no evaluation with pairs is of the pack, [`TrainError::NotHeldOut`] where one is on pictures of
/// training.
pub fn card(evaluations: &[Evaluation], sha256: &str) -> Result<String, TrainError> {
    if let Some(seen) = evaluations.iter().find(|e| e.part != Part::HeldOut) {
        return Err(TrainError::NotHeldOut {
            label: seen.label.clone(),
            command: seen.command.clone(),
        });
    }
    let parts = Parts::of(evaluations, sha256)?;
    let sections = [
        head(&parts),
        tables::goals(&goals(parts.own, parts.pairs)),
        tables::payment(&parts.own.figures.payment),
        tables::concepts(parts.own, parts.pairs),
        tables::briefs(&parts.own.figures, &parts.pairs.swaps),
        tables::damages(&parts.pairs.damages),
        tables::prices(&parts.pairs.prices),
        layouts(&parts),
        beside(&parts),
        tables::shuffled(&parts.own.figures),
        shuffled_training(&parts),
        limits(&parts),
        match parts.is_of_this_world() {
            true => format!("{}\n\n{}", DATA.trim(), again(parts.own)),
            false => DATA_BEFORE.to_owned(),
        },
        PROVENANCE.to_owned(),
    ];
    let sections = sections.map(|section| section.trim().to_owned());
    let text: Vec<String> = sections
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    Ok(format!("{}\n", text.join("\n\n")))
}

fn head(parts: &Parts) -> String {
    let pack = &parts.own.pack;
    let (vision, words) = (&pack.vision, &pack.text);
    format!(
        "# nano\n\n\
         The checkpoint that ships with the page: {:.2} million parameters, {} ({:.2} MB). The architecture of ServImageModel with small \
         numbers: vision {} wide, {} layers; text {} wide, {} layers; one pass for both heads.\n\n\
         **Its labels are proxies.** Pictures were made and damaged on purpose, briefs come from a grammar, and a formula, not people, decided what is \
         paid for. No figure below says anything about human payment decisions.{}\n\n\
         Figures are of pictures, drawings, sentence forms and phrases that training never saw, on the packed weights, with 95 % intervals (shares: Wilson; \
         others: bootstrap, 400 resamples; decisions come in pairs that share a picture, so the true intervals are somewhat wider). `{}`, {}, {}; \
         pack {}.",
        pack.n_parameters as f64 / 1e6,
        pack.quant,
        pack.size_bytes as f64 / 1e6,
        vision.d_model,
        vision.n_layers,
        words.d_model,
        words.n_layers,
        match parts.is_of_this_world() {
            true => "",
            false =>
                " It was trained in an earlier, smaller proxy world than the one that today's figures are of (see what it was trained on): most goals are out of its reach.",
        },
        parts.own.command,
        parts.own.date,
        parts.own.machine,
        pack.sha256.get(..12).unwrap_or_default(),
    )
}

/// Runs that were packed with several layouts.
fn layouts(parts: &Parts) -> String {
    let tables: String = parts
        .layouts
        .iter()
        .map(|layouts| tables::layouts(layouts))
        .collect();
    match tables.is_empty() {
        true => tables,
        false => format!("## By quantization\n{tables}"),
    }
}

/// Whether a run on shuffled labels stands among the others.
fn shuffled_training(parts: &Parts) -> String {
    match parts.others.iter().any(|other| is_shuffled(other)) {
        true => "A run trained on shuffled labels stands among the other networks.".to_owned(),
        false => "A whole training run on shuffled labels (`train --shuffle-labels`) was not made for this card.".to_owned(),
    }
}

/// Other networks on the same figures.
fn beside(parts: &Parts) -> String {
    if parts.others.is_empty() {
        return String::new();
    }
    let mut text = "## Beside other networks\n\nThe same figures, each over as many cases as its evaluation names.\n\n".to_owned();
    for other in &parts.others {
        let size_mb = other.pack.size_bytes as f64 / 1e6;
        text.push_str(&format!(
            "- {}: {} ({size_mb:.2} MB)",
            other.label, other.pack.quant
        ));
        if let Some(training) = &other.training {
            let minutes = training.minutes();
            text.push_str(&format!(
                ", {} steps, {} examples, {minutes:.0} minutes",
                training.step,
                training.n_examples()
            ));
        }
        text.push_str(&format!("; `{}`", other.command));
        if is_shuffled(other) {
            text.push_str(". Each example got another one's truth: what remains is what these figures show where nothing true was learned");
        }
        text.push_str(".\n");
    }
    text.push('\n');
    text.push_str(&tables::beside(parts.own, &parts.others));
    text
}

/// Least Spearman correlation and least share of brief pairs for something to count as seen at all.
const SEEN: f64 = 0.3;
const READS: f64 = 0.6;

/// What it cannot do, the part that its figures show first.
fn limits(parts: &Parts) -> String {
    let unseen: Vec<String> = (parts.own.figures.concepts.iter())
        .filter(|concept| concept.spearman.value < SEEN)
        .map(|concept| format!("`{}`", concept.concept))
        .collect();
    let concepts = if unseen.is_empty() {
        String::new()
    } else {
        format!(
            "Its {} hardly follow{} what is true (Spearman below {SEEN}): do not read anything into {}. ",
            unseen.join(", "),
            if unseen.len() == 1 { "s" } else { "" },
            if unseen.len() == 1 { "it" } else { "them" },
        )
    };
    let brief = &parts.pairs.swaps.by_brf;
    let reads = if brief.low < READS {
        "It does not read briefs."
    } else {
        "It reads briefs of the kind that its grammar makes"
    };
    let kinds = (parts.pairs.swaps.kinds.iter()).filter(|(_, found)| found.value < READS);
    let kinds: Vec<&str> = kinds.map(|(kind, _)| kind.as_str()).collect();
    let misread = match (brief.low < READS, kinds.is_empty()) {
        (true, _) => String::new(),
        (false, true) => ".".to_owned(),
        (false, false) => format!(", but of these it mostly misjudges: {}.", kinds.join(", ")),
    };
    let grammar = match parts.is_of_this_world() {
        true => format!(" {}", GRAMMAR.trim()),
        false => String::new(),
    };
    format!("## What it cannot do\n\n{concepts}{reads}{misread}{grammar}\n\n{LIMITS}")
}

/// How it was trained, and how to do so again.
fn again(own: &Evaluation) -> String {
    let Some(last) = &own.training else {
        return "## Making it again\n\nThe run is not named in the evaluation.".to_owned();
    };
    let told: Vec<String> = last.chain().into_iter().map(one_run).collect();
    let told = told.join("It went on from those weights, without the easy beginning: ");
    let n_runs = last.chain().len();
    let without: String = (own.figures.concepts.iter())
        .filter(|concept| !own.pack.concepts.contains(&concept.concept))
        .map(|concept| format!(" --without {}", concept.concept))
        .collect();
    format!(
        "## Making it again\n\n{told}{} examples in all.\n\n    \
         servimage-train retrain --runs runs\n    \
         servimage-train export --run runs/{n_runs} --out public/models/nano{without}\n    \
         {} --run runs/{n_runs} --out nano.json\n    \
         servimage-train card --pack public/models/nano nano.json\n\n\
         Weights and data are seeded; a run that ends by the clock makes as many steps as the machine lets it, and runs of earlier days are done again by the program of today. Needs the benchmark under \
         `SERVIMAGE_SHARED`; each run's whole schedule stands in the evaluation in `crates/servimage-train/evaluations`, which `retrain` reads.",
        last.n_examples(),
        own.command,
    )
}

/// What one run did, in words.
fn one_run(run: &TrainingFacts) -> String {
    let schedule = &run.schedule;
    let share = |share: f32| format!("{:.0} %", 100.0 * share);
    let alone = match schedule.alone_share > 0.0 {
        true => format!(
            "in the first {} of the run only what packs lack learned, anew; ",
            share(schedule.alone_share)
        ),
        false => String::new(),
    };
    let (vision, small) = (share(schedule.vision_share), share(schedule.small_share));
    let windows = match (schedule.vision_share > 0.0, schedule.small_share > 0.0) {
        (true, true) => format!(
            "in the first {vision} of the run the vision tower learned alone, at the end of it on whole windows; else windows were small in the first {small}"
        ),
        (true, false) => format!(
            "up to {vision} of the run the vision tower learned alone; all of it learned from whole windows"
        ),
        (false, true) => format!("windows were small in the first {small} of the run"),
        (false, false) => "all of it learned from whole windows".to_owned(),
    };
    let rounded = match schedule.quant_share > 0.0 {
        true => format!(
            ", in the last {} the network ran on weights rounded as {}",
            share(schedule.quant_share),
            schedule.quant
        ),
        false => String::new(),
    };
    let head = format!(
        "the payment head alone learned from what the network makes of {} examples, over and over",
        schedule.head_examples
    );
    let minutes = run.seconds / 60.0;
    if run.step == 0 {
        return format!("{head} in {minutes:.0} minutes, seed {}. ", schedule.seed);
    }
    let then = match schedule.head_examples {
        0 => String::new(),
        _ => format!("; then {head}"),
    };
    format!(
        "{} steps of {} examples in {minutes:.0} minutes, rate {}, seed {}; {alone}{windows}{rounded}{then}. ",
        run.step,
        2 * schedule.n_pairs * schedule.n_parts,
        schedule.peak_rate,
        schedule.seed,
    )
}

#[cfg(test)]
mod tests;
