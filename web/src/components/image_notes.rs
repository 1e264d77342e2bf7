//! What was done to a file before it was judged, as badges; and how the verdict differs from the one for the brief before.

use crate::page::Page;
use crate::session::format;
use crate::session::queue::CardId;
use crate::text::Key;
use leptos::prelude::*;
use servimage_bench::verdict::{ImageNote, Verdict};

/// The badges; nothing where the file was taken as it is.
#[component]
pub fn ImageNotes(
    /// The verdict of the image.
    verdict: std::sync::Arc<Verdict>,
) -> impl IntoView {
    let page = Page::here();
    let mut badges: Vec<(&'static str, Key)> = verdict
        .image_notes
        .iter()
        .map(|note| words(*note))
        .collect();
    if verdict.provenance.decoder == "browser" {
        badges.push(("browser", Key::NoteBrowser));
    }
    let badges: Vec<_> = badges
        .into_iter()
        .map(|(name, words)| view! { <li class="badge" data-note=name>{page.t(words)}</li> })
        .collect();
    (!badges.is_empty()).then(|| view! { <ul class="row notes" data-testid="image-notes" aria-label=page.t(Key::NotesTitle)>{badges}</ul> }.into_any())
}

fn words(note: ImageNote) -> (&'static str, Key) {
    match note {
        ImageNote::AlphaOnWhite => ("alpha", Key::NoteAlpha),
        ImageNote::TurnedUpright => ("turned", Key::NoteTurned),
        ImageNote::ColoursConverted => ("colours", Key::NoteColours),
        ImageNote::ProfileIgnored => ("profile", Key::NoteProfile),
    }
}

/// Before and after a change of the brief; nothing where there was none.
#[component]
pub fn WhatChanged(
    /// Which card.
    id: CardId,
) -> impl IntoView {
    let page = Page::here();
    let (before, now) = page
        .session
        .with_untracked(|session| session.what_changed(id))?;
    let points = ((now - before) * 100.0).round();
    let (then, by) = (format::percent(before), format!("{points:+.0}"));
    let line = move || page.say(Key::WhatIfLine, &[("before", &then), ("points", &by)]);
    Some(view! { <p class="dim num what-changed" data-testid="what-changed" data-before=before.to_string()>{line}</p> }.into_any())
}
