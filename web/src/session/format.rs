//! Numbers as people read them. Digits and units only, so that they serve every language.

/// `72%`; never a false 0% or 100%.
pub fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    if probability > 0.0 && percent < 1.0 {
        "<1%".to_owned()
    } else if probability < 1.0 && percent > 99.0 {
        ">99%".to_owned()
    } else {
        format!("{percent:.0}%")
    }
}

/// `$1,234.50`.
pub fn dollars(amount_usd: f64) -> String {
    let cents = (amount_usd.abs() * 100.0).round() as u64;
    let sign = if amount_usd < 0.0 && cents > 0 {
        "-"
    } else {
        ""
    };
    format!("{sign}${}.{:02}", thousands(cents / 100), cents % 100)
}

/// `1,070`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `7.8 MB`, `412 kB`, `0 B`.
pub fn bytes(size_bytes: u64) -> String {
    scaled(
        size_bytes as f64,
        &[(1e9, "GB", 2), (1e6, "MB", 1), (1e3, "kB", 0)],
    )
    .unwrap_or_else(|| format!("{size_bytes} B"))
}

/// `3.2 M`, `812 k`, `12`.
pub fn count(number: u64) -> String {
    scaled(
        number as f64,
        &[(1e9, "B", 2), (1e6, "M", 1), (1e3, "k", 0)],
    )
    .unwrap_or_else(|| number.to_string())
}

/// `84 ms`, `1.4 s`.
pub fn duration(millis: f64) -> String {
    if millis < 1000.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{:.1} s", millis / 1000.0)
    }
}

/// `8 s`, `40 s`, `3 min`, `1.5 h`: no finer than a guess deserves.
pub fn rough_duration(millis: f64) -> String {
    let seconds = millis / 1000.0;
    if seconds < 10.0 {
        format!("{:.0} s", seconds.max(1.0))
    } else if seconds < 90.0 {
        format!("{:.0} s", (seconds / 10.0).round() * 10.0)
    } else if seconds < 5400.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

fn scaled(value: f64, units: &[(f64, &str, usize)]) -> Option<String> {
    let (unit, name, digits) = units.iter().find(|(unit, _, _)| value >= *unit)?;
    Some(format!("{:.digits$} {name}", value / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_never_rounded_to_certainty() {
        assert_eq!(percent(0.724), "72%");
        assert_eq!(percent(0.0004), "<1%");
        assert_eq!(percent(0.9996), ">99%");
        assert_eq!(
            (percent(0.0).as_str(), percent(1.0).as_str()),
            ("0%", "100%")
        );
    }

    #[test]
    fn money_and_sizes_read_as_usual() {
        assert_eq!(dollars(295_038.08), "$295,038.08");
        assert_eq!(dollars(3.899), "$3.90");
        assert_eq!(bytes(7_812_345), "7.8 MB");
        assert_eq!(bytes(412), "412 B");
        assert_eq!(count(3_210_000), "3.2 M");
        assert_eq!(duration(84.2), "84 ms");
        assert_eq!(duration(1449.0), "1.4 s");
        let times = [200.0, 43_000.0, 200_000.0, 5_500_000.0].map(rough_duration);
        assert_eq!(times, ["1 s", "40 s", "3 min", "1.5 h"]);
    }
}
