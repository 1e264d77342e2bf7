//! The form for a brief in the visitor's own words; for a card that asks "what if", filled with the brief of that card.

use crate::page::{DialogKind, Page};
use crate::platform::dom;
use crate::session::own_brief::OwnBrief;
use crate::session::queue::CardId;
use crate::text::Key;
use leptos::prelude::*;

/// Categories that can be picked, as the benchmark names them.
const CATEGORIES: [(&str, Key); 3] = [
    ("C-Product", Key::CategoryProduct),
    ("C-Portrait", Key::CategoryPortrait),
    ("C-Digital", Key::CategoryDigital),
];

/// The form.
#[component]
pub fn OwnBriefForm(
    /// The card that is judged again for what is written; none for a new brief.
    card: Option<CardId>,
) -> impl IntoView {
    let page = Page::here();
    let base = card.and_then(|id| page.card(id, |card| OwnBrief::of_task(&card.task)));
    let filled = base.unwrap_or_default();
    let take = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let value = dom::form_values(&event);
        let brief = OwnBrief {
            title: value("title"),
            brief: value("brief"),
            price: value("price"),
            deliverables: value("deliverables"),
            category: value("category"),
            has_input: !value("input").is_empty(),
        };
        page.take_own_brief(&brief, card);
        page.dialog.set(None);
    };
    let hint = if card.is_some() {
        Key::WhatIfHint
    } else {
        Key::OwnBriefHint
    };
    let categories = CATEGORIES.map(|(name, words)| {
        view! { <option value=name selected=filled.category == name>{page.t(words)}</option> }
    });
    view! {
        <form class="own-brief" on:submit=take>
            <p class="dim">{page.t(hint)}</p>
            <label>{page.t(Key::OwnTitle)}<input class="field" name="title" required maxlength="200" data-testid="own-title" value=filled.title /></label>
            <label>{page.t(Key::OwnBrief)}<textarea class="field" name="brief" rows="5" required data-testid="own-brief">{filled.brief}</textarea></label>
            <label>{page.t(Key::OwnDeliverables)}<textarea class="field" name="deliverables" rows="3" data-testid="own-deliverables">{filled.deliverables}</textarea></label>
            <div class="costs">
                <label>{page.t(Key::OwnPrice)}<input class="field num" name="price" type="number" min="0" step="any" inputmode="decimal" data-testid="own-price" value=filled.price /></label>
                <label>{page.t(Key::Category)}<select class="field" name="category">{categories.collect_view()}</select></label>
            </div>
            <label class="blind-switch"><input type="checkbox" name="input" checked=filled.has_input />{page.t(Key::OwnInput)}</label>
            <button class="primary" type="submit" data-testid="own-save">{page.t(if card.is_some() { Key::WhatIfGo } else { Key::OwnSave })}</button>
        </form>
    }
}

/// Opens the form for a new brief; beside it, where the picked brief is such a one, a way to forget it.
#[component]
pub fn OwnBriefButtons(
    /// Whether the picked brief is the visitor's own.
    is_own: bool,
) -> impl IntoView {
    let page = Page::here();
    let forget = is_own.then(|| {
        view! {
            <p class="ood" data-testid="out-of-distribution"><span class="glyph warning" aria-hidden="true">"!"</span>{page.t(Key::OutOfDistribution)}</p>
            <button class="quiet" type="button" data-testid="own-forget" on:click=move |_| page.forget_own_brief()>{page.t(Key::OwnForget)}</button>
        }
    });
    view! {
        <div class="own-buttons">
            {forget}
            <button class="quiet" type="button" aria-keyshortcuts="w" data-testid="own-open"
                on:click=move |_| page.dialog.set(Some(DialogKind::OwnBrief(None)))>{page.t(Key::OwnBriefTitle)}</button>
        </div>
    }
}
