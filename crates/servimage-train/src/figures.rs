//! Figures over predictions: rank correlation, AUROC, calibration error, intervals.

/// Ranks from 1, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..]
            .iter()
            .take_while(|i| values[**i] == values[order[start]])
            .count();
        let mean = start as f64 + (same as f64 + 1.0) / 2.0;
        order[start..start + same]
            .iter()
            .for_each(|i| ranks[*i] = mean);
        start += same;
    }
    ranks
}

/// Spearman's rank correlation; 0 where one side does not vary.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mean) * (y - mean))
            .sum::<f64>()
    };
    let scale = (sum(&a, &a) * sum(&b, &b)).sqrt();
    if scale == 0.0 {
        0.0
    } else {
        sum(&a, &b) / scale
    }
}

/// Chance that an accepted example is placed above a rejected one, ties counted half; 0.5 without both kinds.
#[must_use]
pub fn auroc(scores: &[f64], accepted: &[bool]) -> f64 {
    let n_accepted = accepted.iter().filter(|yes| **yes).count() as f64;
    let n_rejected = accepted.len() as f64 - n_accepted;
    if n_accepted == 0.0 || n_rejected == 0.0 {
        return 0.5;
    }
    let sum: f64 = ranks(scores)
        .iter()
        .zip(accepted)
        .filter(|(_, yes)| **yes)
        .map(|(rank, _)| rank)
        .sum();
    (sum - n_accepted * (n_accepted + 1.0) / 2.0) / (n_accepted * n_rejected)
}

/// One bin of a reliability table.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of accepted.
    pub observed: f64,
    /// Examples.
    pub n: u64,
}

/// Bins with equal numbers of examples, from the lowest prediction up.
#[must_use]
pub fn reliability(predicted: &[f64], accepted: &[bool], n_bins: usize) -> Vec<Bin> {
    let mut order: Vec<usize> = (0..predicted.len()).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let bounds = |bin: usize| bin * order.len() / n_bins;
    (0..n_bins)
        .map(|bin| &order[bounds(bin)..bounds(bin + 1)])
        .filter(|part| !part.is_empty())
        .map(|part| Bin {
            predicted: part.iter().map(|i| predicted[*i]).sum::<f64>() / part.len() as f64,
            observed: part.iter().filter(|i| accepted[**i]).count() as f64 / part.len() as f64,
            n: part.len() as u64,
        })
        .collect()
}

/// Expected calibration error over bins.
#[must_use]
pub fn ece(bins: &[Bin]) -> f64 {
    let n: u64 = bins.iter().map(|bin| bin.n).sum();
    bins.iter()
        .map(|bin| bin.n as f64 * (bin.predicted - bin.observed).abs())
        .sum::<f64>()
        / n.max(1) as f64
}

/// A share with its 95 % interval (Wilson).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
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
    fn known_values_come_out() {
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 40.0, 30.0]) - 0.8).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        assert!((auroc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]) - 0.75).abs() < 1e-12);
        let share = Share::of(9, 10);
        assert!(
            (share.low - 0.5958).abs() < 1e-3 && (share.high - 0.9821).abs() < 1e-3,
            "{share:?}"
        );
    }

    #[test]
    fn perfect_bins_have_no_error_and_shifted_ones_the_shift() {
        let predicted: Vec<f64> = (0..100).map(|i| if i < 50 { 0.2 } else { 0.6 }).collect();
        let accepted: Vec<bool> = (0..100)
            .map(|i| if i < 50 { i < 10 } else { i < 80 })
            .collect();
        assert!(ece(&reliability(&predicted, &accepted, 2)) < 1e-9);
        let shifted: Vec<f64> = predicted.iter().map(|p| p + 0.1).collect();
        assert!((ece(&reliability(&shifted, &accepted, 2)) - 0.1).abs() < 1e-9);
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
