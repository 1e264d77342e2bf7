//! Counts, the time left, and what can be done with the whole queue.

use crate::page::{Page, PageSession};
use crate::platform::{dom, picture};
use crate::session::format;
use crate::session::notice::Notice;
use crate::session::queue::Counts;
use crate::text::Key;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Longest side of a report's pictures, in pixels.
const REPORT_PICTURE_SIDE: u32 = 320;

/// The bar.
#[component]
pub fn QueueBar() -> impl IntoView {
    let page = Page::here();
    let counts = Memo::new(move |_| page.read(|session| session.queue.counts(session.threshold())));
    let eta =
        Memo::new(move |_| page.read(|session| session.eta_millis().map(format::rough_duration)));
    let n_failed = Memo::new(move |_| counts.get().failed);
    let words = move || {
        let Counts {
            total,
            done,
            pay,
            failed,
        } = counts.get();
        let values = [
            ("total", total),
            ("done", done),
            ("pay", pay),
            ("failed", failed),
        ]
        .map(|(name, count)| (name, format::thousands(count as u64)));
        page.say(
            Key::QueueCounts,
            &values.each_ref().map(|(name, value)| (*name, &**value)),
        )
    };
    let left = move || {
        eta.get().map(|time| view! { <span class="dim" data-testid="eta">" · " {page.say(Key::TimeLeft, &[("time", &time)])}</span> })
    };
    view! {
        <div class="queue-bar">
            <p class="num"><span data-testid="queue-counts">{words}</span>{left}</p>
            <div class="row">
                <Flow counts=counts />
                <Exports counts=counts />
                {move || (n_failed.get() > 1).then(|| view! {
                    <button class="quiet" type="button" data-testid="retry-failed"
                        on:click=move |_| page.change(|session| session.retry_failed())>{page.t(Key::RetryFailed)}</button>
                })}
            </div>
        </div>
    }
}

/// Pause. The button stays where nothing is left to pause: what stands beside it must not move when an image comes out.
#[component]
fn Flow(
    /// How many cards stand where.
    counts: Memo<Counts>,
) -> impl IntoView {
    let page = Page::here();
    let is_paused = Memo::new(move |_| page.read(|session| session.is_paused()));
    let is_open = Memo::new(move |_| {
        let counts = counts.get();
        counts.done + counts.failed < counts.total
    });
    let pause = move |_| page.change(|session| session.set_paused(!session.is_paused()));
    let title = move || {
        page.t(if is_paused.get() {
            Key::GoOn
        } else {
            Key::PauseAll
        })()
    };
    view! {
        <button class="quiet" type="button" aria-keyshortcuts="p" data-testid="pause"
            disabled=move || !is_open.get() && !is_paused.get() on:click=pause>{title}</button>
    }
}

/// What the visitor takes away, once there is something.
#[component]
fn Exports(
    /// How many cards stand where.
    counts: Memo<Counts>,
) -> impl IntoView {
    let page = Page::here();
    let nothing = Memo::new(move |_| counts.get().done + counts.get().failed == 0);
    let jsonl = move |_| {
        let rows = page
            .session
            .with_untracked(|session| session.export_jsonl());
        dom::download_text("servimage-verdicts.jsonl", "application/jsonl", &rows);
    };
    let csv = move |_| {
        let rows = page.session.with_untracked(|session| session.export_csv());
        dom::download_text("servimage-verdicts.csv", "text/csv", &rows);
    };
    let report = move |_| spawn_local(save_report(page));
    let link = move |_| {
        let fragment = page
            .session
            .with_untracked(|session| session.share().to_fragment());
        let link = format!("{}#{fragment}", dom::address());
        spawn_local(async move {
            if dom::copy_text(&link).await {
                page.change(|session| session.notify(Notice::LinkCopied));
            }
        });
    };
    view! {
        <button class="quiet" type="button" disabled=nothing aria-keyshortcuts="r" data-testid="export-report" on:click=report>{page.t(Key::ExportReport)}</button>
        <button class="quiet" type="button" disabled=nothing data-testid="export-jsonl" on:click=jsonl>{page.t(Key::ExportJsonl)}</button>
        <button class="quiet" type="button" disabled=nothing data-testid="export-csv" on:click=csv>{page.t(Key::ExportCsv)}</button>
        <button class="quiet" type="button" disabled=nothing data-testid="copy-link" on:click=link>{page.t(Key::CopyLink)}</button>
        <button class="quiet" type="button" disabled=nothing data-testid="clear"
            on:click=move |_| page.change(|session| session.remove_settled())>{page.t(Key::Clear)}</button>
    }
    .into_any()
}

/// Writes the report image by image, each with a small picture; the page stays awake meanwhile.
async fn save_report(page: Page) {
    let lang = page.lang.get_untracked();
    let read = |read: &dyn Fn(&PageSession) -> String| page.session.with_untracked(read);
    let ids = page.session.with_untracked(|session| session.reported());
    let mut pieces = dom::Pieces::default();
    pieces.push(&read(&|session| session.report_head(lang, &dom::now_iso())));
    for id in ids {
        let file = page.card(id, |card| card.file.clone()).flatten();
        let copy = match file {
            Some(file) => picture::small_copy(&file, REPORT_PICTURE_SIDE).await,
            None => None,
        };
        picture::breathe().await;
        pieces.push(&read(&|session| {
            session.report_image(id, lang, copy.as_deref())
        }));
    }
    pieces.push(&read(&|session| session.report_foot(lang)));
    pieces.download("servimage-report.html", "text/html");
    page.change(|session| session.notify(Notice::ReportSaved));
}
