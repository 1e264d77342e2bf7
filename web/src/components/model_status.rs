//! Where the model stands: phases with honest progress, the device, or why it failed.

use super::model_details::ModelDetails;
use super::preflight::{PreflightQuestion, preflight_line};
use crate::page::{DialogKind, Page};
use crate::session::format;
use crate::session::model::{LOAD_PHASES, LoadProgress, ModelState};
use crate::session::verdict_view::error_sentence;
use crate::text::{Key, fill};
use leptos::either::EitherOf5;
use leptos::prelude::*;
use servimage_bench::message::LoadPhase;
use servimage_bench::verdict::ErrorInfo;

/// The model's line.
#[component]
pub fn ModelStatus() -> impl IntoView {
    let page = Page::here();
    let model = Memo::new(move |_| page.read(|session| session.model().clone()));
    let word = move || model.with(ModelState::word);
    let is_prepared = move || page.read(|session| session.is_prepared()).to_string();
    view! {
        <div class="model" data-testid="model-status" data-state=word data-prepared=is_prepared>
            {move || match model.get() {
                ModelState::Starting => EitherOf5::A(view! { <Steps progress=None /> }),
                ModelState::Loading(progress) => EitherOf5::B(view! { <Steps progress=Some(progress) /> }),
                ModelState::Ready(pack) => EitherOf5::C(view! { <ModelDetails pack=*pack /> }),
                ModelState::Asking(report) => EitherOf5::E(view! { <PreflightQuestion report=*report /> }),
                ModelState::Failed(error) => EitherOf5::D(view! { <LoadFailed error=error /> }),
            }}
            <button class="link" type="button" data-testid="open-packs" on:click=move |_| page.dialog.set(Some(DialogKind::Packs))>
                {page.t(Key::PacksTitle)}
            </button>
        </div>
    }
}

/// The five phases of loading, the current one with its bytes.
#[component]
fn Steps(
    /// How far it is; `None` before the worker has started.
    progress: Option<LoadProgress>,
) -> impl IntoView {
    let page = Page::here();
    let at = progress.map_or(-1, |progress| progress.phase_idx() as i32);
    let title = progress.map_or(Key::PhaseStart, |progress| phase_title(progress.phase));
    let sizes = progress
        .filter(|progress| progress.total_bytes > 0)
        .map(|progress| {
            let (done, total) = (
                format::bytes(progress.done_bytes),
                format::bytes(progress.total_bytes),
            );
            move || {
                fill(
                    page.t(Key::BytesOf)(),
                    &[("done", &done), ("total", &total)],
                )
            }
        });
    let step = |idx: i32| match idx.cmp(&at) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "later",
    };
    view! {
        <p class="model-line">
            <span class="pulse" aria-hidden="true"></span>
            <strong>{page.t(title)}</strong>
            <span class="dim num">{sizes}</span>
        </p>
        <progress class="load" aria-label=page.t(title) max="1" value=progress.and_then(|progress| progress.fraction())>
        </progress>
        <p class="dim detail" data-testid="preflight-line">{move || preflight_line(page)}</p>
        <ol class="steps" aria-hidden="true">
            {LOAD_PHASES
                .iter()
                .zip(0i32..)
                .map(|(phase, idx)| view! { <li data-step=step(idx)>{page.t(phase_short(*phase))}</li> })
                .collect_view()}
        </ol>
    }
}

/// Why the model is not there, and a way on.
#[component]
fn LoadFailed(
    /// What the worker said.
    error: ErrorInfo,
) -> impl IntoView {
    let page = Page::here();
    let title = error_sentence(&error.code).unwrap_or(Key::LoadFailedTitle);
    let detail = (!error.message.is_empty()).then_some(error.message);
    view! {
        <div class="model-line" role="alert">
            <span class="glyph fail" aria-hidden="true">"✕"</span>
            <strong>{page.t(title)}</strong>
        </div>
        <p class="dim detail" lang="en">{detail} " (" <code>{error.code}</code> ")"</p>
        <button class="primary" type="button" data-testid="retry-load" on:click=move |_| page.change(|session| session.retry_load())>
            {page.t(Key::TryAgain)}
        </button>
    }
}

fn phase_title(phase: LoadPhase) -> Key {
    match phase {
        LoadPhase::Device => Key::PhaseDevice,
        LoadPhase::Download => Key::PhaseDownload,
        LoadPhase::Weights => Key::PhaseWeights,
        LoadPhase::Compile => Key::PhaseCompile,
        LoadPhase::SelfTest => Key::PhaseSelfTest,
    }
}

fn phase_short(phase: LoadPhase) -> Key {
    match phase {
        LoadPhase::Device => Key::StepDevice,
        LoadPhase::Download => Key::StepDownload,
        LoadPhase::Weights => Key::StepWeights,
        LoadPhase::Compile => Key::StepCompile,
        LoadPhase::SelfTest => Key::StepSelfTest,
    }
}
