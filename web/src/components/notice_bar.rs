//! What the page has to say about files: shown until dismissed.

use crate::page::Page;
use crate::session::format;
use crate::session::notice::Notice;
use crate::text::{Key, Lang, fill, text};
use leptos::prelude::*;

/// The lasting notices, if there are any.
#[component]
pub fn NoticeBar() -> impl IntoView {
    let page = Page::here();
    let notices = Memo::new(move |_| page.read(|session| session.lasting_notices().to_vec()));
    let is_there = Memo::new(move |_| notices.with(|notices| !notices.is_empty()));
    let dismiss = move |_| page.change(|session| session.dismiss_notice());
    move || {
        is_there.get().then(|| {
            let lines = move || {
                let line = |notice: &Notice| view! { <p>{notice_text(page.lang.get(), notice)}</p> };
                notices.with(|notices| notices.iter().map(line).collect_view())
            };
            view! {
                <div class="notice" data-testid="notice">
                    <div>{lines}</div>
                    <button class="quiet" type="button" on:click=dismiss>{page.t(Key::Dismiss)}</button>
                </div>
            }
        })
    }
}

/// A notice in words.
pub fn notice_text(lang: Lang, notice: &Notice) -> String {
    let say = |key: Key, values: &[(&str, &str)]| fill(text(lang, key), values);
    let number = |count: &usize| format::thousands(*count as u64);
    match notice {
        Notice::Queued {
            count,
            model_ready: true,
        } => say(Key::NoticeQueued, &[("count", &number(count))]),
        Notice::Queued {
            count,
            model_ready: false,
        } => say(Key::NoticeQueuedEarly, &[("count", &number(count))]),
        Notice::Judged { name, pay, p_pay } => {
            let key = if *pay {
                Key::NoticePay
            } else {
                Key::NoticeRefuse
            };
            say(
                key,
                &[("name", name), ("percent", &format::percent(*p_pay))],
            )
        }
        Notice::JudgedBlind { name } => say(Key::NoticeBlind, &[("name", name)]),
        Notice::ImageFailed { name } => say(Key::NoticeFailed, &[("name", name)]),
        Notice::BenchLoaded { tasks, warnings } => say(
            Key::NoticeBench,
            &[("tasks", &number(tasks)), ("warnings", &number(warnings))],
        ),
        Notice::AllJudged { done, failed } => say(
            Key::NoticeAllJudged,
            &[("done", &number(done)), ("failed", &number(failed))],
        ),
        Notice::BenchForgotten => text(lang, Key::NoticeForgotten).to_owned(),
        Notice::NotABenchFile { name, why } => {
            say(Key::NoticeNotBench, &[("name", name), ("why", why)])
        }
        Notice::Skipped { count, names } => say(
            Key::NoticeSkipped,
            &[("count", &number(count)), ("names", names)],
        ),
        Notice::NotUnpacked { name, why, n_more } => say(
            Key::NoticeNotUnpacked,
            &[("name", name), ("why", why), ("more", &number(n_more))],
        ),
        Notice::NothingPasted { why } => say(Key::NoticeNothingPasted, &[("why", why)]),
        Notice::LinkCopied => text(lang, Key::NoticeLink).to_owned(),
        Notice::Recovered => text(lang, Key::NoticeRecovered).to_owned(),
        Notice::ReportSaved => text(lang, Key::NoticeReport).to_owned(),
        Notice::Copied => text(lang, Key::NoticeCopied).to_owned(),
    }
}
