//! Tables of the card.

use super::goals::{Goal, figure, percent, share};
use crate::about::Evaluation;
use crate::evaluate::{Figures, PairFigures, PaymentFigures};
use crate::figures::{Figure, Share};
use crate::ordering::{DamagePairs, SEVERITIES};
use crate::swaps::{PriceFigure, SwapPairs};

/// A row of cells.
fn row<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

pub(super) fn goals(goals: &[Goal]) -> String {
    let mut text = "## Goals\n\nThe most is what a judge would reach who knew every truth: the client's draws are random even then, and where many truths are \
        equal, no order of the scores is quite theirs.\n\n| figure | goal | most | measured | |\n|---|---|---|---|---|\n"
        .to_owned();
    for goal in goals {
        let words = goal.outcome.words();
        text.push_str(&row(&[
            &goal.name,
            &goal.wanted,
            &goal.limit,
            &goal.found,
            words,
        ]));
    }
    text
}

pub(super) fn payment(payment: &PaymentFigures) -> String {
    let mut text = format!(
        "## Payment\n\n| decisions of the proxy client (n = {}) | |\n|---|---|\n",
        payment.accuracy.n
    );
    let alone = |value: f64| format!("{:.1} %", 100.0 * value);
    for cells in [
        ["guessed right", &share(&payment.accuracy)],
        ["always the commoner decision", &alone(payment.majority)],
        [
            "knowing each true probability (Bayes limit)",
            &alone(payment.bayes),
        ],
        ["AUROC", &figure(&payment.auroc)],
        ["expected calibration error", &figure(&payment.ece)],
        ["Brier score", &figure(&payment.brier)],
        [
            "Cohen's kappa with the client",
            &format!("{:.3}", payment.kappa),
        ],
    ] {
        text.push_str(&row(&cells));
    }
    text.push_str("\nThe calibration (Platt) was fitted on a part of the pictures of its own. Predicted and observed, ten bins of equal mass:\n\n| predicted | paid | n |\n|---|---|---|\n");
    for bin in &payment.reliability {
        let cells = [bin.predicted, bin.observed].map(|x| format!("{x:.2}"));
        text.push_str(&row(&[&cells[0], &cells[1], &bin.n.to_string()]));
    }
    text
}

/// What each concept's damage or change is in this world.
const MADE_BY: [(&str, &str); 7] = [
    ("brf", "points of the brief that are met"),
    (
        "veq_clarity",
        "blur, motion blur, down-up sampling, JPEG, noise",
    ),
    (
        "veq_realism",
        "warps, swapped and repeated patches, ghosting, checkerboards, over-smoothing",
    ),
    (
        "veq_aesthetic",
        "colour cast, exposure, contrast, tilt, careless crop",
    ),
    ("veq_text", "garbled letters of a caption"),
    ("cns_edit", "asked change made, the rest kept"),
    ("cns_set", "palette, layout and treatment like the others"),
];

pub(super) fn concepts(evaluation: &Evaluation, pairs: &PairFigures) -> String {
    let mut text = "## Concepts\n\nRank correlation of the score with its truth, where the concept applies, and share of pairs in which the clean picture gets the \
        higher P(pay) than the copy with the concept's damages:\n\n| concept | truth is made by | Spearman | clean above damaged |\n|---|---|---|---|\n"
        .to_owned();
    for concept in &evaluation.figures.concepts {
        let made_by = MADE_BY.iter().find(|(name, _)| *name == concept.concept);
        let family = concept.concept.trim_start_matches("veq_");
        let families = &pairs.damages.trained_by_family;
        let found = families.iter().find(|(name, _)| name == family);
        text.push_str(&row(&[
            format!("`{}`", concept.concept),
            match evaluation.pack.concepts.contains(&concept.concept) {
                true => made_by.map_or("", |(_, words)| words).to_owned(),
                false if evaluation.training.is_some() => format!(
                    "{}; not learned, and so not shown on the page",
                    made_by.map_or("", |(_, words)| words)
                ),
                false => "not trained, and not shown on the page".to_owned(),
            },
            format!("{}, n = {}", figure(&concept.spearman), concept.spearman.n),
            found.map_or_else(String::new, |(_, found)| counted(found)),
        ]));
    }
    text
}

