//! A long queue: a list of which only the part in sight is drawn, and the open card below it. The list is a
//! listbox: the arrow keys, Home and End walk through it.

use super::card::CardView;
use super::thumbnail::Thumbnail;
use crate::page::Page;
use crate::platform::dom;
use crate::session::format;
use crate::session::order::{Order, row_after, rows_in_sight};
use crate::session::queue::{CardId, CardState};
use crate::text::Key;
use leptos::html::Div;
use leptos::prelude::*;

/// Height of a row; `queue.css` says the same.
const ROW_PX: f64 = 64.0;
/// Height of the list; `queue.css` says the same.
const VIEW_PX: f64 = 448.0;

/// The list and the open card.
#[component]
pub fn QueueList() -> impl IntoView {
    let page = Page::here();
    let order = RwSignal::new(Order::default());
    let scroll = RwSignal::new(0.0);
    let list: NodeRef<Div> = NodeRef::new();
    let ids = Memo::new(move |_| page.read(|session| session.ids_in(order.get())));
    // Not the first of the list: in another order that changes with every verdict.
    let first =
        Memo::new(move |_| page.read(|session| session.queue.ids_for_show().first().copied()));
    let opened = Memo::new(move |_| {
        let chosen = page.opened.get();
        ids.with(|ids| chosen.filter(|id| ids.contains(id)))
            .or(first.get())
    });
    let in_sight =
        Memo::new(move |_| ids.with(|ids| rows_in_sight(scroll.get(), VIEW_PX, ROW_PX, ids.len())));
    let rows = move || {
        let range = in_sight.get();
        ids.with(|ids| ids.get(range).map(<[CardId]>::to_vec).unwrap_or_default())
    };
    let walk = move |event: leptos::ev::KeyboardEvent| {
        let here = ids.with_untracked(|ids| {
            ids.iter()
                .position(|id| Some(*id) == opened.get_untracked())
        });
        let n_rows = ids.with_untracked(Vec::len);
        let Some(there) = row_after(&event.key(), here.unwrap_or_default(), n_rows) else {
            return;
        };
        event.prevent_default();
        page.opened
            .set(ids.with_untracked(|ids| ids.get(there).copied()));
        if let Some(list) = list.get_untracked() {
            dom::scroll_to_show(&list, there as f64 * ROW_PX, ROW_PX);
        }
    };
    let chosen = move || opened.get().map(|id| format!("row-{id}"));
    view! {
        <OrderPicker order=order />
        <div class="rows" role="listbox" tabindex="0" data-testid="queue-list" aria-label=page.t(Key::QueueTitle)
            aria-activedescendant=chosen node_ref=list on:keydown=walk
            on:scroll=move |_| if let Some(list) = list.get_untracked() { scroll.set(f64::from(list.scroll_top())) }>
            <div class="rows-all" role="presentation" style:height=move || format!("{}px", ids.with(Vec::len) as f64 * ROW_PX)>
                <div class="rows-drawn" role="presentation" style:transform=move || format!("translateY({}px)", in_sight.get().start as f64 * ROW_PX)>
                    <For each=rows key=|id| *id let:id>
                        <Row id=id ids=ids opened=opened />
                    </For>
                </div>
            </div>
        </div>
        {move || opened.get().map(|id| view! { <CardView id=id /> })}
    }
    .into_any()
}

/// In which order the list stands.
#[component]
fn OrderPicker(
    /// The order.
    order: RwSignal<Order>,
) -> impl IntoView {
    let page = Page::here();
    let words = |order| match order {
        Order::Newest => Key::OrderNewest,
        Order::Likeliest => Key::OrderLikeliest,
        Order::Unlikeliest => Key::OrderUnlikeliest,
        Order::Name => Key::OrderName,
    };
    let options = Order::ALL
        .map(|(order, word)| view! { <option value=word>{page.t(words(order))}</option> });
    view! {
        <label class="order">
            <span class="label">{page.t(Key::OrderTitle)}</span>
            <select class="field" data-testid="order" on:change=move |event| order.set(Order::from_word(&event_target_value(&event)))>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// One row.
#[component]
fn Row(
    /// Which card.
    id: CardId,
    /// All cards in the order of the list.
    ids: Memo<Vec<CardId>>,
    /// The card that is open.
    opened: Memo<Option<CardId>>,
) -> impl IntoView {
    let page = Page::here();
    let name = page.card(id, |card| card.name.clone()).unwrap_or_default();
    let shown_name = name.clone();
    let state = Memo::new(move |_| {
        page.read(|session| {
            let card = session.queue.get(id)?;
            let usd = match &card.state {
                CardState::Done { verdict, .. } => verdict.expected_usd,
                _ => None,
            };
            Some((card.state.word(), session.shown_p_pay(card), usd))
        })
    });
    let threshold = Memo::new(move |_| page.read(|session| session.threshold()));
    let end = move || {
        let (word, p_pay, usd) = state.get()?;
        Some(match p_pay {
            Some(p_pay) => {
                let (look, sign, stamp) = if p_pay >= threshold.get() {
                    ("pass", "✓", Key::WouldPay)
                } else {
                    ("fail", "✕", Key::WouldNotPay)
                };
                view! {
                    <span class=format!("glyph {look}") aria-hidden="true">{sign}</span>
                    <span class="row-stamp">{page.t(stamp)}</span>
                    <strong class="num">{format::percent(p_pay)}</strong>
                    <span class="num dim row-usd">{usd.map(|usd| format::dollars(page.lang.get(), usd))}</span>
                }
                .into_any()
            }
            None => view! { <span class="dim">{page.t(state_words(word))}</span> }.into_any(),
        })
    };
    let place = move || {
        ids.with(|ids| ids.iter().position(|other| *other == id))
            .map(|idx| (idx + 1).to_string())
    };
    view! {
        <div class="row-line" role="option" id=format!("row-{id}") data-testid="queue-row" data-name=name
            data-state=move || state.get().map(|state| state.0) aria-setsize=move || ids.with(Vec::len).to_string() aria-posinset=place
            aria-selected=move || (opened.get() == Some(id)).to_string() on:click=move |_| page.opened.set(Some(id))>
            <Thumbnail id=id name=String::new() />
            <span class="row-name">{shown_name}</span>
            <span class="row-end">{end}</span>
        </div>
    }
}

fn state_words(word: &str) -> Key {
    match word {
        "decoding" => Key::StateDecoding,
        "scoring" => Key::StateScoring,
        "done" => Key::StateHidden,
        "failed" => Key::StateFailed,
        _ => Key::StateWaiting,
    }
}
