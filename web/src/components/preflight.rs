//! What a large pack asks of this device: a line where it fits, a question where it does not.

use crate::page::Page;
use crate::session::format;
use crate::session::options::DEFAULT_PACK;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::preflight::{Doubt, Preflight};

/// Size and speed of the pack that is coming; nothing where it was here already.
pub fn preflight_line(page: Page) -> String {
    page.read(|session| {
        let Some(report) = session.preflight() else {
            return String::new();
        };
        let has_room = report
            .free_bytes
            .is_none_or(|free| free >= report.missing_bytes);
        match has_room {
            true => told(page, &[Key::PreflightFits], report),
            false => told(page, &[Key::PreflightFits, Key::PreflightNoRoom], report),
        }
    })
}

/// Whether to download a pack that suits this device badly.
#[component]
pub fn PreflightQuestion(
    /// What was found.
    report: Preflight,
) -> impl IntoView {
    let page = Page::here();
    let reasons = move || {
        let mut keys = vec![Key::PreflightTitle];
        keys.extend(report.doubts.iter().map(|doubt| match doubt {
            Doubt::Slow => Key::PreflightSlow,
            Doubt::TooLarge { .. } => Key::PreflightTooLarge,
        }));
        keys.push(Key::PreflightSize);
        told(page, &keys, &report)
    };
    let built_in = move |_| page.use_pack(DEFAULT_PACK);
    view! {
        <p role="alert">{reasons}</p>
        <button class="primary" type="button" data-testid="use-built-in" on:click=built_in>{page.t(Key::UseBuiltIn)}</button>
        " "
        <button class="quiet" type="button" data-testid="load-anyway" on:click=move |_| page.change(|session| session.load_anyway())>
            {page.t(Key::DownloadAnyway)}
        </button>
    }
}

/// Texts, one behind the other, with the report's values in them.
fn told(page: Page, keys: &[Key], report: &Preflight) -> String {
    let (mut tensor, mut limits) = ("", [0, 0]);
    for doubt in &report.doubts {
        if let Doubt::TooLarge {
            tensor: name,
            size_bytes,
            limit_bytes,
        } = doubt
        {
            (tensor, limits) = (name, [*size_bytes, *limit_bytes]);
        }
    }
    let [needed, limit] = limits.map(format::bytes);
    let missing = format::bytes(report.missing_bytes);
    let free = format::bytes(report.free_bytes.unwrap_or_default());
    let seconds = format::rough_duration(report.seconds_an_image * 1e3);
    let speed = format!("{:.1} GFLOP/s", report.flops / 1e9);
    let values = [
        ("name", report.name.as_str()),
        ("missing", &missing),
        ("free", &free),
        ("seconds", &seconds),
        ("speed", &speed),
        ("device", &report.device),
        ("tensor", tensor),
        ("needed", &needed),
        ("limit", &limit),
    ];
    let mut words = String::new();
    for key in keys {
        words.push_str(&fill(page.t(*key)(), &values));
        words.push(' ');
    }
    words
}
