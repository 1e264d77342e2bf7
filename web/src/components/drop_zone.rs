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
            files::of_input(&input)
                .into_iter()
                .for_each(|files| page.bring(files));
        }
    };
    view! {
        <section class="drop" data-testid="drop-zone" class:over=move || page.is_dragging.get() aria-labelledby="drop-title">
            <i class="crop" aria-hidden="true"></i>
            <div class="drop-inner">
                <h2 id="drop-title">{page.t(Key::DropTitle)}</h2>
                <p class="dim">{page.t(Key::DropHint)}</p>
                <div class="row">
                    <button class="primary" type="button" aria-keyshortcuts="o" on:click=choose>{page.t(Key::ChooseImages)}</button>
                    <button class="quiet" type="button" aria-keyshortcuts="v" data-testid="paste"
                        on:click=move |_| page.bring(files::of_clipboard())>{page.t(Key::PasteImage)}</button>
                </div>
                <input
                    class="visually-hidden" type="file" multiple tabindex="-1" data-testid="file-input"
                    accept="image/*,.tif,.tiff,.heic,.heif,.avif,.jxl,.zip,.json" aria-label=page.t(Key::ChooseImages)
                    node_ref=input on:change=take
                />
                <BlindSwitch />
            </div>
            <Samples />
        </section>
    }
}