fn counted(found: &Share) -> String {
    format!("{}, n = {}", share(found), found.n)
}

pub(super) fn briefs(figures: &Figures, swaps: &SwapPairs) -> String {
    let mut text = format!(
        "## Briefs\n\nThe same picture under a brief of which everything is true and under one of which nothing is: the met one gets the higher `brf` in {} and the \
         higher P(pay) in {} of {} pairs. By what is asked for (briefs of one point), and by language:\n\n| asked for | the met brief has the higher `brf` |\n|---|---|\n",
        share(&swaps.by_brf),
        share(&swaps.by_payment),
        swaps.by_brf.n,
    );
    for (kind, found) in &swaps.kinds {
        text.push_str(&row(&[kind, &counted(found)]));
    }
    text.push_str(
        "\nThe same decisions, each once under an English and once under a Chinese brief of the same points:\n\n| | English | Chinese |\n|---|---|---|\n",
    );
    let by_language = |of: &dyn Fn(&str) -> Option<String>| {
        ["en", "zh"].map(|language| of(language).unwrap_or_default())
    };
    let language = |name: &str| figures.languages.iter().find(|l| l.language == name);
    let swap = |name: &str| swaps.languages.iter().find(|(l, _)| l == name);
    for (name, [en, zh]) in [
        (
            "payment decisions guessed right",
            by_language(&|name| Some(counted(&language(name)?.accuracy))),
        ),
        (
            "AUROC",
            by_language(&|name| Some(figure(&language(name)?.auroc))),
        ),
        (
            "Spearman of `brf`",
            by_language(&|name| Some(figure(&language(name)?.brf))),
        ),
        (
            "brief swap, by `brf`",
            by_language(&|name| Some(counted(&swap(name)?.1))),
        ),
    ] {
        text.push_str(&row(&[name, &en, &zh]));
    }
    text
}

pub(super) fn damages(damages: &DamagePairs) -> String {
    let mut text = format!(
        "## Damages\n\nThe clean picture gets the higher P(pay) than its damaged copy in {} of {} pairs with damages of training, and in {} of {} with damages that \
         training never applied. In per cent, by severity:\n\n| damage | charged to | in today's training |",
        share(&damages.trained),
        damages.trained.n,
        share(&damages.unseen),
        damages.unseen.n,
    );
    SEVERITIES
        .iter()
        .for_each(|severity| text.push_str(&format!(" {severity} |")));
    text.push_str(&format!(
        " n each |\n|---|---|---|{}\n",
        "---:|".repeat(SEVERITIES.len() + 1)
    ));
    for cells in damages.cells.chunk_by(|a, b| a.damage == b.damage) {
        let first = &cells[0];
        let trained = if first.trained { "yes" } else { "never" };
        let mut words = vec![
            first.damage.clone(),
            first.family.clone(),
            trained.to_owned(),
        ];
        words.extend(
            cells
                .iter()
                .map(|cell| format!("{:.0}", 100.0 * cell.in_order.value)),
        );
        words.push(first.in_order.n.to_string());
        text.push_str(&row(&words));
    }
    text
}

pub(super) fn prices(prices: &[PriceFigure]) -> String {
    let n = prices.first().map_or(0, |price| price.n);
    let mut text = format!(
        "## Price\n\nMean P(pay) of {n} clean pictures under a brief that they meet, as the checkpoint says it and as the rule has it:\n\n| price | said | rule |\n|---|---|---|\n"
    );
    for price in prices {
        text.push_str(&row(&[
            &format!("{} USD", price.price_usd),
            &format!("{:.2}", price.said),
            &format!("{:.2}", price.rule),
        ]));
    }
    text
}

