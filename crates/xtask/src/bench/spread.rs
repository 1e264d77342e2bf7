//! Figures of repeated measurements: the median and the middle half.

use std::fmt;

/// Median and quartiles of a list of measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the measurements lie below.
    pub median: f64,
    /// A quarter lies below.
    pub low: f64,
    /// A quarter lies above.
    pub high: f64,
}

impl Spread {
    /// Of at least one measurement; NaN counts as none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (
                sorted[place.floor() as usize],
                sorted[place.ceil() as usize],
            );
            below + (above - below) * place.fract()
        };
        Some(Self {
            median: at(0.5),
            low: at(0.25),
            high: at(0.75),
        })
    }

    /// Of `over[i] / under[i]`: both were measured in the same round, so what slowed one slowed the other.
    pub fn of_ratio(over: &[f64], under: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = over.iter().zip(under).map(|(a, b)| a / b).collect();
        Self::of(&ratios)
    }

    /// The same in another unit.
    pub fn times(self, factor: f64) -> Self {
        Self {
            median: self.median * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, low, high] = [self.median, self.low, self.high].map(three_digits);
        write!(f, "{median} ({low} to {high})")
    }
}

/// A figure with three digits, more only before the point.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_moves_neither_the_median_nor_the_quartiles() {
        let spread = Spread::of(&[1.0, 2.0, 3.0, 4.0, 900.0]).expect("five values");
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
        assert_eq!(spread.to_string(), "3.00 (2.00 to 4.00)");
    }

    #[test]
    fn a_ratio_compares_what_was_measured_in_the_same_round() {
        // The machine is ten times slower in the second round: both sides are.
        let ratio = Spread::of_ratio(&[2.0, 20.0], &[1.0, 10.0]).expect("two rounds");
        assert_eq!((ratio.low, ratio.median, ratio.high), (2.0, 2.0, 2.0));
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[f64::NAN]), None);
    }

    #[test]
    fn figures_keep_three_digits() {
        let shown = [0.123, 9.994, 9.996, 99.96, 1234.5].map(three_digits);
        assert_eq!(shown, ["0.12", "9.99", "10.0", "100", "1234"]);
    }
}
