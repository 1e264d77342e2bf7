//! Search, category and the list of tasks; and which deliverable of the picked one.

use crate::page::Page;
use crate::session::DeliverableChoice;
use crate::session::catalog::{Origin, Search};
use crate::session::format;
use crate::session::verdict_view::category_title;
use crate::text::{Key, fill};
use leptos::html::Select;
use leptos::prelude::*;
use servimage_bench::task::{Deliverable, Task};
use std::sync::Arc;

/// What one option shows: id, title, language, price, origin.
type OptionRow = (String, String, &'static str, Option<f64>, bool);

/// The task picker.
#[component]
pub fn TaskPicker() -> impl IntoView {
    let page = Page::here();
    let words = RwSignal::new(String::new());
    let category = RwSignal::new(String::new());
    let categories = Memo::new(move |_| page.read(|session| session.catalog.categories()));
    let n_bench = Memo::new(move |_| page.read(|session| session.catalog.n_bench()));
    let found = Memo::new(move |_| {
        let category = Some(category.get()).filter(|category| !category.is_empty());
        let search = Search {
            words: words.get(),
            category,
        };
        page.read(|session| {
            session
                .catalog
                .search(&search)
                .map(|entry| option_row(&entry.task, entry.origin))
                .collect::<Vec<_>>()
        })
    });
    let picked = Memo::new(move |_| {
        page.read(|session| session.task().map(|task| task.task_id.clone()))
            .unwrap_or_default()
    });
    let list: NodeRef<Select> = NodeRef::new();
    // After the options are redrawn: a select forgets its value when they change.
    Effect::new(move |_| {
        let (_, id) = (found.get(), picked.get());
        request_animation_frame(move || {
            if let Some(list) = list.get_untracked() {
                list.set_value(&id);
            }
        });
    });
    // Without a benchmark there is little to search, and a stale search would hide what is left.
    Effect::new(move |_| {
        if n_bench.get() == 0 {
            words.set(String::new());
        }
    });
    let is_list = move || n_bench.get() > 0 || !words.get().is_empty();
    let count = move || {
        fill(
            page.t(Key::TasksFound)(),
            &[("count", &format::thousands(found.get().len() as u64))],
        )
    };
    view! {
        <div class="picker">
            <div class="filters">
                <input type="search" class="field" data-testid="task-search" aria-label=page.t(Key::SearchTasks)
                    placeholder=page.t(Key::SearchTasks) prop:value=words on:input=move |event| words.set(event_target_value(&event)) />
                <select class="field" data-testid="category-select" aria-label=page.t(Key::Category)
                    on:change=move |event| category.set(event_target_value(&event))>
                    <option value="">{page.t(Key::AnyCategory)}</option>
                    {move || categories.get().into_iter().map(|name| {
                        let shown = category_words(page, &name);
                        view! { <option value=name>{shown}</option> }
                    }).collect_view()}
                </select>
            </div>
            <select class="field tasks" data-testid="task-select" aria-label=page.t(Key::Task)
                size=move || if is_list() { "8" } else { "0" }
                node_ref=list
                on:change=move |event| { let id = event_target_value(&event); page.change(|session| session.pick_task(&id)); }>
                {move || found.get().into_iter().map(task_option).collect_view()}
            </select>
            <p class="dim count" aria-live="polite">{move || is_list().then(count)}</p>
        </div>
    }
}

/// A category in the page's language; an unknown one as it is.
pub fn category_words(page: Page, category: &str) -> String {
    let known = category_title(category).map(|key| page.t(key)());
    known
        .unwrap_or_else(|| category.trim_start_matches("C-"))
        .to_owned()
}

fn option_row(task: &Task, origin: Origin) -> OptionRow {
    (
        task.task_id.clone(),
        task.name.clone(),
        task.language(),
        task.price_usd,
        origin == Origin::Bench,
    )
}

fn task_option((id, name, lang, price, is_bench): OptionRow) -> impl IntoView {
    let price = price
        .map(|price| format!(" · {}", format::dollars(price)))
        .unwrap_or_default();
    let prefix = if is_bench {
        format!("{id} · ")
    } else {
        String::new()
    };
    view! { <option value=id lang=lang>{prefix}{name}{price}</option> }
}

/// Which deliverable of a task the next images answer; nothing where there is only one.
#[component]
pub fn DeliverablePicker(
    /// The picked task.
    task: Arc<Task>,
) -> impl IntoView {
    let page = Page::here();
    let lang = task.language();
    let is_set = task.deliverables.len() > 1;
    let pick = move |event| {
        let choice = event_target_value(&event)
            .parse()
            .map_or(DeliverableChoice::InOrder, DeliverableChoice::One);
        page.change(|session| session.pick_deliverable(choice));
    };
    let chosen = move || {
        page.read(|session| match session.deliverable() {
            DeliverableChoice::One(number) => number.to_string(),
            DeliverableChoice::InOrder => "all".to_owned(),
        })
    };
    let options = task.deliverables.iter().map(|deliverable| {
        view! { <option value=deliverable.index.to_string() lang=lang>{deliverable_line(deliverable)}</option> }
    });
    view! {
        <label class="deliverable" class:only-one=!is_set>
            <span class="label">{page.t(Key::Deliverable)}</span>
            <select class="field" data-testid="deliverable-select" prop:value=chosen on:change=pick>
                {options.collect_view()}
                {is_set.then(|| view! { <option value="all">{page.t(Key::DeliverablesInOrder)}</option> })}
            </select>
        </label>
    }
}

fn deliverable_line(deliverable: &Deliverable) -> String {
    let words = if deliverable.subtask.is_empty() {
        &deliverable.name
    } else {
        &deliverable.subtask
    };
    let price = deliverable
        .price_usd
        .map(|price| format!(" · {}", format::dollars(price)))
        .unwrap_or_default();
    format!("{}. {words}{price}", deliverable.index)
}
