//! Figures over predictions: shares with their intervals, and the fit of the calibration.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};

/// A share with its 95 % interval (Wilson).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The share.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Cases.
    pub n: u64,
}

impl Share {
    /// `hits` of `n`.
    #[must_use]
    pub fn of(hits: u64, n: u64) -> Self {
        const Z: f64 = 1.96;
        let (n_f, p) = (n.max(1) as f64, hits as f64 / n.max(1) as f64);
        let centre = (p + Z * Z / (2.0 * n_f)) / (1.0 + Z * Z / n_f);
        let half =
            Z / (1.0 + Z * Z / n_f) * (p * (1.0 - p) / n_f + Z * Z / (4.0 * n_f * n_f)).sqrt();
        Self {
            value: p,
            low: (centre - half).max(0.0),
            high: (centre + half).min(1.0),
            n,
        }
    }
}

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Cases.
    pub n: usize,
}

/// Resamples of a bootstrap.
const N_RESAMPLES: usize = 400;

impl Figure {
    /// A figure of `n` cases with its bootstrap interval; `of` computes it from the numbers of some cases.
    pub fn of(n: usize, of: impl Fn(&[usize]) -> f64) -> Self {
        let mut rng = SmallRng::seed_from_u64(n as u64);
        let all: Vec<usize> = (0..n).collect();
        let mut found: Vec<f64> = (0..N_RESAMPLES)
            .map(|_| {
                of(&all
                    .iter()
                    .map(|_| rng.random_range(0..n))
                    .collect::<Vec<_>>())
            })
            .collect();
        found.sort_by(f64::total_cmp);
        Self {
            value: of(&all),
            low: found[N_RESAMPLES / 40],
            high: found[N_RESAMPLES - 1 - N_RESAMPLES / 40],
            n,
        }
    }
}

/// Fits `sigmoid(a z + b)` to decisions by Newton's method (Platt); returns `(a, b)`.
#[must_use]
pub fn fit_platt(logits: &[f64], targets: &[f64]) -> (f64, f64) {
    let (mut a, mut b) = (1.0, 0.0);
    for _ in 0..50 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (z, target) in logits.iter().zip(targets) {
            let p = crate::truth::sigmoid(a * z + b);
            let (error, weight) = (p - target, p * (1.0 - p));
            ga += error * z;
            gb += error;
            haa += weight * z * z;
            hab += weight * z;
            hbb += weight;
        }
        let det = haa * hbb - hab * hab;
        let (da, db) = ((hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det);
        if !(da.is_finite() && db.is_finite()) {
            break;
        }
        (a, b) = (a - da.clamp(-1.0, 1.0), b - db.clamp(-1.0, 1.0));
        if da.abs() + db.abs() < 1e-10 {
            break;
        }
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        let share = Share::of(9, 10);
        assert!(
            (share.low - 0.5958).abs() < 1e-3 && (share.high - 0.9821).abs() < 1e-3,
            "{share:?}"
        );
    }

    #[test]
    fn a_bootstrap_interval_holds_the_figure_and_narrows_with_more_cases() {
        let mean = |n: usize| {
            let values: Vec<f64> = (0..n).map(|i| ((i * 37) % 100) as f64 / 100.0).collect();
            Figure::of(n, move |some| {
                some.iter().map(|i| values[*i]).sum::<f64>() / some.len() as f64
            })
        };
        let (few, many) = (mean(50), mean(1000));
        assert!(few.low < few.value && few.value < few.high);
        assert!((many.high - many.low) < 0.5 * (few.high - few.low));
    }

    #[test]
    fn platt_recovers_the_line_behind_the_probabilities() {
        let logits: Vec<f64> = (-40..=40).map(|i| f64::from(i) / 10.0).collect();
        let targets: Vec<f64> = logits
            .iter()
            .map(|z| crate::truth::sigmoid(0.5 * z - 0.7))
            .collect();
        let (a, b) = fit_platt(&logits, &targets);
        assert!((a - 0.5).abs() < 1e-6 && (b + 0.7).abs() < 1e-6, "{a} {b}");
    }
}
