//! The whole page: header, status, the brief on the left, images and verdicts on the right.

use super::announcer::Announcer;
use super::brief::Brief;
use super::compare::CompareDialog;
use super::dialogs::Dialogs;
use super::drop_overlay::DropOverlay;
use super::drop_zone::DropZone;
use super::footer::Footer;
use super::header::Header;
use super::model_status::ModelStatus;
use super::notice_bar::NoticeBar;
use super::privacy::Privacy;
use super::queue::QueueView;
use crate::page::Page;
use crate::text::Key;
use leptos::prelude::*;

/// The page. Wants a [`Page`] in its context.
#[component]
pub fn App() -> impl IntoView {
    let page = Page::here();
    view! {
        <a class="skip" href="#images">{page.t(Key::SkipToImages)}</a>
        <Header />
        <main class="page">
            <section class="hero">
                <h1>{page.t(Key::Headline)}</h1>
                <p class="lead">{page.t(Key::Purpose)}</p>
            </section>
            <section class="status" aria-label=page.t(Key::StatusLabel)>
                <ModelStatus />
                <Privacy />
            </section>
            <NoticeBar />
            <div class="bench">
                <Brief />
                <div class="work" id="images">
                    <DropZone />
                    <QueueView />
                </div>
            </div>
        </main>
        <Footer />
        <DropOverlay />
        <CompareDialog />
        <Dialogs />
        <Announcer />
    }
}
