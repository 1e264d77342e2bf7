//! A ruler from 0 to 1: how far P(pay) reaches, where the threshold stands, and how far examples like it
//! bore the number out.

use crate::page::Page;
use crate::session::decision::{Band, band};
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;

/// Width of the drawing, which is stretched to its place.
const WIDTH: f64 = 1000.0;

/// The ruler.
#[component]
pub fn Gauge(
    /// Probability, 0..=1.
    p_pay: f64,
    /// Threshold, 0..=1.
    threshold: Memo<f64>,
) -> impl IntoView {
    let page = Page::here();
    let reach = p_pay.clamp(0.0, 1.0) * WIDTH;
    let mark = move || threshold.get().clamp(0.0, 1.0) * WIDTH;
    let words = move || {
        page.say(
            Key::ThresholdAt,
            &[("percent", &format::percent(threshold.get()))],
        )
    };
    let known = page
        .session
        .with_untracked(|session| band(p_pay, session.reliability()));
    let ticks = (0..=20).map(|idx| {
        let (x, top) = (
            f64::from(idx) * WIDTH / 20.0,
            if idx % 5 == 0 { 14.0 } else { 20.0 },
        );
        view! { <line class="tick" x1=x x2=x y1=top y2=26.0 /> }
    });
    view! {
        <div class="gauge">
            <svg viewBox="0 0 1000 30" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="4" width=WIDTH height="8" />
                <rect class="reach" x="0" y="4" width=reach height="8" />
                {known.map(|band| view! { <rect class="band" x=band.low * WIDTH y="0.5" width=(band.high - band.low) * WIDTH height="15" /> })}
                {ticks.collect_view()}
                <line class="threshold" x1=mark x2=mark y1="0" y2="30" />
            </svg>
            <p class="gauge-caption dim num">{words}</p>
            {known.map(|band| view! { <p class="gauge-caption dim num" data-testid="band">{band_words(page, band)}</p> })}
        </div>
    }
}

fn band_words(page: Page, band: Band) -> impl Fn() -> String {
    move || {
        let values = [band.observed, band.low, band.high].map(format::percent);
        let [observed, low, high] = &values;
        page.say(
            Key::BandLine,
            &[
                ("n", &band.n.to_string()),
                ("observed", observed),
                ("low", low),
                ("high", high),
            ],
        )
    }
}
