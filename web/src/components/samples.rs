//! The project's own sample images, to try without one's own.

use crate::page::Page;
use crate::platform::dom;
use crate::session::intake::Incoming;
use crate::text::{Key, Lang, fill};
use leptos::prelude::*;

/// The samples.
#[component]
pub fn Samples() -> impl IntoView {
    let page = Page::here();
    let n_samples = Memo::new(move |_| page.samples.with(Vec::len));
    let row = move || {
        (n_samples.get() > 0).then(|| {
            view! {
                <p class="dim" id="samples-title">{page.t(Key::SamplesTitle)}</p>
                <ul aria-labelledby="samples-title">
                    {(0..n_samples.get()).map(|idx| view! { <li><SampleButton idx=idx /></li> }).collect_view()}
                </ul>
            }
        })
    };
    // Its place is kept while they are fetched, so that nothing below moves.
    view! { <div class="samples">{row}</div> }
}

/// One sample.
#[component]
fn SampleButton(
    /// Its place among the page's samples.
    idx: usize,
) -> impl IntoView {
    let page = Page::here();
    let sample = page
        .samples
        .with_untracked(|samples| samples.get(idx).cloned());
    let url = sample
        .as_ref()
        .and_then(|sample| dom::object_url(&sample.file));
    let (en, zh) = sample
        .map(|sample| (sample.title_en, sample.title_zh))
        .unwrap_or_default();
    let title = move || {
        if page.lang.get() == Lang::Zh {
            zh.clone()
        } else {
            en.clone()
        }
    };
    let title = Memo::new(move |_| title());
    let label = move || fill(page.t(Key::SampleLabel)(), &[("title", &title.get())]);
    let take = move |_| {
        let file = page
            .samples
            .with_untracked(|samples| samples.get(idx).map(|sample| sample.file.clone()));
        if let Some(file) = file {
            page.take(vec![Incoming {
                path: file.name(),
                file,
            }]);
        }
    };
    view! {
        <button class="sample" type="button" data-testid="sample" aria-label=label on:click=take>
            <img src=url alt="" width="96" height="72" />
            <span>{title}</span>
        </button>
    }
}
