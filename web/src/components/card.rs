//! One image: its picture, where it stands, and its verdict.

use super::card_actions::CardActions;
use super::heat_map::{HeatLayer, HeatSwitch, heat_map};
use super::thumbnail::Thumbnail;
use super::verdict::VerdictView;
use crate::page::Page;
use crate::session::queue::{CANCELLED, CardId, CardState, TOO_LARGE};
use crate::session::verdict_view::error_sentence;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::task::Task;
use servimage_bench::verdict::ErrorInfo;
use std::sync::Arc;

/// The card of one image.
#[component]
pub fn CardView(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let revision =
        Memo::new(move |_| page.read(|session| session.queue.get(id).map(|card| card.revision)));
    let state = Memo::new(move |_| {
        revision.get();
        page.card(id, |card| card.state.clone())
    });
    let name = page.card(id, |card| card.name.clone()).unwrap_or_default();
    let threshold = Memo::new(move |_| page.read(|session| session.threshold()));
    let is_open = Memo::new(move |_| {
        revision.get();
        page.card(id, |card| card.is_open).unwrap_or_default()
    });
    let heat = move || state.with(|state| heat_map(state.as_ref().filter(|_| is_open.get())?));
    let is_heat_shown = RwSignal::new(false);
    let word = move || state.with(|state| state.as_ref().map(CardState::word));
    let look = move || {
        state.with(|state| match state {
            Some(CardState::Done { verdict, .. }) if is_open.get() => {
                if verdict.p_pay >= threshold.get() {
                    "pay"
                } else {
                    "refuse"
                }
            }
            Some(CardState::Failed(_)) => "failed",
            _ => "busy",
        })
    };
    let (data_name, label, title) = (name.clone(), name.clone(), name.clone());
    view! {
        <article class="card" data-testid="queue-card" data-state=word data-look=look data-name=data_name aria-label=label>
            <i class="crop" aria-hidden="true"></i>
            <div class="card-picture">
                <Thumbnail id=id name=name>
                    {move || is_heat_shown.get().then(heat).flatten().map(|map| view! { <HeatLayer map=map /> })}
                </Thumbnail>
                {move || heat().map(|map| view! { <HeatSwitch map=map is_shown=is_heat_shown /> })}
            </div>
            <div class="card-main">
                <header class="card-head">
                    <div class="card-title">
                        <h3 title=title.clone()>{title.clone()}</h3>
                        <TaskLine id=id revision=revision />
                    </div>
                    <CardActions id=id state=state />
                </header>
                {move || state.get().map(|state| card_body(id, state, threshold, is_open.get()))}
            </div>
        </article>
    }
}

fn card_body(id: CardId, state: CardState, threshold: Memo<f64>, is_open: bool) -> AnyView {
    match state {
        CardState::Waiting => view! { <Busy words=Key::StateWaiting is_moving=false /> }.into_any(),
        CardState::Decoding => {
            view! { <Busy words=Key::StateDecoding is_moving=true /> }.into_any()
        }
        CardState::Scoring => view! { <Busy words=Key::StateScoring is_moving=true /> }.into_any(),
        CardState::Failed(error) => view! { <Failure id=id error=error /> }.into_any(),
        CardState::Done { .. } if !is_open => view! { <Vote id=id /> }.into_any(),
        CardState::Done {
            verdict,
            work_millis,
        } => {
            view! { <VerdictView id=id verdict=verdict work_millis=work_millis threshold=threshold /> }
                .into_any()
        }
    }
}

/// The task against which a card is judged.
#[component]
fn TaskLine(
    /// Which card.
    id: CardId,
    /// Moves when the card changes.
    revision: Memo<Option<u32>>,
) -> impl IntoView {
    let page = Page::here();
    let line = move || {
        revision.get();
        page.card(id, |card| (card.task.clone(), card.deliverable))
    };
    let part = move |task: &Arc<Task>, deliverable: u32| {
        let total = task.deliverables.len();
        let values = [
            ("number", deliverable.to_string()),
            ("total", total.to_string()),
        ];
        let words = fill(
            page.t(Key::DeliverableOf)(),
            &values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str())),
        );
        (total > 1).then(|| view! { <span class="dim">" · " {words}</span> })
    };
    move || {
        line().map(|(task, deliverable)| {
        view! { <p class="task-line"><span lang=task.language()>{task.name.clone()}</span>{part(&task, deliverable)}</p> }
    })
    }
}

/// In blind mode: the visitor decides first.
#[component]
fn Vote(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let vote = move |pays: bool| page.change(|session| session.vote(id, pays));
    view! {
        <div class="vote" role="group" aria-label=page.t(Key::VoteAsk) data-testid="vote">
            <p><strong>{page.t(Key::VoteAsk)}</strong></p>
            <div class="row">
                <button class="quiet" type="button" data-testid="vote-pay" on:click=move |_| vote(true)>
                    <span class="glyph pass" aria-hidden="true">"✓"</span>{page.t(Key::VotePay)}</button>
                <button class="quiet" type="button" data-testid="vote-refuse" on:click=move |_| vote(false)>
                    <span class="glyph fail" aria-hidden="true">"✕"</span>{page.t(Key::VoteRefuse)}</button>
            </div>
        </div>
    }
}

/// A card whose image is on its way.
#[component]
fn Busy(
    /// What happens.
    words: Key,
    /// Whether it happens now.
    is_moving: bool,
) -> impl IntoView {
    let page = Page::here();
    view! {
        <p class="busy" class:moving=is_moving><span class="scan" aria-hidden="true"></span>{page.t(words)}</p>
    }
}

/// Why an image has no verdict: our sentence where we have one, else the worker's.
#[component]
fn Failure(
    /// Which card.
    id: CardId,
    /// What went wrong.
    error: ErrorInfo,
) -> impl IntoView {
    let page = Page::here();
    let code = error.code.clone();
    let sentence = error_sentence(&error.code);
    let has_detail = sentence.is_some() && error.code != CANCELLED && !error.message.is_empty();
    let said = error.message.clone();
    let can_insist = error.code == TOO_LARGE && page.card(id, |card| !card.insists) == Some(true);
    view! {
        <div class="failure">
            <p data-testid="card-error" data-code=code>
                <span class="glyph fail" aria-hidden="true">"✕"</span>
                {match sentence {
                    Some(key) => view! { <span>{page.t(key)}</span> }.into_any(),
                    None => view! { <span lang="en">{said}</span> }.into_any(),
                }}
            </p>
            {has_detail.then(|| view! { <p class="dim detail" lang="en">{error.message}</p> })}
            {can_insist.then(|| view! {
                <button class="quiet" type="button" data-testid="insist"
                    on:click=move |_| page.change(|session| session.insist(id))>{page.t(Key::Insist)}</button>
            })}
        </div>
    }
}
