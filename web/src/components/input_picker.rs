//! The client's own picture of an editing task: found in the benchmark's folder or picked by hand.

use crate::page::Page;
use crate::platform::{dom, files};
use crate::text::{Key, fill};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Picks the input image of a task.
#[component]
pub fn InputPicker(
    /// The task.
    task_id: String,
) -> impl IntoView {
    let page = Page::here();
    let task_id = StoredValue::new(task_id);
    let input: NodeRef<Input> = NodeRef::new();
    let name = Memo::new(move |_| {
        page.read(|session| task_id.with_value(|id| session.assets.input(id).map(name_of)))
    });
    let choose = move |_| {
        if let Some(input) = input.get() {
            dom::click(&input);
        }
    };
    let take = move |_| {
        if let Some(input) = input.get() {
            let Some(bringing) = files::of_input(&input) else {
                return;
            };
            spawn_local(async move {
                let brought = files::read(bringing).await.unwrap_or_default();
                let file = brought
                    .files
                    .into_iter()
                    .next()
                    .map(|incoming| incoming.file);
                page.change(|session| task_id.with_value(|id| session.pick_input(id, file)));
            });
        }
    };
    let words = move || match name.get() {
        Some(name) => fill(page.t(Key::InputChosen)(), &[("name", &name)]),
        None => page.t(Key::InputMissing)().to_owned(),
    };
    view! {
        <div class="input-picker">
            <p>{words}</p>
            <button class="quiet" type="button" on:click=choose>{page.t(Key::InputChoose)}</button>
            <input class="visually-hidden" type="file" accept="image/*" tabindex="-1" data-testid="input-image"
                aria-label=page.t(Key::InputChoose) node_ref=input on:change=take />
        </div>
    }
}

fn name_of(file: &crate::platform::File) -> String {
    file.name()
}
