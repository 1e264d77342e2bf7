//! The verdict as JSON: copied or saved.

use crate::page::Page;
use crate::platform::dom;
use crate::session::notice::Notice;
use crate::text::Key;
use leptos::prelude::*;
use leptos::task::spawn_local;
use servimage_bench::verdict::Verdict;
use std::sync::Arc;

/// Two buttons; the element itself carries the JSON in `data-json`.
#[component]
pub fn VerdictJson(
    /// The verdict.
    verdict: Arc<Verdict>,
) -> impl IntoView {
    let page = Page::here();
    let json = serde_json::to_string(&*verdict).unwrap_or_default();
    let pretty = StoredValue::new(serde_json::to_string_pretty(&*verdict).unwrap_or_default());
    let stem = verdict
        .image
        .rsplit_once('.')
        .map_or(verdict.image.as_str(), |(stem, _)| stem);
    let file_name = StoredValue::new(format!("{stem}.verdict.json"));
    let copy = move |_| {
        spawn_local(async move {
            if dom::copy_text(&pretty.get_value()).await {
                page.change(|session| session.notify(Notice::Copied));
            }
        });
    };
    let save = move |_| {
        dom::download_text(
            &file_name.get_value(),
            "application/json",
            &pretty.get_value(),
        )
    };
    view! {
        <div class="row" data-testid="verdict-json" data-json=json>
            <button class="quiet" type="button" on:click=copy>{page.t(Key::CopyJson)}</button>
            <button class="quiet" type="button" on:click=save>{page.t(Key::SaveJson)}</button>
        </div>
    }
}
