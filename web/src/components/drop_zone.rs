//! The place for images: drop, choose, paste, or try a sample.

use super::blind::BlindSwitch;
use super::samples::Samples;
use crate::page::Page;
use crate::platform::{dom, files};
use crate::text::Key;
use leptos::html::Input;
use leptos::prelude::*;

/// The drop area with its buttons.
#[component]
pub fn DropZone() -> impl IntoView {
    let page = Page::here();
    let input: NodeRef<Input> = NodeRef::new();
    let choose = move |_| {
        if let Some(input) = input.get() {
            dom::click(&input);
        }
    };
    let take = move |_| {
        if let Some(input) = input.get() {
            page.take(files::of_input(&input));
        }
    };
    view! {
        <section class="drop" data-testid="drop-zone" class:over=move || page.is_dragging.get() aria-labelledby="drop-title">
            <i class="crop" aria-hidden="true"></i>
            <div class="drop-inner">
                <h2 id="drop-title">{page.t(Key::DropTitle)}</h2>
                <p class="dim">{page.t(Key::DropHint)}</p>
                <button class="primary" type="button" on:click=choose>{page.t(Key::ChooseImages)}</button>
                <input
                    class="visually-hidden" type="file" multiple tabindex="-1" data-testid="file-input"
                    accept="image/*,.tif,.tiff,.json" aria-label=page.t(Key::ChooseImages)
                    node_ref=input on:change=take
                />
                <BlindSwitch />
            </div>
            <Samples />
        </section>
    }
}
