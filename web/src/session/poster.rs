//! One verdict as a picture to post: an SVG text, which the browser draws into a PNG.

use super::Session;
use super::format;
use super::port::WorkerPort;
use super::queue::{CardId, CardState};
use super::report::escape;
use super::verdict_view::{ConceptValue, concept_rows};
use crate::text::{Key, Lang, text};
use servimage_bench::score::normalised;
use servimage_bench::verdict::Verdict;
use std::fmt::Write;

/// Width of a poster, in pixels.
pub const WIDTH: u32 = 1200;
/// Height of a poster, in pixels.
pub const HEIGHT: u32 = 630;

/// Paper, and the place of the picture; [`WIDTH`] by [`HEIGHT`].
const FRAME: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\" height=\"630\" font-family=\"sans-serif\" fill=\"#1d1b16\">\
    <rect width=\"1200\" height=\"630\" fill=\"#f5f2ea\"/><rect x=\"40\" y=\"40\" width=\"520\" height=\"550\" fill=\"#ebe7dc\"/>";

/// Colour of what matters less.
const QUIET: &str = "#5d584b";

/// Letters of the file name that fit on its line.
const NAME_LETTERS: usize = 34;
/// Letters of the labels' sentence that fit on a line, and its lines.
const LABELS_LETTERS: usize = 68;
const LABELS_LINES: usize = 3;

impl<P: WorkerPort> Session<P> {
    /// The poster of a judged card that is not hidden; `picture` is a `data:` address.
    pub fn poster_svg(&self, id: CardId, lang: Lang, picture: Option<&str>) -> Option<String> {
        let card = self.queue.get(id)?;
        let CardState::Done { verdict, .. } = &card.state else {
            return None;
        };
        if !self.is_open(card) {
            return None;
        }
        let pays = verdict.p_pay >= self.threshold();
        let (colour, stamp) = if pays {
            ("#0e6350", Key::WouldPay)
        } else {
            ("#a23a1f", Key::WouldNotPay)
        };
        let say = |key| text(lang, key);
        let mut svg = FRAME.to_owned();
        if let Some(picture) = picture {
            let href = escape(picture);
            svg +=
                &format!("<image href=\"{href}\" x=\"40\" y=\"40\" width=\"520\" height=\"550\"/>");
        }
        let price = verdict.expected_usd.map(|usd| {
            format!(
                "{} {}",
                say(Key::ExpectedDollars),
                format::dollars(lang, usd)
            )
        });
        line(
            &mut svg,
            78,
            26,
            QUIET,
            &shortened(&card.name, NAME_LETTERS),
        );
        line(&mut svg, 136, 44, colour, say(stamp));
        line(&mut svg, 240, 100, colour, &format::percent(verdict.p_pay));
        line(&mut svg, 286, 24, QUIET, &price.unwrap_or_default());
        push_concepts(&mut svg, lang, verdict);
        let made_by = &verdict.provenance;
        let hash = made_by.pack_sha256.get(..12).unwrap_or_default();
        for (words, y) in wrapped(&made_by.labels).iter().zip((504..).step_by(21)) {
            line(&mut svg, y, 15, QUIET, words);
        }
        line(
            &mut svg,
            588,
            15,
            QUIET,
            &format!("ServImage · {} · {hash}", made_by.pack_name),
        );
        Some(svg + "</svg>")
    }
}

/// A row a concept that has a score: title, bar and number.
fn push_concepts(svg: &mut String, lang: Lang, verdict: &Verdict) {
    let rows = concept_rows(verdict).into_iter();
    let scored = rows.filter_map(|row| match row.value {
        ConceptValue::Score(score, _) => Some((row.title, score)),
        _ => None,
    });
    for ((title, score), y) in scored.zip((336..).step_by(30)) {
        let width = normalised(score) * 200.0;
        line(svg, y, 20, "#1d1b16", text(lang, title));
        // Writing to a `String` cannot fail.
        let _ = write!(
            svg,
            "<rect x=\"900\" y=\"{top}\" width=\"200\" height=\"12\" fill=\"#d8d2c3\"/><rect x=\"900\" y=\"{top}\" width=\"{width:.0}\" height=\"12\"/>\
             <text x=\"1160\" y=\"{y}\" font-size=\"20\" text-anchor=\"end\">{score:.1}</text>",
            top = y - 13
        );
    }
}

fn line(svg: &mut String, y: u32, size: u32, colour: &str, words: &str) {
    let words = escape(words);
    let _ = write!(
        svg,
        "<text x=\"600\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{words}</text>"
    );
}

/// What the numbers are worth, in lines; what does not fit is cut with a sign.
fn wrapped(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let n_letters = lines.last().map_or(0, |line| line.chars().count());
        if n_letters > 0 && n_letters + word.chars().count() >= LABELS_LETTERS {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if lines.len() > LABELS_LINES {
        lines.truncate(LABELS_LINES);
        if let Some(line) = lines.last_mut() {
            line.push_str(" …");
        }
    }
    lines
}

/// The first letters, with a sign that there are more.
fn shortened(words: &str, n_letters: usize) -> String {
    let mut letters = words.chars();
    let short: String = letters.by_ref().take(n_letters).collect();
    if letters.next().is_some() {
        short + "…"
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{done, drop_images, judged_session, ready_session};

    #[test]
    fn a_poster_says_the_verdict_in_the_visitors_language() {
        let session = judged_session();
        let ids: Vec<CardId> = session.queue.iter().map(|card| card.id).collect();
        let svg = session
            .poster_svg(ids[0], Lang::Zh, Some("data:image/jpeg;base64,AAAA"))
            .expect("a poster");
        assert!(
            svg.contains("会付款")
                && svg.contains("75%")
                && svg.contains("data:image/jpeg;base64,AAAA")
        );
        assert_eq!(
            session.poster_svg(ids[1], Lang::En, None),
            None,
            "a failed image has none"
        );
    }

    #[test]
    fn what_the_numbers_are_worth_stands_there_in_whole() {
        let sentence = "Proxy labels made by construction: known blur, noise, compression and colour damage; not decisions of people who paid.";
        let lines = wrapped(sentence);
        assert_eq!(lines.join(" "), sentence);
        assert!(
            lines.len() == 2
                && lines
                    .iter()
                    .all(|line| line.chars().count() <= LABELS_LETTERS)
        );
        assert!(
            wrapped(&"word ".repeat(90))
                .last()
                .is_some_and(|line| line.ends_with('…'))
        );
    }

    #[test]
    fn a_hidden_verdict_is_on_no_poster_and_a_long_name_is_cut() {
        let mut session = ready_session();
        session.set_blind(true);
        let ids = drop_images(
            &mut session,
            &["a-very-long-name-that-never-seems-to-come-to-its-end-<b>.png"],
        );
        session.on_response(done(1, 0.9));
        assert_eq!(session.poster_svg(ids[0], Lang::En, None), None);
        session.vote(ids[0], true);
        let svg = session
            .poster_svg(ids[0], Lang::En, None)
            .expect("a poster");
        assert!(svg.contains('…') && !svg.contains("<b>"));
    }
}
