//! The seven concepts: a scale each, and the whole distribution on demand.

use crate::page::Page;
use crate::session::format;
use crate::session::verdict_view::{ConceptRow, ConceptValue};
use crate::text::Key;
use leptos::prelude::*;

/// All concepts.
#[component]
pub fn Concepts(
    /// One row a concept.
    rows: Vec<ConceptRow>,
) -> impl IntoView {
    let page = Page::here();
    let known: Vec<ConceptRow> = rows
        .iter()
        .filter(|row| matches!(row.value, ConceptValue::Score(_, Some(_))))
        .cloned()
        .collect();
    view! {
        <section class="concepts" aria-label=page.t(Key::ConceptsTitle)>
            <h4>{page.t(Key::ConceptsTitle)}</h4>
            <ul>{rows.into_iter().map(|row| view! { <Concept row=row /> }).collect_view()}</ul>
            {(!known.is_empty()).then(|| view! {
                <details class="distributions">
                    <summary>{page.t(Key::Distributions)}</summary>
                    <DistributionTable rows=known />
                </details>
            })}
        </section>
    }
}

/// One concept.
#[component]
fn Concept(
    /// The row.
    row: ConceptRow,
) -> impl IntoView {
    let page = Page::here();
    let is_scored = matches!(row.value, ConceptValue::Score(..));
    view! {
        <li data-concept=row.id class:silent=!is_scored>
            <span class="concept-title" title=page.t(row.hint)>{page.t(row.title)}</span>
            {match row.value {
                ConceptValue::Score(score, _) => view! {
                    <Scale score=score />
                    <span class="concept-score num">{format!("{score:.1}")}</span>
                }.into_any(),
                ConceptValue::NotApplicable(why) => view! {
                    <span class="why dim">{page.t(Key::NotApplicable)} " " {page.t(why)}</span>
                }.into_any(),
                ConceptValue::NotApplicableSaid(why) => view! {
                    <span class="why dim">{page.t(Key::NotApplicable)} " " <span lang="en">{why}</span></span>
                }.into_any(),
            }}
        </li>
    }
}

/// Five segments, filled up to the score.
#[component]
fn Scale(
    /// 1..=5.
    score: f64,
) -> impl IntoView {
    let segments = (0..5).map(|idx| {
        let x = f64::from(idx) * 20.2;
        let width = (score - f64::from(idx)).clamp(0.0, 1.0) * 19.0;
        view! {
            <rect class="track" x=x y="0" width="19" height="6" />
            <rect class="reach" x=x y="0" width=width height="6" />
        }
    });
    view! {
        <svg class="scale" viewBox="0 0 99.8 6" preserveAspectRatio="none" aria-hidden="true">{segments.collect_view()}</svg>
    }
}

/// Probabilities of 1 to 5, a row a concept: the numbers and a column each.
#[component]
fn DistributionTable(
    /// Concepts with a distribution.
    rows: Vec<ConceptRow>,
) -> impl IntoView {
    let page = Page::here();
    let cell = |probability: f64| {
        let height = probability.clamp(0.0, 1.0) * 24.0;
        view! {
            <td class="num">
                <svg class="column" viewBox="0 0 10 24" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="reach" x="0" y=24.0 - height width="10" height=height />
                </svg>
                {format::percent(probability)}
            </td>
        }
    };
    let line = move |row: ConceptRow| {
        let ConceptValue::Score(_, Some(distribution)) = row.value else {
            return None;
        };
        Some(
            view! { <tr><th scope="row">{page.t(row.title)}</th>{distribution.map(cell).collect_view()}</tr> },
        )
    };
    view! {
        <div class="scroll" tabindex="0">
            <table>
                <thead><tr><th scope="col">{page.t(Key::Concept)}</th>
                    {[1, 2, 3, 4, 5].map(|score| view! { <th scope="col" class="num">{score}</th> }).collect_view()}</tr></thead>
                <tbody>{rows.into_iter().filter_map(line).collect_view()}</tbody>
            </table>
        </div>
    }
}
