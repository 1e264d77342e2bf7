//! Numbers as people read them. English and Chinese write digits, groups and percents alike; where they differ, the language
//! comes along. Not by the browser's `Intl`, so that reports and tests need no browser; a test holds both equal.

use crate::text::Lang;

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

/// `$1,234.50`; `US$1,234.50` in Chinese, where a bare `$` could be any dollar.
pub fn dollars(lang: Lang, amount_usd: f64) -> String {
    let cents = (amount_usd.abs() * 100.0).round() as u64;
    let sign = if amount_usd < 0.0 && cents > 0 {
        "-"
    } else {
        ""
    };
    let unit = dollar_sign(lang);
    format!("{sign}{unit}{}.{:02}", thousands(cents / 100), cents % 100)
}

/// What stands before an amount of US dollars.
pub fn dollar_sign(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "$",
        Lang::Zh => "US$",
    }
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

/// `3.2 M`, `812 k`, `12`; in Chinese `321 万`, `8120`.
pub fn count(lang: Lang, number: u64) -> String {
    let units: &[_] = match lang {
        Lang::En => &[(1e9, "B", 2), (1e6, "M", 1), (1e3, "k", 0)],
        Lang::Zh => &[(1e8, "亿", 2), (1e4, "万", 0)],
    };
    scaled(number as f64, units).unwrap_or_else(|| number.to_string())
}

/// `84 ms`, `1.4 s`.
pub fn duration(millis: f64) -> String {
    if millis < 1000.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{:.1} s", millis / 1000.0)
    }
}

/// `8 s`, `45 s`, `3 min`, `1.5 h`: no finer than a guess deserves, and rounded by an eighth at most.
pub fn rough_duration(millis: f64) -> String {
    let seconds = millis / 1000.0;
    if seconds < 20.0 {
        format!("{:.0} s", seconds.max(1.0))
    } else if seconds < 90.0 {
        format!("{:.0} s", (seconds / 5.0).round() * 5.0)
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
        assert_eq!(dollars(Lang::En, 295_038.08), "$295,038.08");
        assert_eq!(dollars(Lang::Zh, 3.899), "US$3.90");
        assert_eq!(dollars(Lang::Zh, -20.0), "-US$20.00");
        assert_eq!(bytes(7_812_345), "7.8 MB");
        assert_eq!(bytes(412), "412 B");
        assert_eq!(count(Lang::En, 3_210_000), "3.2 M");
        assert_eq!(count(Lang::Zh, 3_210_000), "321 万");
        assert_eq!(count(Lang::Zh, 2_130_000_000), "21.30 亿");
        assert_eq!(duration(84.2), "84 ms");
        assert_eq!(duration(1449.0), "1.4 s");
        let times = [200.0, 43_000.0, 200_000.0, 5_500_000.0].map(rough_duration);
        assert_eq!(times, ["1 s", "45 s", "3 min", "1.5 h"]);
    }
}
