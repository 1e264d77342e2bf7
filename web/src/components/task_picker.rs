//! Search, category and the list of tasks; and which deliverable of the picked one.

use super::task_filters::Filters;
use crate::page::Page;
use crate::platform::dom;
use crate::session::DeliverableChoice;
use crate::session::catalog::{Origin, PriceBand, Search, TaskKind};
use crate::session::format;
use crate::session::verdict_view::category_title;
use crate::text::{Key, fill};
use leptos::html::Select;
use leptos::prelude::*;
use servimage_bench::task::{Deliverable, Task};
use std::sync::Arc;

/// Tasks that are drawn at first, and so many more each time the list is scrolled to its end: 1,070 options take the browser
/// longer than a keystroke may.
const FEW_OPTIONS: usize = 100;

/// What one option shows: id, title, language, price, origin.
type OptionRow = (String, String, &'static str, Option<f64>, bool);

/// The task picker.
#[component]
pub fn TaskPicker() -> impl IntoView {
    let page = Page::here();
    let list: NodeRef<Select> = NodeRef::new();
    let words = RwSignal::new(String::new());
    let category = RwSignal::new(String::new());
    let (price, language, kind) = (
        RwSignal::new(PriceBand::default()),
        RwSignal::new(String::new()),
        RwSignal::new(TaskKind::default()),
    );
    let n_shown = RwSignal::new(FEW_OPTIONS);
    let categories = Memo::new(move |_| page.read(|session| session.catalog.categories()));
    let n_bench = Memo::new(move |_| page.read(|session| session.catalog.n_bench()));
    let found = Memo::new(move |_| {
        let category = Some(category.get()).filter(|category| !category.is_empty());
        let search = Search {
            words: words.get(),
            category,
            language: language.get(),
            price: price.get(),
            kind: kind.get(),
        };
        page.read(|session| {
            let mut all = session.catalog.search(&search);
            let shown: Vec<OptionRow> = all
                .by_ref()
                .take(n_shown.get())
                .map(|entry| option_row(&entry.task, entry.origin))
                .collect();
            let n_all = shown.len() + all.count();
            (shown, n_all)
        })
    });
    // A keystroke draws few again, however far the list was scrolled before.
    let look_for = move |event| {
        n_shown.set(FEW_OPTIONS);
        words.set(event_target_value(&event));
    };
    let more = move |_| {
        if let Some(list) = list.get_untracked()
            && dom::is_near_end(&list)
            && found.with_untracked(|(shown, n_all)| shown.len() < *n_all)
        {
            n_shown.update(|n| *n += FEW_OPTIONS);
        }
    };
    let picked = Memo::new(move |_| {
        page.read(|session| session.task().map(|task| task.task_id.clone()))
            .unwrap_or_default()
    });
    // After the options are redrawn: a select forgets its value when they change.
    Effect::new(move |_| {
        found.track();
        let id = picked.get();
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
            &[(
                "count",
                &format::thousands(found.with(|(_, n_all)| *n_all) as u64),
            )],
        )
    };
    view! {
        <div class="picker">
            <div class="filters">
                <input type="search" class="field" data-testid="task-search" aria-label=page.t(Key::SearchTasks) aria-keyshortcuts="/"
                    placeholder=page.t(Key::SearchTasks) prop:value=words on:input=look_for />
                <select class="field" data-testid="category-select" aria-label=page.t(Key::Category)
                    on:change=move |event| category.set(event_target_value(&event))>
                    <option value="">{page.t(Key::AnyCategory)}</option>
                    {move || categories.get().into_iter().map(|name| {
                        let shown = category_words(page, &name);
                        view! { <option value=name>{shown}</option> }
                    }).collect_view()}
                </select>
                <Filters price=price language=language kind=kind />
            </div>
            <select class="field tasks" data-testid="task-select" aria-label=page.t(Key::Task)
                size=move || if is_list() { "8" } else { "0" }
                node_ref=list on:scroll=more
                on:change=move |event| { let id = event_target_value(&event); page.change(|session| session.pick_task(&id)); }>
                {move || found.with(|(shown, _)| shown.clone()).into_iter().map(|row| task_option(page, row)).collect_view()}
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

fn task_option(page: Page, (id, name, lang, price, is_bench): OptionRow) -> impl IntoView {
    let price = move || price_words(page, price);
    let prefix = if is_bench {
        format!("{id} · ")
    } else {
        String::new()
    };
    view! { <option value=id lang=lang>{prefix}{name}{price}</option> }
}

/// The price behind a name, where there is one.
fn price_words(page: Page, price_usd: Option<f64>) -> String {
    price_usd
        .map(|price| format!(" · {}", format::dollars(page.lang.get(), price)))
        .unwrap_or_default()
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
        let price = deliverable.price_usd;
        view! {
            <option value=deliverable.index.to_string() lang=lang>
                {deliverable_line(deliverable)}
                {move || price_words(page, price)}
            </option>
        }
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
    format!("{}. {words}", deliverable.index)
}
