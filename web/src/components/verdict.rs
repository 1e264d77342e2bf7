//! The verdict of one image: would the client pay, for how much, and why.

use super::checklist::Checklist;
use super::concepts::Concepts;
use super::gauge::Gauge;
use super::image_notes::{ImageNotes, WhatChanged};
use super::provenance::ProvenanceView;
use super::rules::Rules;
use super::verdict_json::VerdictJson;
use crate::page::Page;
use crate::session::format;
use crate::session::queue::CardId;
use crate::session::rise::{LEAST_IMAGES, Rise};
use crate::session::verdict_view::concept_rows;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::verdict::Verdict;
use std::sync::Arc;

/// A whole verdict.
#[component]
pub fn VerdictView(
    /// Which card it is of.
    id: CardId,
    /// What came out.
    verdict: Arc<Verdict>,
    /// Milliseconds of work on this image.
    work_millis: f64,
    /// From which P(pay) on it counts as paid.
    threshold: Memo<f64>,
) -> impl IntoView {
    let page = Page::here();
    let rows = concept_rows(&verdict);
    let p_pay = verdict.p_pay;
    let pays = Memo::new(move |_| p_pay >= threshold.get());
    let stamp = move || {
        if pays.get() {
            view! { <span aria-hidden="true">"✓"</span> {page.t(Key::WouldPay)} }
        } else {
            view! { <span aria-hidden="true">"✕"</span> {page.t(Key::WouldNotPay)} }
        }
    };
    let labels = verdict.provenance.labels.clone();
    view! {
        <section class="verdict" data-testid="verdict" data-pay=move || pays.get().to_string()>
            <div class="judgement">
                <div class="stamp-line"><p class="stamp">{stamp}</p><VoteCast id=id /></div>
                <p class="p-pay num" data-testid="p-pay" data-value=verdict.p_pay.to_string()>{format::percent(verdict.p_pay)}</p>
                <p class="p-caption dim">{page.t(Key::PPayCaption)}</p>
                <Gauge p_pay=p_pay threshold=threshold />
                <Figures verdict=verdict.clone() />
                <WhatChanged id=id />
                <ImageNotes verdict=verdict.clone() />
                <p class="labels"><span class="label">{page.t(Key::LabelsTitle)}</span>" " <span lang="en" data-testid="labels">{labels}</span></p>
            </div>
            <div>
                <Concepts rows=rows />
                <RiseLine id=id />
            </div>
            <Rules rules=verdict.rules.clone() />
            <Checklist id=id />
            <footer class="card-foot">
                <ProvenanceView provenance=verdict.provenance.clone() work_millis=work_millis />
                <VerdictJson id=id verdict=verdict threshold=threshold />
            </footer>
        </section>
    }
}

/// The visitor's own decision, where there is one.
#[component]
fn VoteCast(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let vote = page.card(id, |card| card.vote).flatten()?;
    let words = if vote {
        Key::VotedPay
    } else {
        Key::VotedRefuse
    };
    Some(view! { <p class="vote-cast dim" data-testid="vote-cast">{page.t(words)}</p> })
}

/// What keeps the image below the threshold.
#[component]
fn RiseLine(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let words = move || {
        Some(match page.read(|session| session.rise(id))? {
            Rise::Lowest(concept, score) => page.say(
                Key::RiseLowest,
                &[
                    ("concept", page.t(concept)()),
                    ("score", &format!("{score:.1}")),
                    ("least", &LEAST_IMAGES.to_string()),
                ],
            ),
            Rise::By {
                concept,
                points,
                n,
                correlation,
            } => page.say(
                Key::RiseBy,
                &[
                    ("concept", page.t(concept)()),
                    ("points", &format!("{points:.1}")),
                    ("n", &n.to_string()),
                    ("correlation", &format!("{correlation:.2}")),
                ],
            ),
        })
    };
    move || words().map(|words| view! { <p class="dim detail rise" data-testid="rise">{words}</p> })
}

/// Dollars and the score.
#[component]
fn Figures(
    /// The verdict.
    verdict: Arc<Verdict>,
) -> impl IntoView {
    let page = Page::here();
    let dollars = verdict.expected_usd.zip(verdict.price_usd).map(|(expected, price)| {
        let usd = move |amount| format::dollars(page.lang.get(), amount);
        let of_price = move || fill(page.t(Key::OfPrice)(), &[("price", &usd(price))]);
        view! {
            <div>
                <dt>{page.t(Key::ExpectedDollars)}</dt>
                <dd><span class="num big" data-testid="expected-usd" data-value=expected.to_string()>{move || usd(expected)}</span>
                    " " <span class="dim num">{of_price}</span></dd>
            </div>
        }
    });
    let score = verdict.servimage_score.map(|score| {
        view! {
            <div>
                <dt><abbr title=page.t(Key::ScoreHint)>"ServImageScore"</abbr></dt>
                <dd><span class="num big" data-testid="servimage-score" data-value=score.to_string()>{format!("{score:.0}")}</span>
                    <span class="dim num">" / 100"</span></dd>
            </div>
        }
    });
    view! { <dl class="figures">{dollars}{score}</dl> }
}
