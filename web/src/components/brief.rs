//! The left side: which task, and what its client asks.

use super::bench_loader::BenchLoader;
use super::input_picker::InputPicker;
use super::own_brief::OwnBriefButtons;
use super::task_picker::{DeliverablePicker, TaskPicker, category_words};
use crate::page::Page;
use crate::session::format;
use crate::session::own_brief::{is_own, price_of};
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::task::Task;
use std::sync::Arc;

/// The brief.
#[component]
pub fn Brief() -> impl IntoView {
    let page = Page::here();
    let task = Memo::new(move |_| page.read(|session| session.task().cloned()));
    view! {
        <aside class="brief" aria-labelledby="brief-title">
            <h2 id="brief-title">{page.t(Key::BriefTitle)}</h2>
            <TaskPicker />
            {move || task.get().map(|task| view! { <BriefText task=task /> })}
            {move || {
                let is_own = task.with(|task| task.as_ref().is_some_and(|task| is_own(task)));
                view! { <OwnBriefButtons is_own=is_own /> }
            }}
            <BenchLoader />
        </aside>
    }
}

/// The client's words, price and wishes.
#[component]
fn BriefText(
    /// The picked task.
    task: Arc<Task>,
) -> impl IntoView {
    let page = Page::here();
    let lang = task.language();
    let category = task.category.clone();
    let price = price_of(&task);
    let n_points = task.points.len();
    let points = task
        .points
        .iter()
        .map(|point| view! { <li lang=lang>{point.text.clone()}</li> })
        .collect_view();
    let wishes = move || fill(page.t(Key::Wishes)(), &[("count", &n_points.to_string())]);
    // The benchmark's folders know of inputs that some briefs do not mention.
    let wants_input = task.has_input
        || page
            .session
            .with_untracked(|session| session.assets.input(&task.task_id).is_some());
    let task_for_deliverables = task.clone();
    view! {
        <article class="brief-text">
            <h3 lang=lang>{task.name.clone()}</h3>
            <p class="meta">
                <span class="tag">{move || category_words(page, &category)}</span>
                {price.map(|price| view! { <span class="price num">{move || format::dollars(page.lang.get(), price)}</span> })}
                <code class="dim">{task.task_id.clone()}</code>
            </p>
            <p class="requirement" lang=lang>{task.requirement.clone()}</p>
            {(n_points > 0).then(|| view! {
                <details class="wishes"><summary>{wishes}</summary><ul>{points}</ul></details>
            })}
        </article>
        <DeliverablePicker task=task_for_deliverables />
        {wants_input.then(|| view! { <InputPicker task_id=task.task_id.clone() /> })}
    }
}