/// One run, packed with several layouts.
pub(super) fn layouts(layouts: &[&Evaluation]) -> String {
    let (Some(first), true) = (layouts.first(), layouts.len() > 1) else {
        return String::new();
    };
    let rounded = match first
        .training
        .as_ref()
        .is_some_and(|training| training.was_rounded())
    {
        true => {
            "The last part of its training ran on rounded weights and the plain ones end near them, so what few bits cost does not show here."
        }
        false => "Its training never rounded its weights, so what few bits cost shows.",
    };
    let mut text = format!(
        "\n{}: one run as several layouts, each pack with a calibration of its own, fitted on what its weights say. {rounded}\n\n\
        | layout | size | payment decisions guessed right | AUROC | calibration error | calibration |\n|---|---|---|---|---|---|\n",
        first.label
    );
    for evaluation in layouts {
        let (pack, payment) = (&evaluation.pack, &evaluation.figures.payment);
        text.push_str(&row(&[
            pack.quant.to_string(),
            format!("{:.2} MB", pack.size_bytes as f64 / 1e6),
            counted(&payment.accuracy),
            figure(&payment.auroc),
            figure(&payment.ece),
            format!(
                "a = {:.3}, b = {:.3} ({} draws)",
                pack.a, pack.b, pack.n_calibrated
            ),
        ]));
    }
    text
}

/// What the figures of the decisions fall to where each score is held against another decision's truth.
pub(super) fn shuffled(figures: &Figures) -> String {
    let (payment, shuffled) = (&figures.payment, &figures.shuffled);
    let way = |way: &Figure| percent([way.value, way.low, way.high]);
    let mut rows = vec![
        [
            "payment accuracy, from the commoner decision's to the Bayes limit's".to_owned(),
            way(&payment.share_of_way),
            way(&shuffled.share_of_way),
            "0 % or less".to_owned(),
        ],
        [
            "AUROC".to_owned(),
            figure(&payment.auroc),
            figure(&shuffled.auroc),
            "0.5".to_owned(),
        ],
    ];
    for (own, other) in figures.concepts.iter().zip(&shuffled.concepts) {
        rows.push([
            format!("Spearman of `{}`", own.concept),
            figure(&own.spearman),
            figure(&other.spearman),
            "0".to_owned(),
        ]);
    }
    let mut text = "## Shuffled labels\n\nThe same scores, each held against the truth and the draw of another decision: what these figures say of a judge who knows nothing.\n\n\
        | | its own labels | shuffled labels | chance |\n|---|---|---|---|\n"
        .to_owned();
    rows.iter().for_each(|cells| text.push_str(&row(cells)));
    text
}

/// Name, figure, and what chance gives.
fn compared(evaluation: &Evaluation) -> Vec<(String, String, &'static str)> {
    let figures = &evaluation.figures;
    let way = &figures.payment.share_of_way;
    let mut cells = vec![
        (
            "payment accuracy, from the commoner decision's (0 %) to the Bayes limit's (100 %)"
                .to_owned(),
            percent([way.value, way.low, way.high]),
            "0 % or less",
        ),
        ("AUROC".to_owned(), figure(&figures.payment.auroc), "0.5"),
        (
            "expected calibration error".to_owned(),
            figure(&figures.payment.ece),
            "",
        ),
    ];
    for concept in &figures.concepts {
        let name = format!("Spearman of `{}`", concept.concept);
        cells.push((name, figure(&concept.spearman), "0"));
    }
    if let Some(pairs) = &figures.pairs {
        for (name, found) in [
            ("brief swap, by `brf`", &pairs.swaps.by_brf),
            ("brief swap, by P(pay)", &pairs.swaps.by_payment),
            (
                "clean above damaged, damages of training",
                &pairs.damages.trained,
            ),
            (
                "clean above damaged, damages never trained on",
                &pairs.damages.unseen,
            ),
        ] {
            cells.push((name.to_owned(), counted(found), "50 %"));
        }
    }
    cells
}

/// Figures of a checkpoint, of others, and of chance.
pub(super) fn beside(own: &Evaluation, others: &[&Evaluation]) -> String {
    let labels: Vec<&str> = others.iter().map(|other| other.label.as_str()).collect();
    let mut text = row(&[&["", "this checkpoint"][..], &labels, &["chance"]].concat());
    text.push_str(&format!("|---|{}\n", "---|".repeat(others.len() + 2)));
    let columns: Vec<_> = others.iter().map(|other| compared(other)).collect();
    for (name, found, chance) in compared(own) {
        let mut cells = vec![name.clone(), found];
        for column in &columns {
            let found = column.iter().find(|(other, _, _)| *other == name);
            cells.push(
                found.map_or_else(|| "not measured".to_owned(), |(_, found, _)| found.clone()),
            );
        }
        cells.push(chance.to_owned());
        text.push_str(&row(&cells));
    }
    text
}
