//! Ties the session to the browser: one handle that every component takes from the context.

use crate::components::App;
use crate::platform::worker::{BrowserWorker, WorkerEvent};
use crate::platform::{File, dom, files, network, samples, storage};
use crate::session::Session;
use crate::session::compare::Compare;
use crate::session::intake::{self, Incoming};
use crate::session::notice::Notice;
use crate::session::options::Options;
use crate::session::queue::{Card, CardId};
use crate::session::share::Shared;
use crate::text::{Key, Lang, fill, text};
use leptos::mount::mount_to_body;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Keys of cards in the browser's storage; the card's id follows.
const KEPT_CARD: &str = "card-";

/// The session over the browser's worker.
pub type PageSession = Session<BrowserWorker>;

/// Colours that the visitor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Handle to everything that components read and change; copies are the same page.
#[derive(Clone, Copy)]
pub struct Page {
    /// State of the model, the tasks and the queue.
    pub session: RwSignal<PageSession, LocalStorage>,
    /// Language of the page.
    pub lang: RwSignal<Lang>,
    /// Colours of the page.
    pub theme: RwSignal<Theme>,
    /// Network requests of this page since the model was ready.
    pub requests: RwSignal<u32>,
    /// Whether files hover over the window.
    pub is_dragging: RwSignal<bool>,
    /// The card that is open below a long list.
    pub opened: RwSignal<Option<CardId>>,
    /// What is compared, while the dialog is open.
    pub compare: RwSignal<Option<Compare>>,
    /// The project's sample images, once fetched.
    pub samples: RwSignal<Vec<samples::Sample>, LocalStorage>,
}

impl Page {
    /// The page of the surrounding context.
    pub fn here() -> Self {
        expect_context::<Self>()
    }

    /// A sentence in the language of the moment.
    pub fn t(self, key: Key) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
        move || text(self.lang.get(), key)
    }

    /// A sentence with values, in the language of the moment.
    pub fn say(self, key: Key, values: &[(&str, &str)]) -> String {
        fill(text(self.lang.get(), key), values)
    }

    /// Reads the session, and reads again when it changes.
    pub fn read<T>(self, read: impl FnOnce(&PageSession) -> T) -> T {
        self.session.with(read)
    }

    /// Changes the session, and keeps in the browser's storage what is to outlive a reload.
    pub fn change(self, change: impl FnOnce(&mut PageSession)) {
        let mut unsaved = Vec::new();
        self.session.update(|session| {
            change(session);
            unsaved = session.take_unsaved();
        });
        for (id, text) in unsaved {
            let key = format!("{KEPT_CARD}{id}");
            match text {
                Some(text) => storage::remember(&key, &text),
                None => storage::forget(&key),
            }
        }
    }

    /// Reads a card as it is now, without watching it.
    pub fn card<T>(self, id: CardId, read: impl FnOnce(&Card<File>) -> T) -> Option<T> {
        self.session
            .with_untracked(|session| session.queue.get(id).map(read))
    }

    /// Takes files of any kind: images into the queue, benchmark files to the tasks.
    pub fn take(self, incoming: Vec<Incoming<File>>) {
        let sorted = intake::sort(incoming);
        self.change(|session| session.add_assets(sorted.inputs, sorted.references));
        let (jsons, images, skipped) = (sorted.jsons, sorted.images, sorted.skipped);
        spawn_local(async move {
            for json in jsons {
                let content = files::text_of(&json.file).await.unwrap_or_default();
                self.change(|session| session.add_bench_json(&json.path, &content));
            }
            self.change(|session| {
                session.add_images(images);
                if skipped > 0 {
                    session.notify(Notice::Skipped { count: skipped });
                }
            });
        });
    }

    fn on_worker_event(self, event: WorkerEvent) {
        let was_ready = self
            .session
            .with_untracked(|session| session.model().is_ready());
        self.change(|session| match event {
            WorkerEvent::Response(response) => session.on_response(response),
            WorkerEvent::Broken(message) => session.on_worker_broken(message),
        });
        let is_ready = self
            .session
            .with_untracked(|session| session.model().is_ready());
        if is_ready && !was_ready {
            self.requests.set(0);
            network::watch_requests(move |count| self.requests.update(|total| *total += count));
        }
    }
}

/// Builds the page and shows it.
pub fn start() {
    dom::remove_boot_screen();
    mount_to_body(|| {
        provide_context(build());
        App()
    });
}

fn build() -> Page {
    let slot: StoredValue<Option<Page>> = StoredValue::new(None);
    let worker = BrowserWorker::new(move |event| {
        if let Some(page) = slot.get_value() {
            page.on_worker_event(event);
        }
    });
    let pack = dom::query_param("pack");
    let device = dom::query_param("device");
    let mut options = Options::from_params(pack.as_deref(), device.as_deref());
    options.pack_url = dom::absolute_url(&options.pack_url);
    // To measure what batches are worth.
    options.max_batch = dom::query_param("batch").and_then(|batch| batch.parse().ok());
    let lang = first_language();
    options.language = lang.brief_language();
    let page = Page {
        session: RwSignal::new_local(Session::start(worker, options)),
        lang: RwSignal::new(lang),
        theme: RwSignal::new(first_theme()),
        requests: RwSignal::new(0),
        is_dragging: RwSignal::new(false),
        opened: RwSignal::new(None),
        compare: RwSignal::new(None),
        samples: RwSignal::new_local(Vec::new()),
    };
    slot.set_value(Some(page));
    page.session
        .update_untracked(|session| session.bring_back(storage::numbered(KEPT_CARD)));
    connect(page);
    page
}

/// Window events, the sample images, and what follows the language and the theme.
fn connect(page: Page) {
    dom::on_window_drop(
        move |is_over| page.is_dragging.set(is_over),
        move |event| {
            if let Some(transfer) = event.data_transfer() {
                let walk = files::of_drop(&transfer);
                spawn_local(async move { page.take(walk.await) });
            }
        },
    );
    dom::on_window_paste(move |event| {
        if let Some(list) = event.clipboard_data().and_then(|data| data.files()) {
            page.take(files::of_list(&list));
        }
    });
    let restore = move || {
        if let Some(shared) = Shared::from_fragment(&dom::fragment()) {
            page.change(|session| session.restore(shared));
        }
    };
    restore();
    dom::on_fragment(restore);
    spawn_local(async move {
        let fetched = samples::fetch_all().await;
        page.samples.set(fetched);
        page.change(|session| session.page_settled());
    });
    Effect::new(move |_| {
        let lang = page.lang.get();
        dom::set_language(lang.tag(), text(lang, Key::PageTitle));
    });
    Effect::new(move |_| {
        dom::set_root_attribute("data-theme", page.theme.get().word());
    });
}

impl Theme {
    /// The word in `data-theme` and in storage.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The next one of the toggle.
    pub fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

fn first_language() -> Lang {
    let tag = storage::recall("lang")
        .or_else(dom::preferred_language)
        .unwrap_or_default();
    Lang::from_tag(&tag)
}

fn first_theme() -> Theme {
    match storage::recall("theme").as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::Auto,
    }
}
