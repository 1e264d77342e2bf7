//! What a large pack asks of this device: a line where it fits, a question where it does not.

use crate::page::Page;
use crate::platform::dom;
use crate::session::format;
use crate::session::options::DEFAULT_PACK;
use crate::text::{Key, fill};
use leptos::prelude::*;
use servimage_bench::preflight::{Doubt, Preflight};

/// Size and speed of the pack that is coming; nothing where it was here already.
pub fn preflight_line(page: Page) -> String {
    page.read(|session| match session.preflight() {
        Some(report)
            if report
                .free_bytes
                .is_some_and(|free| free < report.missing_bytes) =>
        {
            told(page, &[Key::PreflightFits, Key::PreflightNoRoom], report)
        }
        Some(report) => told(page, &[Key::PreflightFits], report),
        None => String::new(),
    })
}

/// Whether to download a pack that suits this device badly.
#[component]
pub fn PreflightQuestion(
    /// What was found.
    report: Preflight,
) -> impl IntoView {
    let page = Page::here();
    let is_slow = report.doubts.contains(&Doubt::Slow);
    let is_too_large = report.doubts.len() > usize::from(is_slow);
    let reasons = move || {
        let (mut keys, all) = (Vec::new(), [Key::PreflightTitle, Key::PreflightSlow]);
        keys.extend(&all[..1 + usize::from(is_slow)]);
        if is_too_large {
            keys.push(Key::PreflightTooLarge);
        }
        keys.push(Key::PreflightSize);
        told(page, &keys, &report)
    };
    let built_in = move |_| {
        let pack_url = dom::absolute_url(DEFAULT_PACK);
        page.change(|session| session.change_pack(pack_url));
    };
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
