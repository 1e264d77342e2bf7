//! What this is, in two sentences.

use crate::page::Page;
use crate::text::Key;
use leptos::prelude::*;

/// The footer.
#[component]
pub fn Footer() -> impl IntoView {
    let page = Page::here();
    view! {
        <footer class="bottom">
            <p>{page.t(Key::FooterHonest)}</p>
            <p class="dim">{page.t(Key::FooterHow)}</p>
        </footer>
    }
}
