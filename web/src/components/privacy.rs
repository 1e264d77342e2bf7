//! "Your images never leave this page", with the count that shows it.

use crate::page::Page;
use crate::text::Key;
use leptos::prelude::*;

/// The privacy line.
#[component]
pub fn Privacy() -> impl IntoView {
    let page = Page::here();
    let is_ready = Memo::new(move |_| page.read(|session| session.model().is_ready()));
    let caption = move || {
        page.t(if is_ready.get() {
            Key::RequestsSince
        } else {
            Key::RequestsNotYet
        })()
    };
    let count = move || {
        if is_ready.get() {
            page.requests.get().to_string()
        } else {
            "–".to_owned()
        }
    };
    view! {
        <div class="privacy">
            <p class="model-line"><strong>{page.t(Key::PrivacyTitle)}</strong></p>
            <p class="counter">
                <span class="counter-number num" data-testid="request-counter" data-count=count>{count}</span>
                <span class="dim">{caption}</span>
            </p>
        </div>
    }
}
