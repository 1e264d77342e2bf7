//! The dropped picture, shown from memory.

use crate::page::Page;
use crate::platform::dom;
use crate::session::queue::CardId;
use crate::text::Key;
use leptos::prelude::*;

/// The picture of a card; a quiet sign where the browser cannot draw it.
#[component]
pub fn Thumbnail(
    /// Which card.
    id: CardId,
    /// File name, for those who do not see the picture.
    name: String,
    /// What lies over the picture.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let page = Page::here();
    let url = page
        .card(id, |card| {
            card.file.as_ref().and_then(|file| dom::object_url(file))
        })
        .flatten();
    let is_broken = RwSignal::new(url.is_none());
    if let Some(url) = url.clone() {
        on_cleanup(move || dom::revoke_url(&url));
    }
    view! {
        <figure class="thumb" class:broken=move || is_broken.get()>
            <span class="frame">
                <img src=url alt=name loading="lazy" decoding="async" on:error=move |_| is_broken.set(true) />
                {children.map(|children| children())}
            </span>
            {move || is_broken.get().then(|| view! { <figcaption class="dim">{page.t(Key::NoPicture)}</figcaption> })}
        </figure>
    }
}
