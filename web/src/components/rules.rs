//! The hard rules: what was required beside what was measured.

use crate::page::Page;
use crate::session::verdict_view::{outcome_words, rule_title};
use crate::text::Key;
use leptos::prelude::*;
use servimage_bench::verdict::RuleResult;

/// The rules of the deliverable; a sentence where it has none.
#[component]
pub fn Rules(
    /// In the order of the task.
    rules: Vec<RuleResult>,
) -> impl IntoView {
    let page = Page::here();
    let is_empty = rules.is_empty();
    let rows = rules
        .into_iter()
        .map(|rule| view! { <Rule rule=rule /> })
        .collect_view();
    view! {
        <section class="rules" aria-label=page.t(Key::RulesTitle)>
            <h4>{page.t(Key::RulesTitle)}</h4>
            {if is_empty {
                view! { <p class="dim">{page.t(Key::NoRules)}</p> }.into_any()
            } else {
                view! {
                    <table>
                        <thead><tr>
                            <th scope="col">{page.t(Key::Rule)}</th>
                            <th scope="col">{page.t(Key::Required)}</th>
                            <th scope="col">{page.t(Key::Measured)}</th>
                            <th scope="col">{page.t(Key::Outcome)}</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    }
}

/// One rule.
#[component]
fn Rule(
    /// How it came out.
    rule: RuleResult,
) -> impl IntoView {
    let page = Page::here();
    let (word, sign, look) = outcome_words(rule.outcome);
    let own_name = rule.rule.clone();
    let title = match rule_title(&rule) {
        Some(key) => view! { <span title=own_name>{page.t(key)}</span> }.into_any(),
        None => view! { <code>{own_name}</code> }.into_any(),
    };
    let measured = if rule.measured.is_empty() {
        "–".to_owned()
    } else {
        rule.measured
    };
    view! {
        <tr data-outcome=look>
            <th scope="row">{title}</th>
            <td data-label=page.t(Key::Required)>{rule.required}</td>
            <td data-label=page.t(Key::Measured)><span lang="en">{measured}</span></td>
            <td class="outcome" data-label=page.t(Key::Outcome)><span class=format!("glyph {look}") aria-hidden="true">{sign}</span> {page.t(word)}</td>
        </tr>
    }
}
