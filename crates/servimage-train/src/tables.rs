//! Figures as tables for people, on standard error.

use servimage_train::evaluate::{Figures, PairFigures};
use servimage_train::figures::{Figure, Share};

fn share(share: &Share) -> String {
    format!(
        "{:.1} % ({:.1} to {:.1}, n = {})",
        100.0 * share.value,
        100.0 * share.low,
        100.0 * share.high,
        share.n
    )
}

fn figure(figure: &Figure) -> String {
    format!(
        "{:.3} ({:.3} to {:.3}, n = {})",
        figure.value, figure.low, figure.high, figure.n
    )
}

/// Prints all figures.
pub fn print(figures: &Figures) {
    let payment = &figures.payment;
    eprintln!("payment: accuracy {}", share(&payment.accuracy));
    eprintln!(
        "  majority {:.1} %, Bayes {:.1} %, kappa {:.3}",
        100.0 * payment.majority,
        100.0 * payment.bayes,
        payment.kappa
    );
    eprintln!("  share of the way {}", figure(&payment.share_of_way));
    eprintln!("  AUROC {}", figure(&payment.auroc));
    eprintln!("  ECE {}", figure(&payment.ece));
    eprintln!("  Brier {}", figure(&payment.brier));
    for concept in &figures.concepts {
        eprintln!(
            "Spearman {:14} {}",
            concept.concept,
            figure(&concept.spearman)
        );
    }
    for language in &figures.languages {
        eprintln!(
            "{}: accuracy {}",
            language.language,
            share(&language.accuracy)
        );
        eprintln!(
            "  AUROC {}, brf Spearman {}",
            figure(&language.auroc),
            figure(&language.brf)
        );
    }
    if let Some(found) = &figures.pairs {
        pairs(found);
    }
}

fn pairs(pairs: &PairFigures) {
    let swaps = &pairs.swaps;
    eprintln!(
        "met brief above another: P(pay) {}",
        share(&swaps.by_payment)
    );
    eprintln!("  brf {}", share(&swaps.by_brf));
    for (name, found) in swaps.languages.iter().chain(&swaps.kinds) {
        eprintln!("  {name:18} {}", share(found));
    }
    let damages = &pairs.damages;
    eprintln!(
        "clean above damaged, damages of training: {}",
        share(&damages.trained)
    );
    eprintln!("  damages never trained on: {}", share(&damages.unseen));
    for (name, found) in &damages.unseen_by_family {
        eprintln!("  {name:18} {}", share(found));
    }
    for cells in damages.cells.chunk_by(|a, b| a.damage == b.damage) {
        let shares: Vec<String> = cells
            .iter()
            .map(|cell| format!("{:3.0}", 100.0 * cell.in_order.value))
            .collect();
        eprintln!(
            "  {:20} {:10} {}",
            cells[0].damage,
            cells[0].family,
            shares.join(" ")
        );
    }
    for price in &pairs.prices {
        eprintln!(
            "clean at {} USD: P(pay) {:.3}, rule {:.3}",
            price.price_usd, price.said, price.rule
        );
    }
}
