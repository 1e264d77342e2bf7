//! All cards, the newest drop first, with what can be done with all of them.

use super::card::CardView;
use crate::page::Page;
use crate::platform::dom;
use crate::session::format;
use crate::session::queue::Counts;
use crate::text::{Key, fill};
use leptos::prelude::*;

/// The queue; where it is empty, what will stand here.
#[component]
pub fn QueueView() -> impl IntoView {
    let page = Page::here();
    let ids = Memo::new(move |_| page.read(|session| session.queue.ids_for_show()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    view! {
        <section class="queue" aria-labelledby="queue-title">
            <h2 id="queue-title" class="visually-hidden">{page.t(Key::QueueTitle)}</h2>
            {move || if is_empty.get() {
                view! { <EmptyQueue /> }.into_any()
            } else {
                view! { <QueueBar /> }.into_any()
            }}
            <div class="cards">
                <For each=move || ids.get() key=|id| *id let:id>
                    <CardView id=id />
                </For>
            </div>
        </section>
    }
}

/// Counts and the exports.
#[component]
fn QueueBar() -> impl IntoView {
    let page = Page::here();
    let counts = Memo::new(move |_| page.read(|session| session.queue.counts()));
    let words = move || {
        let Counts {
            total,
            done,
            pay,
            failed,
        } = counts.get();
        let number = |count: usize| format::thousands(count as u64);
        let values = [
            ("total", number(total)),
            ("done", number(done)),
            ("pay", number(pay)),
            ("failed", number(failed)),
        ];
        fill(
            page.t(Key::QueueCounts)(),
            &values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str())),
        )
    };
    let has_results = move || {
        let counts = counts.get();
        counts.done + counts.failed > 0
    };
    let jsonl = move |_| {
        save(
            "servimage-verdicts.jsonl",
            "application/jsonl",
            page.session
                .with_untracked(|session| session.export_jsonl()),
        )
    };
    let csv = move |_| {
        save(
            "servimage-verdicts.csv",
            "text/csv",
            page.session.with_untracked(|session| session.export_csv()),
        )
    };
    view! {
        <div class="queue-bar">
            <p class="num" data-testid="queue-counts">{words}</p>
            {move || has_results().then(|| view! {
                <div class="row">
                    <button class="quiet" type="button" data-testid="export-jsonl" on:click=jsonl>{page.t(Key::ExportJsonl)}</button>
                    <button class="quiet" type="button" data-testid="export-csv" on:click=csv>{page.t(Key::ExportCsv)}</button>
                    <button class="quiet" type="button" data-testid="clear"
                        on:click=move |_| page.change(|session| session.remove_settled())>{page.t(Key::Clear)}</button>
                </div>
            })}
        </div>
    }
}

fn save(file_name: &str, mime: &str, content: String) {
    dom::download_text(file_name, mime, &content);
}

/// What will stand here.
#[component]
fn EmptyQueue() -> impl IntoView {
    let page = Page::here();
    let steps = [
        (Key::EmptyOneTitle, Key::EmptyOne),
        (Key::EmptyTwoTitle, Key::EmptyTwo),
        (Key::EmptyThreeTitle, Key::EmptyThree),
    ];
    view! {
        <ol class="empty">
            {steps.map(|(title, words)| view! {
                <li><strong>{page.t(title)}</strong><span class="dim">{page.t(words)}</span></li>
            }).collect_view()}
        </ol>
    }
}
