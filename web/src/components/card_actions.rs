//! What can be done with one card.

use crate::page::Page;
use crate::session::queue::{CardId, CardState};
use crate::text::Key;
use leptos::prelude::*;

/// The buttons of a card.
#[component]
pub fn CardActions(
    /// Which card.
    id: CardId,
    /// Where it stands.
    state: Memo<Option<CardState>>,
) -> impl IntoView {
    let page = Page::here();
    let is_settled =
        Memo::new(move |_| state.with(|state| state.as_ref().is_some_and(CardState::is_settled)));
    let is_failed =
        Memo::new(move |_| state.with(|state| matches!(state, Some(CardState::Failed(_)))));
    let is_elsewhere = Memo::new(move |_| {
        page.read(|session| {
            let picked = session.task().map(|task| task.task_id.as_str());
            session
                .queue
                .get(id)
                .is_some_and(|card| picked.is_some_and(|picked| picked != card.task.task_id))
        })
    });
    let can_compare = Memo::new(move |_| page.read(|session| session.compare(id).is_some()));
    let has_picture = page
        .card(id, |card| card.file.is_some())
        .unwrap_or_default();
    view! {
        <div class="row actions">
            {move || (!is_settled.get()).then(|| view! {
                <button class="quiet" type="button" data-testid="cancel"
                    on:click=move |_| page.change(|session| session.cancel(id))>{page.t(Key::Cancel)}</button>
            })}
            {move || is_failed.get().then(|| view! {
                <button class="quiet" type="button" data-testid="retry"
                    on:click=move |_| page.change(|session| session.retry(id))>{page.t(Key::Retry)}</button>
            })}
            {move || (has_picture && is_settled.get() && is_elsewhere.get()).then(|| view! {
                <button class="quiet" type="button" data-testid="rejudge"
                    on:click=move |_| page.change(|session| session.rejudge(id))>{page.t(Key::Rejudge)}</button>
            })}
            {move || can_compare.get().then(|| view! {
                <button class="quiet" type="button" data-testid="compare-open"
                    on:click=move |_| page.compare.set(page.session.with_untracked(|session| session.compare(id)))>{page.t(Key::Compare)}</button>
            })}
            <button class="quiet" type="button" data-testid="remove"
                on:click=move |_| page.change(|session| session.remove(id))>{page.t(Key::Remove)}</button>
        </div>
    }
}
