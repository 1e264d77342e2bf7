//! The dialogs that are rarely opened: the model card, the keys, the model packs, and the visitor's own brief.

use super::own_brief::OwnBriefForm;
use super::packs::PackManager;
use crate::page::{DialogKind, Page};
use crate::platform::{dom, fetched};
use crate::text::Key;
use leptos::html::{Dialog, Div};
use leptos::prelude::*;

/// The keys of the page, and what they do; the controls name them in `aria-keyshortcuts`.
const KEYS: [(&str, Key); 7] = [
    ("?", Key::KeysTitle),
    ("/", Key::SearchTasks),
    ("w", Key::OwnBriefTitle),
    ("o", Key::ChooseImages),
    ("v", Key::PasteImage),
    ("p", Key::PauseAll),
    ("r", Key::ExportReport),
];

/// One dialog for all of them; open while the page names one.
#[component]
pub fn Dialogs() -> impl IntoView {
    let page = Page::here();
    let dialog: NodeRef<Dialog> = NodeRef::new();
    Effect::new(move |_| {
        let is_open = page.dialog.with(Option::is_some);
        if let Some(dialog) = dialog.get() {
            dom::set_modal(&dialog, is_open);
        }
    });
    // The browser tells of it later: what a key has opened again meanwhile stays open.
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            page.dialog.set(None);
        }
    };
    let title = move || match page.dialog.get() {
        Some(DialogKind::ModelCard) => Key::ModelCardTitle,
        Some(DialogKind::OwnBrief(Some(_))) => Key::WhatIfTitle,
        Some(DialogKind::OwnBrief(None)) => Key::OwnBriefTitle,
        Some(DialogKind::Packs) => Key::PacksTitle,
        _ => Key::KeysTitle,
    };
    let content = move || {
        Some(match page.dialog.get()? {
            DialogKind::ModelCard => view! { <ModelCard /> }.into_any(),
            DialogKind::Keys => view! { <Keys /> }.into_any(),
            DialogKind::Packs => view! { <PackManager /> }.into_any(),
            DialogKind::OwnBrief(card) => view! { <OwnBriefForm card=card /> }.into_any(),
        })
    };
    view! {
        <dialog class="sheet" aria-labelledby="dialog-title" data-testid="dialog" node_ref=dialog on:close=closed>
            <header class="card-head">
                <h2 id="dialog-title">{move || page.t(title())()}</h2>
                <button class="quiet" type="button" data-testid="dialog-close" on:click=move |_| page.dialog.set(None)>{page.t(Key::Close)}</button>
            </header>
            {content}
        </dialog>
    }
}

/// What the checkpoint was trained on and what its figures are, as its makers wrote it.
#[component]
fn ModelCard() -> impl IntoView {
    let page = Page::here();
    let place: NodeRef<Div> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(place) = place.get() {
            fetched::show_markdown(&place, &page.model_card.get_untracked(), 3);
        }
    });
    view! { <div class="markdown" lang="en" data-testid="model-card" node_ref=place></div> }
}

/// The keys, and a switch that turns them off.
#[component]
fn Keys() -> impl IntoView {
    let page = Page::here();
    let rows = KEYS.map(|(key, words)| {
        view! { <tr><th scope="row"><kbd>{key}</kbd></th><td>{page.t(words)}</td></tr> }
    });
    let turn = move |event| dom::turn_keys(event_target_checked(&event));
    view! {
        <table><tbody>{rows.collect_view()}</tbody></table>
        <p class="dim">{page.t(Key::KeysElsewhere)}</p>
        <label class="blind-switch">
            <input type="checkbox" role="switch" data-testid="keys-on" prop:checked=dom::keys_are_on() on:change=turn />
            <span>{page.t(Key::KeysOn)}</span>
        </label>
    }
}
