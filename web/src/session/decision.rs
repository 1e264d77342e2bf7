//! From probabilities to a decision: where to draw the line, what mistakes cost, and how far a
//! probability can be believed.
//!
//! An image is sent to the client from the threshold on. Sent, it earns its price with probability p and
//! costs a wrong accept with 1 - p; held back, it costs a wrong reject with probability p. Each image
//! counts as a delivery of its own.

use super::Session;
use super::model::ModelState;
use super::port::WorkerPort;
use super::queue::CardState;
use servimage_bench::message::ReliabilityBin;
use servimage_bench::verdict::Verdict;

/// Steps of the threshold's slider: whole percents.
pub const THRESHOLD_STEPS: u32 = 100;

/// Normal quantile of a 95 % interval.
const Z_95: f64 = 1.96;

/// What mistakes cost, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Costs {
    /// Of an image that is sent and not paid, beyond the price that it does not earn.
    pub wrong_accept_usd: f64,
    /// Of an image that is held back and would have been paid, beyond the price that it does not earn.
    pub wrong_reject_usd: f64,
}

/// One image as the decision sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stake {
    /// Calibrated probability, 0..=1.
    pub p_pay: f64,
    /// What the client pays for it.
    pub price_usd: f64,
}

/// What follows from the threshold and the costs, over all judged images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// The chosen threshold, 0..=1.
    pub threshold: f64,
    /// The pack's own.
    pub pack_threshold: f64,
    /// Images from the threshold on.
    pub n_sent: usize,
    /// Judged images.
    pub n_judged: usize,
    /// Images without a price: they are sent or not, and count no dollars.
    pub n_unpriced: usize,
    /// Expected dollars at the threshold.
    pub net_usd: f64,
    /// The threshold, in whole percents, with the highest expected dollars (the lowest of several), and
    /// those dollars.
    pub best: (f64, f64),
}

/// How examples with a like probability came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Lower end of the Wilson 95 % interval of `observed`, 0..=1.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share that was accepted.
    pub observed: f64,
    /// Number of those examples.
    pub n: u64,
}

/// Expected dollars where images are sent from `threshold` on.
pub fn expected_net_usd(stakes: &[Stake], costs: Costs, threshold: f64) -> f64 {
    let net = |stake: &Stake| {
        let p = stake.p_pay;
        if p >= threshold {
            p * stake.price_usd - (1.0 - p) * costs.wrong_accept_usd
        } else {
            -p * costs.wrong_reject_usd
        }
    };
    stakes.iter().map(net).sum()
}

/// The lowest threshold in whole percents whose expected dollars no other exceeds, and those dollars.
pub fn best_threshold(stakes: &[Stake], costs: Costs) -> (f64, f64) {
    let at = |step: u32| {
        let threshold = f64::from(step) / f64::from(THRESHOLD_STEPS);
        (threshold, expected_net_usd(stakes, costs, threshold))
    };
    // Sums in another order differ in their last digits; that is no reason to move the threshold.
    let is_more = |one: f64, other: f64| one > other + 1e-9;
    (1..=THRESHOLD_STEPS).map(at).fold(
        at(0),
        |best, next| {
            if is_more(next.1, best.1) { next } else { best }
        },
    )
}

/// The bin whose mean prediction lies nearest, with the interval of what was observed in it.
pub fn band(p_pay: f64, bins: &[ReliabilityBin]) -> Option<Band> {
    let distance = |bin: &ReliabilityBin| (bin.predicted - p_pay).abs();
    let bin = bins
        .iter()
        .filter(|bin| bin.n > 0)
        .min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
    let (low, high) = wilson(bin.observed, bin.n as f64);
    Some(Band {
        low,
        high,
        observed: bin.observed,
        n: bin.n,
    })
}

/// Wilson 95 % interval of a share among `n`.
fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = Z_95 * Z_95;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

