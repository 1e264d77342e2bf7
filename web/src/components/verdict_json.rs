//! The verdict as JSON, copied or saved, and as a picture to post.

use crate::page::{DialogKind, Page};
use crate::platform::{dom, picture};
use crate::session::export::json;
use crate::session::notice::Notice;
use crate::session::poster;
use crate::session::queue::CardId;
use crate::text::Key;
use leptos::prelude::*;
use leptos::task::spawn_local;
use servimage_bench::verdict::Verdict;
use std::sync::Arc;

/// Longest side of the image on a poster, in pixels.
const POSTER_PICTURE_SIDE: u32 = 900;

/// Its buttons; the element itself carries the JSON in `data-json`.
#[component]
pub fn VerdictJson(
    /// Which card it is of.
    id: CardId,
    /// The verdict.
    verdict: Arc<Verdict>,
    /// From which P(pay) on it counts as paid.
    threshold: Memo<f64>,
) -> impl IntoView {
    let page = Page::here();
    let decided = StoredValue::new(verdict.clone());
    let decided = move || {
        decided.with_value(|verdict| {
            page.session
                .with_untracked(|session| session.decided(verdict))
        })
    };
    let one_line = move || {
        threshold.track();
        json(&decided()).to_string()
    };
    let pretty = move || dom::pretty_json(&json(&decided()).to_string());
    let stem = verdict
        .image
        .rsplit_once('.')
        .map_or(verdict.image.as_str(), |(stem, _)| stem);
    let file_name = StoredValue::new(format!("{stem}.verdict.json"));
    let copy = move |_| {
        spawn_local(async move {
            if dom::copy_text(&pretty()).await {
                page.change(|session| session.notify(Notice::Copied));
            }
        });
    };
    let save = move |_| dom::download_text(&file_name.get_value(), "application/json", &pretty());
    let has_picture = page.card(id, |card| card.file.is_some()) == Some(true);
    let poster = move |_| spawn_local(save_poster(page, id, file_name.get_value()));
    view! {
        <div class="row" data-testid="verdict-json" data-json=one_line>
            {has_picture.then(|| view! {
                <button class="quiet" type="button" data-testid="what-if"
                    on:click=move |_| page.dialog.set(Some(DialogKind::OwnBrief(Some(id))))>{page.t(Key::WhatIf)}</button>
            })}
            <button class="quiet" type="button" data-testid="save-poster" on:click=poster>{page.t(Key::SavePoster)}</button>
            <button class="quiet" type="button" on:click=copy>{page.t(Key::CopyJson)}</button>
            <button class="quiet" type="button" on:click=save>{page.t(Key::SaveJson)}</button>
        </div>
    }
}

async fn save_poster(page: Page, id: CardId, json_name: String) {
    let file = page.card(id, |card| card.file.clone()).flatten();
    let copy = match &file {
        Some(file) => picture::small_copy(file, POSTER_PICTURE_SIDE).await,
        None => None,
    };
    let lang = page.lang.get_untracked();
    let svg = page
        .session
        .with_untracked(|session| session.poster_svg(id, lang, copy.as_deref()));
    if let Some(svg) = svg
        && let Some(url) = picture::png_of_svg(&svg, poster::WIDTH, poster::HEIGHT).await
    {
        dom::download(&json_name.replace(".verdict.json", ".verdict.png"), &url);
    }
}
