//! What weighed in the pooling, over the picture and in words, on demand.

use crate::page::Page;
use crate::session::heat::HeatMap;
use crate::session::queue::CardState;
use crate::text::Key;
use leptos::prelude::*;

/// How dark a cell without weight becomes.
const DARKEST: f64 = 0.82;

/// The map of a card's verdict, where it has one.
pub fn heat_map(state: &CardState) -> Option<HeatMap> {
    match state {
        CardState::Done { verdict, .. } => HeatMap::of(verdict.attention.as_ref()?),
        _ => None,
    }
}

/// Darkens the cells that had little weight; lies over the picture.
#[component]
pub fn HeatLayer(
    /// The map.
    map: HeatMap,
) -> impl IntoView {
    let page = Page::here();
    let columns = map.columns;
    let cell = |(idx, weight): (usize, &f64)| {
        let (x, y) = (idx % columns, idx / columns);
        view! { <rect x=x.to_string() y=y.to_string() width="1" height="1" fill-opacity=format!("{:.2}", (1.0 - weight) * DARKEST) /> }
    };
    let size = format!("0 0 {columns} {}", map.rows);
    view! {
        <svg class="heat" viewBox=size preserveAspectRatio="none" role="img" data-testid="heat" aria-label=page.t(Key::HeatAlt)>
            {map.cells.iter().enumerate().map(cell).collect_view()}
        </svg>
    }
}

/// The switch, and what is seen in words.
#[component]
pub fn HeatSwitch(
    /// The map.
    map: HeatMap,
    /// Whether it is shown.
    is_shown: RwSignal<bool>,
) -> impl IntoView {
    let page = Page::here();
    let words = move || {
        // A cell of many: whole percents would make all of them alike.
        let percents =
            [map.most, map.even, map.share].map(|share| format!("{:.1}%", share * 100.0));
        let [most, even, share] = &percents;
        let place = map.place.map(|key| page.t(key)());
        let values = [
            ("most", most.as_str()),
            ("even", even),
            ("share", share),
            ("row", place[0]),
            ("column", place[1]),
        ];
        let legend = if map.is_even() {
            Key::HeatEven
        } else {
            Key::HeatLegend
        };
        page.say(legend, &values)
    };
    view! {
        <button class="quiet" type="button" data-testid="heat-toggle" aria-pressed=move || is_shown.get().to_string()
            on:click=move |_| is_shown.update(|is_shown| *is_shown = !*is_shown)>{page.t(Key::HeatShow)}</button>
        {move || is_shown.get().then(|| view! { <p class="dim detail" data-testid="heat-legend">{words.clone()}</p> })}
    }
}
