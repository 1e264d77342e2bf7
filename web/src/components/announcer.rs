//! Tells screen readers what happened.

use super::notice_bar::notice_text;
use crate::page::Page;
use leptos::prelude::*;

/// An invisible live region with the latest notice.
#[component]
pub fn Announcer() -> impl IntoView {
    let page = Page::here();
    let notice = Memo::new(move |_| page.read(|session| session.notice().cloned()));
    let words = move || {
        notice
            .get()
            .map(|notice| notice_text(page.lang.get(), &notice))
    };
    view! {
        <div class="visually-hidden" role="status" aria-live="polite" data-testid="announcer">{words}</div>
    }
}
