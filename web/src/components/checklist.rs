//! The brief's soft rules, to tick for one image.

use crate::page::Page;
use crate::session::queue::CardId;
use crate::text::Key;
use leptos::prelude::*;

/// The checklist of a card; nothing where the task has no soft rules.
#[component]
pub fn Checklist(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let task = page.card(id, |card| card.task.clone())?;
    let n_points = task.points.len();
    let ticks =
        Memo::new(move |_| page.read(|session| session.queue.get(id).map(|card| card.ticks)));
    let n_ticked = move || ticks.get().unwrap_or_default().count().to_string();
    let title = move || {
        let values = [("ticked", &*n_ticked()), ("total", &n_points.to_string())];
        page.say(Key::ChecklistTitle, &values)
    };
    let lang = task.language();
    let point = |(idx, words): (usize, String)| {
        let is_ticked = ticks.get_untracked().is_some_and(|ticks| ticks.has(idx));
        let tick = move |event| {
            let is_ticked = event_target_checked(&event);
            page.change(|session| session.tick(id, idx, is_ticked));
        };
        view! {
            <li><label><input type="checkbox" prop:checked=is_ticked on:change=tick /><span lang=lang>{words}</span></label></li>
        }
    };
    let points: Vec<String> = task.points.iter().map(|point| point.text.clone()).collect();
    (n_points > 0).then(|| {
        view! {
            <details class="checklist" data-testid="checklist">
                <summary>{title}</summary>
                <ul>{points.into_iter().enumerate().map(point).collect_view()}</ul>
            </details>
        }
        .into_any()
    })
}
