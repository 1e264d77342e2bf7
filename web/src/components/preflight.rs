//! What a large pack asks of this device: a line where it fits, a question where it does not.

use crate::page::Page;
use crate::platform::dom;
use crate::session::format;
use crate::session::options::DEFAULT_PACK;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::preflight::{Doubt, Preflight};

/// Size and speed of the pack that is coming; nothing where it was here already.
#[component]
pub fn PreflightLine() -> impl IntoView {
    let page = Page::here();
    let report = Memo::new(move |_| page.read(|session| session.preflight().cloned()));
    move || {
        let report = report.get()?;
        let line = told(page.t(Key::PreflightFits)(), &report);
        Some(view! {
            <p class="dim detail" data-testid="preflight-line">{line} " " {no_room(page, &report)}</p>
        })
    }
}

/// Whether to download a pack that suits this device badly.
#[component]
pub fn PreflightQuestion(
    /// What was found.
    report: Preflight,
) -> impl IntoView {
    let page = Page::here();
    let doubts: Vec<Doubt> = report.doubts.clone();
    let name = report.name.clone();
    let title = move || fill(page.t(Key::PreflightTitle)(), &[("name", &name)]);
    let asked = report.clone();
    let reasons = move || {
        let reason = |doubt: &Doubt| {
            let words = match doubt {
                Doubt::Slow => told(page.t(Key::PreflightSlow)(), &asked),
                Doubt::TooLarge {
                    tensor,
                    size_bytes,
                    limit_bytes,
                } => {
                    let (needed, limit) = (format::bytes(*size_bytes), format::bytes(*limit_bytes));
                    let values = [
                        ("tensor", tensor.as_str()),
                        ("needed", &needed),
                        ("limit", &limit),
                    ];
                    fill(page.t(Key::PreflightTooLarge)(), &values)
                }
            };
            view! { <li>{words}</li> }
        };
        doubts.iter().map(reason).collect_view()
    };
    let size = move || told(page.t(Key::PreflightSize)(), &report);
    let built_in = move |_| {
        let pack_url = dom::absolute_url(DEFAULT_PACK);
        page.change(|session| session.change_pack(pack_url));
    };
    view! {
        <div role="alert">
            <p class="model-line">
                <span class="glyph" aria-hidden="true">"?"</span>
                <strong>{title}</strong>
            </p>
            <ul class="detail">{reasons}</ul>
            <p class="dim detail">{size}</p>
        </div>
        <p class="answers">
            <button type="button" data-testid="load-anyway" on:click=move |_| page.change(|session| session.load_anyway())>
                {page.t(Key::DownloadAnyway)}
            </button>
            " "
            <button class="primary" type="button" data-testid="use-built-in" on:click=built_in>{page.t(Key::UseBuiltIn)}</button>
        </p>
    }
}

/// That the pack will not stay, where the browser says so beforehand.
fn no_room(page: Page, report: &Preflight) -> Option<String> {
    let free_bytes = report
        .free_bytes
        .filter(|free| *free < report.missing_bytes)?;
    let free = format::bytes(free_bytes);
    Some(fill(page.t(Key::PreflightNoRoom)(), &[("free", &free)]))
}

/// A text with the report's sizes and speeds in it.
fn told(template: &str, report: &Preflight) -> String {
    let missing = format::bytes(report.missing_bytes);
    let seconds = format::rough_duration(report.seconds_an_image * 1e3);
    let speed = format!("{:.1} GFLOP/s", report.flops / 1e9);
    let values = [
        ("missing", missing.as_str()),
        ("seconds", &seconds),
        ("speed", &speed),
        ("device", &report.device),
    ];
    fill(template, &values)
}
