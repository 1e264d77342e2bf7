//! Price, language and kind of the tasks that are listed.

use crate::page::Page;
use crate::session::catalog::{PriceBand, TaskKind};
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;

/// The three filters.
#[component]
pub fn Filters(
    /// Band of the price.
    price: RwSignal<PriceBand>,
    /// Language, `zh` or `en`; any where empty.
    language: RwSignal<String>,
    /// What is asked for.
    kind: RwSignal<TaskKind>,
) -> impl IntoView {
    let page = Page::here();
    let bands = PriceBand::ALL.iter().enumerate().map(|(idx, band)| {
        let band = *band;
        view! { <option value=idx.to_string()>{move || band_words(page, band)}</option> }
    });
    let kinds = TaskKind::ALL
        .map(|(kind, word)| view! { <option value=word>{page.t(kind_words(kind))}</option> });
    view! {
        <select class="field" data-testid="price-select" aria-label=page.t(Key::PriceFilter)
            on:change=move |event| price.set(band_of(&event_target_value(&event)))>{bands.collect_view()}</select>
        <select class="field" data-testid="language-select" aria-label=page.t(Key::LanguageFilter)
            on:change=move |event| language.set(event_target_value(&event))>
            <option value="">{page.t(Key::AnyLanguage)}</option>
            <option value="zh" lang="zh">"中文"</option>
            <option value="en" lang="en">"English"</option>
        </select>
        <select class="field wide" data-testid="kind-select" aria-label=page.t(Key::KindFilter)
            on:change=move |event| kind.set(kind_of(&event_target_value(&event)))>{kinds.collect_view()}</select>
    }
}

fn band_of(value: &str) -> PriceBand {
    let idx = value.parse().unwrap_or(0usize);
    PriceBand::ALL.get(idx).copied().unwrap_or_default()
}

fn band_words(page: Page, PriceBand(from, below): PriceBand) -> String {
    let usd = format::dollar_sign(page.lang.get());
    let (low, high) = (format!("{usd}{from:.0}"), format!("{usd}{below:.0}"));
    if below.is_finite() {
        page.say(Key::PriceBetween, &[("low", &low), ("high", &high)])
    } else if from > 0.0 {
        page.say(Key::PriceFrom, &[("low", &low)])
    } else {
        page.t(Key::AnyPrice)().to_owned()
    }
}

fn kind_of(word: &str) -> TaskKind {
    let found = TaskKind::ALL.iter().find(|(_, known)| *known == word);
    found.map(|(kind, _)| *kind).unwrap_or_default()
}

fn kind_words(kind: TaskKind) -> Key {
    match kind {
        TaskKind::Any => Key::AnyKind,
        TaskKind::FromPicture => Key::KindPicture,
        TaskKind::FromWords => Key::KindWords,
        TaskKind::Set => Key::KindSet,
        TaskKind::Single => Key::KindSingle,
    }
}
