//! Shown over the whole window while files hover: they may be dropped anywhere.

use crate::page::Page;
use crate::text::Key;
use leptos::prelude::*;

/// The overlay.
#[component]
pub fn DropOverlay() -> impl IntoView {
    let page = Page::here();
    view! {
        <div class="overlay" class:shown=move || page.is_dragging.get() aria-hidden="true">
            <p>{page.t(Key::DropAnywhere)}</p>
        </div>
    }
}
