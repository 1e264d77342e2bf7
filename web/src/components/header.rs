//! Name, language and theme.

use crate::page::{DialogKind, Page};
use crate::platform::storage;
use crate::text::{Key, Lang};
use leptos::prelude::*;

/// The header.
#[component]
pub fn Header() -> impl IntoView {
    let page = Page::here();
    let theme_word = move || match page.theme.get().word() {
        "light" => page.t(Key::ThemeLight)(),
        "dark" => page.t(Key::ThemeDark)(),
        _ => page.t(Key::ThemeAuto)(),
    };
    let next_theme = move |_| {
        page.theme.update(|theme| *theme = theme.next());
        storage::remember("theme", page.theme.get_untracked().word());
    };
    view! {
        <header class="top">
            <p class="brand">
                <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
                    <path class="mark-crop" d="M5 11V5h6M21 5h6v6M27 21v6h-6M11 27H5v-6" />
                    <path class="mark-tick" d="M10 16.5l4 4.2L22.5 11" />
                </svg>
                "ServImage"
            </p>
            <div class="top-tools">
                <div class="segmented" role="group" aria-label=page.t(Key::LanguageLabel)>
                    <LanguageButton lang=Lang::En name="English" />
                    <LanguageButton lang=Lang::Zh name="中文" />
                </div>
                <button class="quiet" type="button" aria-keyshortcuts="?" aria-label=page.t(Key::KeysTitle) data-testid="open-keys"
                    on:click=move |_| page.dialog.set(Some(DialogKind::Keys))>"?"</button>
                <button class="quiet" type="button" on:click=next_theme data-testid="theme-toggle">
                    <span class="visually-hidden">{page.t(Key::ThemeLabel)} " "</span>
                    {theme_word}
                </button>
            </div>
        </header>
    }
}

/// One language of the switch.
#[component]
fn LanguageButton(
    /// The language.
    lang: Lang,
    /// Its own name for itself.
    name: &'static str,
) -> impl IntoView {
    let page = Page::here();
    let choose = move |_| {
        storage::remember("lang", lang.tag());
        page.speak(lang);
    };
    let is_chosen = move || {
        if page.lang.get() == lang {
            "true"
        } else {
            "false"
        }
    };
    view! {
        <button type="button" lang=lang.tag() aria-pressed=is_chosen on:click=choose>
            {name}
        </button>
    }
}
