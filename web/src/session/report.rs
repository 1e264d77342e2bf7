//! The report: one HTML file without scripts or addresses, so that it opens with the network off, prints,
//! and says the same in ten years. It is written in pieces, because hundreds of images at once would hold the page up.

use super::Session;
use super::format;
use super::order::Order;
use super::port::WorkerPort;
use super::queue::{Card, CardId, CardState};
use super::verdict_view::{ConceptValue, concept_rows, outcome_words, rule_title};
use crate::text::{Key, Lang, fill, text};
use servimage_bench::verdict::{Provenance, Verdict};

/// Looks of the report; it brings its own, the page's files are not there.
const STYLE: &str = include_str!("report.css");

impl<P: WorkerPort> Session<P> {
    /// Cards of a report, judged and not hidden: the likeliest to be paid first.
    pub fn reported(&self) -> Vec<CardId> {
        let mut ids = self.ids_in(Order::Likeliest);
        let is_shown = |id: &CardId| {
            let card = self.queue.get(*id);
            card.is_some_and(|card| self.shown_p_pay(card).is_some())
        };
        ids.retain(is_shown);
        ids
    }

    /// What stands before the images. `made_at` is shown as it is.
    pub fn report_head(&self, lang: Lang, made_at: &str) -> String {
        let say = |key| text(lang, key);
        let mut html = format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{} · {}</p>",
            lang.tag(),
            escape(made_at),
            self.report_summary(lang),
            title = say(Key::ReportTitle),
        );
        let first = self.reported().first().and_then(|id| self.queue.get(*id));
        if let Some(CardState::Done { verdict, .. }) = first.map(|card| &card.state) {
            let labels = escape(&verdict.provenance.labels);
            html += &format!(
                "<p class=\"labels\">{} <span lang=\"en\">{labels}</span></p>",
                say(Key::LabelsTitle)
            );
        }
        html + "<main>"
    }

    /// One image, with its small picture as a `data:` address; empty where it went meanwhile.
    pub fn report_image(&self, id: CardId, lang: Lang, thumb: Option<&str>) -> String {
        let mut html = String::new();
        if let Some(card) = self.queue.get(id)
            && let CardState::Done { verdict, .. } = &card.state
        {
            push_image(&mut html, lang, card, &self.decided(verdict), thumb);
        }
        html
    }

    /// What stands behind the images: those that failed, and what a verdict is worth.
    pub fn report_foot(&self, lang: Lang) -> String {
        let mut html = "</main>".to_owned();
        let failed = self.queue.iter().filter_map(|card| match &card.state {
            CardState::Failed(error) => Some((card, error)),
            _ => None,
        });
        for (card, error) in failed {
            let (name, why) = (escape(&card.name), escape(&error.message));
            html += &format!("<p class=\"failed\">✕ {name}: <span lang=\"en\">{why}</span></p>");
        }
        html + &format!(
            "<footer><p>{}</p></footer></html>",
            text(lang, Key::FooterHonest)
        )
    }

    fn report_summary(&self, lang: Lang) -> String {
        let Some(outlook) = self.outlook() else {
            return String::new();
        };
        let sent = fill(
            text(lang, Key::NetSent),
            &[
                ("sent", &outlook.n_sent.to_string()),
                ("judged", &outlook.n_judged.to_string()),
            ],
        );
        let from = fill(
            text(lang, Key::ThresholdAt),
            &[("percent", &format::percent(outlook.threshold))],
        );
        format!(
            "{sent} · {from} · {} {}",
            text(lang, Key::NetCaption),
            format::dollars(lang, outlook.net_usd)
        )
    }
}

fn push_image<F>(
    html: &mut String,
    lang: Lang,
    card: &Card<F>,
    verdict: &Verdict,
    thumb: Option<&str>,
) {
    let say = |key| text(lang, key);
    let (look, sign, stamp) = if verdict.pay {
        ("pay", "✓", Key::WouldPay)
    } else {
        ("refuse", "✕", Key::WouldNotPay)
    };
    let picture = match thumb {
        Some(url) => format!("<img src=\"{}\" alt=\"\">", escape(url)),
        None => format!("<p>{}</p>", say(Key::NoPicture)),
    };
    let expected = verdict.expected_usd.map(|usd| {
        format!(
            " · {} {}",
            say(Key::ExpectedDollars),
            format::dollars(lang, usd)
        )
    });
    let score = verdict
        .servimage_score
        .map(|score| format!(" · ServImageScore {score:.0}"));
    let percent = format::percent(verdict.p_pay);
    *html += &format!(
        "<article class=\"{look}\"><figure>{picture}</figure><div><h2>{}</h2><p lang=\"{}\">{}</p>\
         <p class=\"stamp\">{sign} {} · {percent}{}{}</p>",
        escape(&card.name),
        card.task.language(),
        escape(&card.task.name),
        say(stamp),
        expected.unwrap_or_default(),
        score.unwrap_or_default(),
    );
    if let Some(vote) = card.vote {
        let words = if vote {
            Key::VotedPay
        } else {
            Key::VotedRefuse
        };
        *html += &format!("<p>{}</p>", say(words));
    }
    push_concepts(html, lang, verdict);
    push_rules(html, lang, verdict);
    push_ticked(html, card);
    push_provenance(html, lang, &verdict.provenance);
    *html += "</div></article>";
}

