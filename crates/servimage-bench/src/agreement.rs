//! How predictions agree with decisions: calibration error, Brier score, AUROC, Cohen's kappa, rank correlation.
//!
//! Predictions are probabilities of acceptance, 0..=1; decisions are whether it was accepted. Slices that belong together have
//! one length; what one has more of is left out.

use serde::{Deserialize, Serialize};

/// One bin of a reliability table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of accepted.
    pub observed: f64,
    /// Examples.
    pub n: u64,
}

/// Bins of equal mass: equal numbers of examples, from the lowest prediction up; no empty ones.
#[must_use]
pub fn reliability(predicted: &[f64], accepted: &[bool], n_bins: usize) -> Vec<Bin> {
    let n = predicted.len().min(accepted.len());
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let bounds = |bin: usize| bin * n / n_bins.max(1);
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

/// Expected calibration error: mean distance of prediction and observation over bins, by mass. 0 without bins.
#[must_use]
pub fn ece(bins: &[Bin]) -> f64 {
    let n: u64 = bins.iter().map(|bin| bin.n).sum();
    let distance = |bin: &Bin| bin.n as f64 * (bin.predicted - bin.observed).abs();
    bins.iter().map(distance).sum::<f64>() / n.max(1) as f64
}

/// Brier score: mean squared distance of predictions and decisions; 0 is perfect, always saying 0.5 gives 0.25.
#[must_use]
pub fn brier(predicted: &[f64], accepted: &[bool]) -> f64 {
    let n = predicted.len().min(accepted.len());
    let squares = predicted
        .iter()
        .zip(accepted)
        .map(|(p, yes)| (p - f64::from(u8::from(*yes))).powi(2));
    squares.sum::<f64>() / n.max(1) as f64
}

/// Chance that an accepted example is placed above a rejected one, ties counted half; 0.5 without both kinds.
#[must_use]
pub fn auroc(scores: &[f64], accepted: &[bool]) -> f64 {
    let n = scores.len().min(accepted.len());
    let n_accepted = accepted[..n].iter().filter(|yes| **yes).count() as f64;
    let n_rejected = n as f64 - n_accepted;
    if n_accepted == 0.0 || n_rejected == 0.0 {
        return 0.5;
    }
    let ranks = ranks(&scores[..n]);
    let sum: f64 = ranks
        .iter()
        .zip(accepted)
        .filter(|(_, yes)| **yes)
        .map(|(rank, _)| rank)
        .sum();
    (sum - n_accepted * (n_accepted + 1.0) / 2.0) / (n_accepted * n_rejected)
}

/// Cohen's kappa of two judges: agreement beyond chance, 1 at most; 0 where chance explains everything, and where both say only one
/// thing throughout.
#[must_use]
pub fn kappa(first: &[bool], second: &[bool]) -> f64 {
    let n = first.len().min(second.len()) as f64;
    if n == 0.0 {
        return 0.0;
    }
    let pairs = || first.iter().zip(second);
    let share = |count: usize| count as f64 / n;
    let agreed = share(pairs().filter(|(a, b)| a == b).count());
    let yes = [
        share(pairs().filter(|(a, _)| **a).count()),
        share(pairs().filter(|(_, b)| **b).count()),
    ];
    let by_chance = yes[0] * yes[1] + (1.0 - yes[0]) * (1.0 - yes[1]);
    match 1.0 - by_chance {
        left if left < 1e-12 => 0.0,
        left => (agreed - by_chance) / left,
    }
}

/// Spearman's rank correlation; 0 where one side does not vary.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (ranks(&a[..n]), ranks(&b[..n]));
    let mean = (n as f64 + 1.0) / 2.0;
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn bins_hold_equal_numbers_whatever_the_predictions_are() {
        let predicted = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.9];
        let bins = reliability(
            &predicted,
            &[false, false, false, true, true, true, true],
            3,
        );
        assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [2, 2, 3]);
        assert_eq!(
            bins.iter().map(|bin| bin.observed).collect::<Vec<_>>(),
            [0.0, 0.5, 1.0]
        );
        assert_eq!(reliability(&predicted[..1], &[true], 10).len(), 1);
        assert_eq!((ece(&[]), brier(&[], &[])), (0.0, 0.0));
    }

    #[test]
    fn known_values_come_out() {
        let accepted = [false, false, true, true];
        assert!((auroc(&[0.1, 0.4, 0.35, 0.8], &accepted) - 0.75).abs() < 1e-12);
        assert_eq!(
            [auroc(&[0.5; 4], &accepted), auroc(&[0.3, 0.4], &[true; 2])],
            [0.5; 2]
        );
        assert!((brier(&[0.1, 0.4, 0.35, 0.8], &accepted) - 0.158_125).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 40.0, 30.0]) - 0.8).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        // 20 both yes, 5 and 10 split, 15 both no: the textbook's 0.4.
        let judge = |counts: [(usize, bool); 4]| -> Vec<bool> {
            counts
                .iter()
                .flat_map(|(n, said)| std::iter::repeat_n(*said, *n))
                .collect()
        };
        let first = judge([(20, true), (5, true), (10, false), (15, false)]);
        let second = judge([(20, true), (5, false), (10, true), (15, false)]);
        assert!((kappa(&first, &second) - 0.4).abs() < 1e-12);
        assert_eq!(kappa(&first, &first), 1.0);
        assert_eq!(kappa(&[true; 4], &[true; 4]), 0.0);
        assert!(kappa(&[true, false], &[false, true]) < -0.9);
    }
}
