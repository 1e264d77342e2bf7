//! Where to draw the line: the threshold, what mistakes cost, and the dollars that follow.

use crate::page::Page;
use crate::session::decision::{Costs, Outlook, THRESHOLD_STEPS};
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;

/// The panel. It is there from the first image on, so that nothing moves when its verdict comes; but not before a blind vote.
#[component]
pub fn DecisionPanel() -> impl IntoView {
    let page = Page::here();
    let outlook = Memo::new(move |_| page.read(|session| session.outlook()));
    let is_there = Memo::new(move |_| {
        outlook.with(Option::is_some) || !page.read(|session| session.is_blind())
    });
    move || {
        is_there.get().then(|| {
            view! {
                <section class="decision" aria-labelledby="decision-title" data-testid="decision">
                    <h3 id="decision-title">{page.t(Key::DecisionTitle)}</h3>
                    <ThresholdSlider />
                    <div class="costs">
                        <CostField title=Key::CostAccept name="cost-accept" read=|costs| costs.wrong_accept_usd
                            write=|costs, cost| costs.wrong_accept_usd = cost />
                        <CostField title=Key::CostReject name="cost-reject" read=|costs| costs.wrong_reject_usd
                            write=|costs, cost| costs.wrong_reject_usd = cost />
                    </div>
                    {move || match outlook.get() {
                        Some(outlook) => view! { <Net outlook=outlook /> }.into_any(),
                        None => view! {
                            <p class="net"><span class="num big">"–"</span>" " {page.t(Key::NetCaption)}</p>
                            <div class="row decision-hints"></div>
                        }.into_any(),
                    }}
                    <p class="dim detail">{page.t(Key::EachItsOwn)}</p>
                </section>
            }
            .into_any()
        })
    }
}

/// The slider, in whole percents.
#[component]
fn ThresholdSlider() -> impl IntoView {
    let page = Page::here();
    let threshold = Memo::new(move |_| page.read(|session| session.threshold()));
    let steps = f64::from(THRESHOLD_STEPS);
    let words = move || format::percent(threshold.get());
    let draw = move |event| {
        let step: Option<f64> = event_target_value(&event).parse().ok();
        page.change(|session| session.set_threshold(step.map(|step| step / steps)));
    };
    view! {
        <div class="threshold-line">
            <label for="threshold">{page.t(Key::ThresholdLabel)}</label>
            <input id="threshold" type="range" min="0" max=steps step="1" data-testid="threshold" aria-valuetext=words
                prop:value=move || (threshold.get() * steps).to_string() on:input=draw />
            <output for="threshold" class="num big">{words}</output>
        </div>
    }
}

/// One kind of mistake.
#[component]
fn CostField(
    /// Which.
    title: Key,
    /// For the tests.
    name: &'static str,
    /// Its cost among both.
    read: fn(&Costs) -> f64,
    /// Changes it.
    write: fn(&mut Costs, f64),
) -> impl IntoView {
    let page = Page::here();
    let cost = page
        .session
        .with_untracked(|session| read(&session.costs()));
    let set = move |event| {
        let cost = event_target_value(&event).parse().unwrap_or_default();
        page.change(|session| {
            let mut costs = session.costs();
            write(&mut costs, cost);
            session.set_costs(costs);
        });
    };
    view! {
        <label class="cost">
            <span>{page.t(title)}</span>
            <input class="field num" type="number" min="0" step="any" inputmode="decimal" data-testid=name
                value=cost.to_string() on:input=set />
        </label>
    }
}

/// What follows, in dollars.
#[component]
fn Net(
    /// From the session.
    outlook: Outlook,
) -> impl IntoView {
    let page = Page::here();
    let (sent, judged) = (outlook.n_sent.to_string(), outlook.n_judged.to_string());
    let unpriced = (outlook.n_unpriced > 0).then(|| outlook.n_unpriced.to_string());
    let (best, best_net) = outlook.best;
    let best_percent = format::percent(best);
    let usd = move |amount| format::dollars(page.lang.get(), amount);
    let is_best = outlook.best.1 - outlook.net_usd < 0.005;
    let pack = outlook.pack_threshold;
    let is_pack = (outlook.threshold - pack).abs() < 1e-9;
    let set = move |threshold| page.change(|session| session.set_threshold(threshold));
    view! {
        <p class="net" aria-live="polite">
            <span class="num big" data-testid="net" data-value=outlook.net_usd.to_string()>{move || usd(outlook.net_usd)}</span>
            " " {page.t(Key::NetCaption)} " · "
            <span class="num" data-testid="sent">{move || page.say(Key::NetSent, &[("sent", &sent), ("judged", &judged)])}</span>
        </p>
        {unpriced.map(|count| view! { <p class="dim detail">{move || page.say(Key::NetUnpriced, &[("count", &count)])}</p> })}
        <div class="row decision-hints">
            {(!is_best).then(|| view! {
                <span class="num">{move || page.say(Key::NetBest, &[("net", &usd(best_net)), ("percent", &best_percent)])}</span>
                <button class="quiet" type="button" data-testid="take-best" on:click=move |_| set(Some(best))>{page.t(Key::TakeBest)}</button>
            })}
            {(!is_pack).then(|| view! {
                <button class="quiet" type="button" data-testid="take-pack" on:click=move |_| set(None)>
                    {move || page.say(Key::TakePack, &[("percent", &format::percent(pack))])}</button>
            })}
        </div>
    }
}
