//! A ruler from 0 to 1: how far P(pay) reaches, and where the threshold stands.

use crate::page::Page;
use crate::session::format;
use crate::text::{Key, fill};
use leptos::prelude::*;

/// The ruler. Drawn 1,000 units wide and stretched.
#[component]
pub fn Gauge(
    /// Probability, 0..=1.
    p_pay: f64,
    /// Threshold, 0..=1.
    threshold: f64,
) -> impl IntoView {
    let page = Page::here();
    let (reach, mark) = (
        p_pay.clamp(0.0, 1.0) * 1000.0,
        threshold.clamp(0.0, 1.0) * 1000.0,
    );
    let percent = format::percent(threshold);
    let words = move || fill(page.t(Key::ThresholdAt)(), &[("percent", &percent)]);
    let ticks = (0..=20).map(|idx| {
        let (x, top) = (
            f64::from(idx) * 50.0,
            if idx % 5 == 0 { 14.0 } else { 20.0 },
        );
        view! { <line class="tick" x1=x x2=x y1=top y2=26.0 /> }
    });
    view! {
        <div class="gauge">
            <svg viewBox="0 0 1000 30" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="4" width="1000" height="8" />
                <rect class="reach" x="0" y="4" width=reach height="8" />
                {ticks.collect_view()}
                <line class="threshold" x1=mark x2=mark y1="0" y2="30" />
            </svg>
            <p class="gauge-caption dim num">{words}</p>
        </div>
    }
}