fn push_provenance(html: &mut String, lang: Lang, made_by: &Provenance) {
    let parts = [
        &made_by.pack_name,
        &made_by.quant,
        &made_by.pack_sha256,
        &made_by.device,
        &made_by.self_test,
        &made_by.task_version,
    ];
    let parts = parts.map(|part| escape(part)).join(" · ");
    let title = text(lang, Key::ProvenanceTitle);
    *html += &format!("<p class=\"by\">{title}: {parts}</p>");
}

fn push_concepts(html: &mut String, lang: Lang, verdict: &Verdict) {
    *html += "<dl>";
    for row in concept_rows(verdict) {
        if let ConceptValue::Score(score, _) = row.value {
            *html += &format!(
                "<div><dt>{}</dt><dd><meter min=\"1\" max=\"5\" value=\"{score:.2}\"></meter> {score:.1}</dd></div>",
                text(lang, row.title)
            );
        }
    }
    *html += "</dl>";
}

fn push_rules(html: &mut String, lang: Lang, verdict: &Verdict) {
    *html += "<ul>";
    for rule in &verdict.rules {
        let (word, sign, look) = outcome_words(rule.outcome);
        let name =
            rule_title(rule).map_or_else(|| escape(&rule.rule), |key| text(lang, key).to_owned());
        let measured = if rule.measured.is_empty() {
            "–"
        } else {
            &rule.measured
        };
        *html += &format!(
            "<li class=\"{look}\">{sign} {name}: {} → {} ({})</li>",
            escape(&rule.required),
            escape(measured),
            text(lang, word)
        );
    }
    *html += "</ul>";
}

/// The soft rules, where the visitor ticked any.
fn push_ticked<F>(html: &mut String, card: &Card<F>) {
    if card.ticks.count() == 0 {
        return;
    }
    *html += &format!("<ul lang=\"{}\">", card.task.language());
    for (idx, point) in card.task.points.iter().enumerate() {
        let sign = if card.ticks.has(idx) { "☑" } else { "☐" };
        *html += &format!("<li>{sign} {}</li>", escape(&point.text));
    }
    *html += "</ul>";
}

/// Text that cannot become markup, in an attribute either.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{done, drop_images, judged_session, ready_session};

    /// The whole report, every image with this picture.
    fn report_in<P: WorkerPort>(session: &Session<P>, lang: Lang, thumb: Option<&str>) -> String {
        let image = |id| session.report_image(id, lang, thumb);
        let images: String = session.reported().into_iter().map(image).collect();
        session.report_head(lang, "2026-11-25") + &images + &session.report_foot(lang)
    }

    fn report<P: WorkerPort>(session: &Session<P>) -> String {
        report_in(session, Lang::En, None)
    }

    #[test]
    fn the_report_has_every_judged_image_and_why_others_are_missing() {
        let session = judged_session();
        let html = report(&session);
        assert!(html.contains("good.png") && html.contains("75%") && html.contains("$7.50"));
        assert!(html.contains("bad.png") && html.contains("it broke"));
        let chinese = report_in(&session, Lang::Zh, None);
        assert!(chinese.contains("lang=\"zh-CN\"") && chinese.contains("会付款"));
    }

    #[test]
    fn the_report_needs_no_network_and_runs_no_script() {
        let mut session = judged_session();
        let id = session.queue.iter().next().expect("a card").id;
        session.tick(id, 0, true);
        let html = report_in(&session, Lang::En, Some("data:image/jpeg;base64,AAAA"));
        assert!(html.contains("src=\"data:image/jpeg;base64,AAAA\"") && html.contains('☑'));
        for address in ["http:", "https:", "<script", "<link", "url("] {
            assert!(!html.contains(address), "{address} in the report");
        }
    }

    #[test]
    fn a_file_name_cannot_become_markup() {
        let mut session = ready_session();
        drop_images(&mut session, &["<img src=x onerror=alert(1)>.png"]);
        session.on_response(done(1, 0.9));
        let html = report(&session);
        assert!(!html.contains("<img src=x"));
        assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;.png"));
    }

    #[test]
    fn the_likeliest_to_be_paid_stand_first_and_hidden_verdicts_nowhere() {
        let mut session = ready_session();
        drop_images(&mut session, &["low.png", "high.png"]);
        session.on_response(done(1, 0.3));
        session.on_response(done(2, 0.9));
        session.set_blind(true);
        drop_images(&mut session, &["hidden.png"]);
        session.on_response(done(3, 0.6));
        let html = report(&session);
        assert!(html.find("high.png") < html.find("low.png"));
        assert!(!html.contains("hidden.png"));
    }

    #[test]
    fn an_image_that_went_while_the_report_was_written_leaves_no_gap() {
        let mut session = judged_session();
        let id = session.reported()[0];
        session.remove(id);
        assert_eq!(session.report_image(id, Lang::En, None), "");
    }
}
