//! ServImageBench itself: dropped, picked, and forgotten again.

use crate::page::Page;
use crate::platform::{dom, files};
use crate::session::format;
use crate::text::{Key, fill};
use leptos::html::Input;
use leptos::prelude::*;

/// Brings the benchmark's 1,070 tasks into the picker.
#[component]
pub fn BenchLoader() -> impl IntoView {
    let page = Page::here();
    let input: NodeRef<Input> = NodeRef::new();
    let loaded = Memo::new(move |_| {
        page.read(|session| {
            (
                session.catalog.n_bench(),
                session.catalog.n_warnings(),
                session.assets.n_bench(),
            )
        })
    });
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
    let summary = move || {
        let (tasks, warnings, pictures) = loaded.get();
        let number = |count: usize| format::thousands(count as u64);
        let values = [
            ("tasks", number(tasks)),
            ("warnings", number(warnings)),
            ("pictures", number(pictures)),
        ];
        fill(
            page.t(Key::BenchSummary)(),
            &values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str())),
        )
    };
    view! {
        <section class="bench-loader" aria-labelledby="bench-title">
            <h3 id="bench-title">"ServImageBench"</h3>
            {move || if loaded.get().0 > 0 {
                view! {
                    <p class="dim" data-testid="bench-summary">{summary}</p>
                    <button class="quiet" type="button" data-testid="bench-forget"
                        on:click=move |_| page.forget_bench()>{page.t(Key::BenchForget)}</button>
                }.into_any()
            } else {
                view! { <p class="dim">{page.t(Key::BenchHint)}</p> }.into_any()
            }}
            <button class="quiet" type="button" on:click=choose>{page.t(Key::BenchChoose)}</button>
            <input class="visually-hidden" type="file" multiple prop:webkitdirectory=true tabindex="-1" data-testid="bench-input"
                aria-label=page.t(Key::BenchChoose) node_ref=input on:change=take />
        </section>
    }
}