impl<P: WorkerPort> Session<P> {
    /// From which P(pay) on an image counts as paid: the visitor's, else the pack's.
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or_else(|| self.pack_threshold())
    }

    /// Draws the line elsewhere; `None` goes back to the pack's own.
    pub fn set_threshold(&mut self, threshold: Option<f64>) {
        self.threshold = threshold.map(|threshold| threshold.clamp(0.0, 1.0));
    }

    /// What mistakes cost.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Says what mistakes cost; a number that is no cost counts as none.
    pub fn set_costs(&mut self, costs: Costs) {
        let sound = |cost: f64| if cost.is_finite() { cost.max(0.0) } else { 0.0 };
        self.costs = Costs {
            wrong_accept_usd: sound(costs.wrong_accept_usd),
            wrong_reject_usd: sound(costs.wrong_reject_usd),
        };
    }

    /// Reliability table of the loaded pack.
    pub fn reliability(&self) -> &[ReliabilityBin] {
        match &self.model {
            ModelState::Ready(pack) => &pack.reliability,
            _ => &[],
        }
    }

    /// The verdict with the visitor's threshold in place of the pack's.
    pub fn decided(&self, verdict: &Verdict) -> Verdict {
        let threshold = self.threshold();
        Verdict {
            pay: verdict.p_pay >= threshold,
            threshold,
            ..verdict.clone()
        }
    }

    /// What follows for all judged images; `None` before the first.
    pub fn outlook(&self) -> Option<Outlook> {
        let threshold = self.threshold();
        let (mut stakes, mut n_judged, mut n_sent) = (Vec::new(), 0, 0);
        for card in self.queue.iter().filter(|card| self.is_open(card)) {
            if let CardState::Done { verdict, .. } = &card.state {
                n_judged += 1;
                n_sent += usize::from(verdict.p_pay >= threshold);
                stakes.extend(verdict.price_usd.map(|price_usd| Stake {
                    p_pay: verdict.p_pay,
                    price_usd,
                }));
            }
        }
        (n_judged > 0).then(|| Outlook {
            threshold,
            pack_threshold: self.pack_threshold(),
            n_sent,
            n_judged,
            n_unpriced: n_judged - stakes.len(),
            net_usd: expected_net_usd(&stakes, self.costs, threshold),
            best: best_threshold(&stakes, self.costs),
        })
    }

    fn pack_threshold(&self) -> f64 {
        match &self.model {
            ModelState::Ready(pack) => pack.threshold,
            _ => 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::judged_session;

    fn stake(p_pay: f64, price_usd: f64) -> Stake {
        Stake { p_pay, price_usd }
    }

    const COSTS: Costs = Costs {
        wrong_accept_usd: 10.0,
        wrong_reject_usd: 0.0,
    };

    #[test]
    fn the_expected_net_counts_both_mistakes() {
        let stakes = [stake(0.9, 20.0), stake(0.2, 20.0)];
        // Sent: 0.9 * 20 - 0.1 * 10; held back: 0.
        assert!((expected_net_usd(&stakes, COSTS, 0.5) - 17.0).abs() < 1e-9);
        // Both sent: 17 + 0.2 * 20 - 0.8 * 10.
        assert!((expected_net_usd(&stakes, COSTS, 0.0) - 13.0).abs() < 1e-9);
        let strict = Costs {
            wrong_reject_usd: 5.0,
            ..COSTS
        };
        assert!((expected_net_usd(&stakes, strict, 0.5) - 16.0).abs() < 1e-9);
    }

    #[test]
    fn the_best_threshold_is_where_sending_begins_to_pay() {
        // With price 20 and cost 10 an image is worth sending from p = 1/3 on.
        let stakes: Vec<Stake> = (0..=20)
            .map(|step| stake(f64::from(step) / 20.0, 20.0))
            .collect();
        let (threshold, net) = best_threshold(&stakes, COSTS);
        assert!((0.30..=0.35).contains(&threshold), "{threshold}");
        assert!(net > expected_net_usd(&stakes, COSTS, 0.0));
        assert!(net > expected_net_usd(&stakes, COSTS, 0.9));
    }

    #[test]
    fn where_mistakes_cost_nothing_everything_is_sent() {
        let stakes = [stake(0.9, 20.0), stake(0.1, 20.0)];
        assert_eq!(best_threshold(&stakes, Costs::default()).0, 0.0);
    }

    #[test]
    fn the_band_is_that_of_the_nearest_bin_and_widens_with_fewer_examples() {
        let bin = |predicted, observed, n| ReliabilityBin {
            predicted,
            observed,
            n,
        };
        let bins = [bin(0.2, 0.1, 100), bin(0.8, 0.75, 100), bin(0.85, 0.0, 0)];
        let found = band(0.9, &bins).expect("a bin");
        assert_eq!((found.observed, found.n), (0.75, 100));
        // Wilson interval of 75 of 100, from a table.
        assert!((found.low - 0.657).abs() < 1e-3 && (found.high - 0.825).abs() < 1e-3);
        let few = band(0.9, &[bin(0.8, 0.75, 8)]).expect("a bin");
        assert!(few.low < found.low && few.high > found.high);
        assert_eq!(band(0.9, &[]), None);
    }

    #[test]
    fn moving_the_threshold_changes_what_is_sent_and_what_is_exported() {
        let mut session = judged_session();
        let outlook = session.outlook().expect("a judged image");
        assert_eq!((outlook.n_judged, outlook.n_sent), (1, 1));
        assert!((outlook.net_usd - 7.5).abs() < 1e-9);
        session.set_threshold(Some(0.8));
        assert_eq!(session.outlook().expect("a judged image").n_sent, 0);
        assert_eq!(session.queue.counts(session.threshold()).pay, 0);
        let exported = session.export_jsonl();
        assert!(
            exported.contains("\"pay\":false") && exported.contains("\"threshold\":0.8"),
            "{exported}"
        );
        session.set_threshold(None);
        assert_eq!(session.threshold(), 0.5);
    }

    #[test]
    fn a_cost_that_is_no_number_counts_as_none() {
        let mut session = judged_session();
        session.set_costs(Costs {
            wrong_accept_usd: f64::NAN,
            wrong_reject_usd: -3.0,
        });
        assert_eq!(session.costs(), Costs::default());
    }
}
