//! What a shared address brought: the sender's scores, until they are put away.

use crate::page::Page;
use crate::session::format;
use crate::text::Key;
use leptos::prelude::*;

/// The sender's scores; nothing where the address brought none.
#[component]
pub fn SharedScores() -> impl IntoView {
    let page = Page::here();
    let shared = Memo::new(move |_| page.read(|session| session.shared().cloned()));
    move || {
        let shared = shared.get().filter(|shared| !shared.scores.is_empty())?;
        let rows = shared.scores.into_iter().map(|(name, p_pay)| {
            view! { <tr><th scope="row">{name}</th><td class="num">{format::percent(p_pay)}</td></tr> }
        });
        let dismiss = move |_| page.change(|session| session.dismiss_shared());
        let task = shared.task_id;
        Some(
            view! {
                <section class="shared" aria-labelledby="shared-title" data-testid="shared">
                    <div class="card-head">
                        <h3 id="shared-title">{page.t(Key::SharedTitle)}</h3>
                        <button class="quiet" type="button" data-testid="dismiss-shared" on:click=dismiss>{page.t(Key::Dismiss)}</button>
                    </div>
                    <p class="dim detail">{page.t(Key::SharedHint)} " " <code>{task}</code></p>
                    <table>
                        <thead><tr><th scope="col">{page.t(Key::SharedFile)}</th><th scope="col">"P(pay)"</th></tr></thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </section>
            }
            .into_any(),
        )
    }
}
