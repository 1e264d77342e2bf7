//! Blind mode: its switch, and how far the visitor and the model agree.

use crate::page::Page;
use crate::platform::dom;
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;

/// The switch.
#[component]
pub fn BlindSwitch() -> impl IntoView {
    let page = Page::here();
    let is_blind = Memo::new(move |_| page.read(|session| session.is_blind()));
    let switch = move |event| {
        let is_blind = event_target_checked(&event);
        page.change(|session| session.set_blind(is_blind));
    };
    view! {
        <label class="blind-switch">
            <input type="checkbox" role="switch" data-testid="blind" prop:checked=is_blind on:change=switch />
            <span>{page.t(Key::BlindSwitch)}</span>
        </label>
    }
}

/// Agreement over all votes, with their export; nothing before the first vote.
#[component]
pub fn AgreementLine() -> impl IntoView {
    let page = Page::here();
    let agreement = Memo::new(move |_| page.read(|session| session.agreement()));
    let is_there = Memo::new(move |_| agreement.get().n > 0);
    let words = move || {
        let found = agreement.get();
        let share = format::percent(found.n_agree as f64 / found.n.max(1) as f64);
        let values = [
            ("agree", found.n_agree.to_string()),
            ("n", found.n.to_string()),
            ("share", share),
        ];
        page.say(
            Key::AgreementLine,
            &values.each_ref().map(|(name, value)| (*name, &**value)),
        )
    };
    let kappa = move || match agreement.get().kappa {
        Some(kappa) => page.say(Key::Kappa, &[("kappa", &format!("{kappa:.2}"))]),
        None => page.t(Key::KappaNone)().to_owned(),
    };
    let save = move |_| {
        let rows = page
            .session
            .with_untracked(|session| session.export_votes(&dom::now_iso()));
        dom::download_text("servimage_annotations.jsonl", "application/jsonl", &rows);
    };
    move || {
        is_there.get().then(|| {
            view! {
                <div class="agreement" data-testid="agreement">
                    <p class="num">{words} " · " {kappa}</p>
                    <button class="quiet" type="button" data-testid="export-votes" on:click=save>{page.t(Key::ExportVotes)}</button>
                </div>
            }
            .into_any()
        })
    }
}
