//! Two pictures over each other, with a line between them that drags, steps by buttons, and follows the
//! arrow keys.

use crate::page::Page;
use crate::platform::dom;
use crate::session::compare::{Compare, Side};
use crate::session::format;
use crate::session::queue::CardState;
use crate::text::Key;
use leptos::html::Dialog;
use leptos::prelude::*;

/// How far one press of a button moves the line, in percent.
const STEP: i32 = 10;

/// The dialog; open while the page compares something.
#[component]
pub fn CompareDialog() -> impl IntoView {
    let page = Page::here();
    let dialog: NodeRef<Dialog> = NodeRef::new();
    Effect::new(move |_| {
        let is_open = page.compare.with(Option::is_some);
        if let Some(dialog) = dialog.get() {
            dom::set_modal(&dialog, is_open);
        }
    });
    let close = move || page.compare.set(None);
    view! {
        <dialog class="compare" aria-labelledby="compare-title" data-testid="compare" node_ref=dialog on:close=move |_| close()>
            <header class="card-head">
                <h2 id="compare-title">{page.t(Key::CompareTitle)}</h2>
                <button class="quiet" type="button" data-testid="compare-close" on:click=move |_| close()>{page.t(Key::Close)}</button>
            </header>
            {move || page.compare.get().map(|compare| view! { <Stage compare=compare /> })}
        </dialog>
    }
}

/// Both pictures, the line, and what can be chosen.
#[component]
fn Stage(
    /// What lies on the two sides.
    compare: Compare,
) -> impl IntoView {
    let page = Page::here();
    let at = RwSignal::new(50);
    let step = move |by: i32| at.update(|at| *at = (*at + by).clamp(0, 100));
    let words = move || page.say(Key::CompareAt, &[("percent", &format!("{}%", at.get()))]);
    let read = move |event| at.set(event_target_value(&event).parse().unwrap_or(50));
    view! {
        <div class="sides">
            <SidePicker title=Key::CompareLeft name="compare-left" side=compare.left
                pick=move |left| page.compare.set(Some(Compare { left, ..compare })) />
            <SidePicker title=Key::CompareRight name="compare-right" side=compare.right
                pick=move |right| page.compare.set(Some(Compare { right, ..compare })) />
        </div>
        <div class="stage" style:--at=move || format!("{}%", at.get())>
            <Picture side=compare.right class="below" />
            <Picture side=compare.left class="above" />
            <input type="range" min="0" max="100" step="1" data-testid="compare-line" aria-label=page.t(Key::CompareLine)
                aria-valuetext=words prop:value=move || at.get().to_string() on:input=read />
            <i class="compare-line" aria-hidden="true"></i>
        </div>
        <div class="row compare-steps">
            <button class="quiet" type="button" data-testid="compare-less" on:click=move |_| step(-STEP)>"◀ " {page.t(Key::CompareLess)}</button>
            <span class="num dim">{words}</span>
            <button class="quiet" type="button" data-testid="compare-more" on:click=move |_| step(STEP)>{page.t(Key::CompareMore)} " ▶"</button>
        </div>
    }
    .into_any()
}

/// Which picture lies on one side, and its P(pay).
#[component]
fn SidePicker(
    /// Name of the side.
    title: Key,
    /// For the tests.
    name: &'static str,
    /// What lies there.
    side: Side,
    /// Takes another.
    #[prop(into)]
    pick: Callback<Side>,
) -> impl IntoView {
    let page = Page::here();
    let sides: Vec<(String, String, bool)> = page.session.with_untracked(|session| {
        let cards = session.queue.ids_for_show().into_iter();
        let input = match side {
            Side::Card(id) | Side::Input(id) => Side::Input(id),
        };
        std::iter::once(input)
            .chain(cards.map(Side::Card))
            .filter(|side| session.picture(*side).is_some())
            .map(|other| (other.word(), name_of(page, other), other == side))
            .collect()
    });
    let choose = move |event| {
        if let Some(side) = Side::from_word(&event_target_value(&event)) {
            pick.run(side);
        }
    };
    view! {
        <label class="side">
            <span class="label">{page.t(title)}</span>
            <select class="field" data-testid=name on:change=choose>
                {sides.into_iter().map(|(word, name, is_here)| view! { <option value=word selected=is_here>{name}</option> }).collect_view()}
            </select>
        </label>
    }
}

/// File name and, where it may be shown, P(pay).
fn name_of(page: Page, side: Side) -> String {
    page.session.with_untracked(|session| match side {
        Side::Input(_) => page.t(Key::CompareInput)().to_owned(),
        Side::Card(id) => session.queue.get(id).map_or_else(String::new, |card| {
            let p_pay = match &card.state {
                CardState::Done { verdict, .. } if session.is_open(card) => {
                    format!(" · {}", format::percent(verdict.p_pay))
                }
                _ => String::new(),
            };
            format!("{}{p_pay}", card.name)
        }),
    })
}

/// One of the two pictures.
#[component]
fn Picture(
    /// Which.
    side: Side,
    /// Above or below.
    class: &'static str,
) -> impl IntoView {
    let page = Page::here();
    let url = page
        .session
        .with_untracked(|session| session.picture(side).and_then(|file| dom::object_url(file)));
    if let Some(url) = url.clone() {
        on_cleanup(move || dom::revoke_url(&url));
    }
    view! { <img class=class src=url alt=name_of(page, side) draggable="false" /> }
}
