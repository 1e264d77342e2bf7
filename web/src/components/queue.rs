//! All cards with what can be done with all of them: whole cards while they are few, else a list with one
//! open card.

use super::blind::AgreementLine;
use super::card::CardView;
use super::decision::DecisionPanel;
use super::queue_bar::QueueBar;
use super::queue_list::QueueList;
use super::shared::SharedScores;
use crate::page::Page;
use crate::session::order::MAX_CARDS;
use crate::text::Key;
use leptos::prelude::*;

/// The queue; where it is empty, what will stand here.
#[component]
pub fn QueueView() -> impl IntoView {
    let page = Page::here();
    let ids = Memo::new(move |_| page.read(|session| session.queue.ids_for_show()));
    let n_cards = Memo::new(move |_| ids.with(Vec::len));
    let is_empty = Memo::new(move |_| n_cards.get() == 0);
    let is_long = Memo::new(move |_| n_cards.get() > MAX_CARDS);
    // None of many, should this be asked before the list has taken over.
    let few = move || {
        ids.with(|ids| {
            if ids.len() > MAX_CARDS {
                Vec::new()
            } else {
                ids.clone()
            }
        })
    };
    view! {
        <section class="queue" aria-labelledby="queue-title">
            <h2 id="queue-title" class="visually-hidden">{page.t(Key::QueueTitle)}</h2>
            <SharedScores />
            {move || if is_empty.get() {
                view! { <EmptyQueue /> }.into_any()
            } else {
                view! { <QueueBar /><AgreementLine /><DecisionPanel /> }.into_any()
            }}
            {move || if is_long.get() {
                view! { <QueueList /> }.into_any()
            } else {
                view! {
                    <div class="cards">
                        <For each=few key=|id| *id let:id>
                            <CardView id=id />
                        </For>
                    </div>
                }.into_any()
            }}
        </section>
    }
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
