//! Ties the session to the browser: one handle that every component takes from the context.

use crate::components::App;
use crate::platform::worker::{BrowserWorker, WorkerEvent};
use crate::platform::{File, dom, fetched, files, network, picture, storage};
use crate::session::Session;
use crate::session::compare::Compare;
use crate::session::intake::{self, Incoming};
use crate::session::model::ModelState;
use crate::session::notice::Notice;
use crate::session::options::{DEFAULT_PACK, Options};
use crate::session::own_brief::OwnBrief;
use crate::session::queue::{Card, CardId};
use crate::session::share::Shared;
use crate::text::{Key, Lang, fill, text};
use leptos::mount::mount_to_body;
use leptos::prelude::*;
use leptos::task::spawn_local;
use servimage_bench::message::Kept;

/// Keys of cards in the browser's storage; the card's id follows.
const KEPT_CARD: &str = "card-";

/// Cards that are read back at once: hundreds would hold the page up.
const KEPT_AT_ONCE: usize = 20;

/// The same for the visitor's own briefs; the brief's number follows.
const KEPT_BRIEF: &str = "brief-";

/// What stands there instead of the page where its texts cannot be fetched, in both languages.
const NO_TEXTS: &str =
    "Parts of this page could not be loaded. Please reload it. 页面未能完整载入，请刷新。";

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

/// A dialog that is rarely opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogKind {
    /// What the checkpoint was trained on and what its figures are.
    ModelCard,
    /// The keys of the page.
    Keys,
    /// Model packs.
    Packs,
    /// The visitor's own brief: written from nothing, or from the task of a card that is judged again for it.
    OwnBrief(Option<CardId>),
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
    pub samples: RwSignal<Vec<fetched::Sample>, LocalStorage>,
    /// The model card of the loaded pack, as Markdown; empty where it has none.
    pub model_card: RwSignal<String>,
    /// That of the pack that ships, whose manifest does not name it.
    pub shipped_card: RwSignal<String>,
    /// What of the rare dialogs is open.
    pub dialog: RwSignal<Option<DialogKind>>,
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

    /// Speaks another language, as soon as its texts are there.
    pub fn speak(self, lang: Lang) {
        spawn_local(async move {
            if fetched::texts(lang).await {
                self.lang.set(lang);
            }
        });
    }

    /// Reads the session, and reads again when it changes.
    pub fn read<T>(self, read: impl FnOnce(&PageSession) -> T) -> T {
        self.session.with(read)
    }

    /// Changes the session, and keeps in the browser's storage what is to outlive a reload.
    pub fn change(self, change: impl FnOnce(&mut PageSession)) {
        let mut unsaved = Vec::new();
        self.session.update(|session| {
            session.at(dom::now_millis());
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

    /// Takes files once they are there, and says which are not.
    pub fn bring(self, bringing: files::Bringing) {
        spawn_local(async move {
            let (taken, notice) = match files::read(bringing).await {
                Ok(brought) => {
                    let n_more = brought.lost.len().saturating_sub(1);
                    let lost = brought.lost.into_iter().next();
                    let notice = lost.map(|(name, why)| Notice::NotUnpacked { name, why, n_more });
                    (brought.files, notice)
                }
                Err(why) => (Vec::new(), Some(Notice::NothingPasted { why })),
            };
            self.take(taken);
            if let Some(notice) = notice {
                self.change(|session| session.notify(notice));
            }
        });
    }

    /// Takes files of any kind: images into the queue, benchmark files to the tasks, a model pack to the worker.
    pub fn take(self, mut incoming: Vec<Incoming<File>>) {
        if let Some((folder, pack)) = intake::take_pack(&mut incoming) {
            self.change(|session| session.change_pack(folder, pack));
        }
        let sorted = intake::sort(incoming);
        self.change(|session| session.add_assets(sorted.inputs, sorted.references));
        let (jsons, images, skipped) = (sorted.jsons, sorted.images, sorted.skipped);
        spawn_local(async move {
            for json in jsons {
                let content = files::text_of(&json.file).await.unwrap_or_default();
                let mut has_tasks = false;
                self.change(|session| has_tasks = session.add_bench_json(&json.path, &content));
                if has_tasks {
                    storage::keep_tasks(&json.path, &content).await;
                }
            }
            // Sorting many was a task, showing them is the next one.
            picture::breathe().await;
            self.change(|session| {
                session.add_images(images);
                if !skipped.is_empty() {
                    session.notify(Notice::skipped(&skipped));
                }
            });
        });
    }

    /// Loads the pack at an address, relative ones of this page, and names it in the tab's address.
    pub fn use_pack(self, url: &str) {
        let mut pack_url = dom::absolute_url(url);
        if !pack_url.ends_with('/') {
            pack_url.push('/');
        }
        let is_shipped = pack_url == dom::absolute_url(DEFAULT_PACK);
        dom::name_pack(if is_shipped { "" } else { &pack_url });
        self.change(|session| session.change_pack(pack_url, Vec::new()));
    }

    /// Forgets the benchmark, for later visits too.
    pub fn forget_bench(self) {
        self.change(|session| session.forget_bench());
        spawn_local(storage::forget_tasks());
    }

    /// Takes the visitor's own brief, and keeps it.
    pub fn take_own_brief(self, brief: &OwnBrief, of_card: Option<CardId>) {
        self.change(|session| {
            let (number, text) = session.add_own_brief(brief, of_card);
            storage::remember(&format!("{KEPT_BRIEF}{number}"), &text);
        });
    }

    /// Forgets the picked brief, which is the visitor's own.
    pub fn forget_own_brief(self) {
        self.change(|session| {
            if let Some(number) = session.forget_own_brief() {
                storage::forget(&format!("{KEPT_BRIEF}{number}"));
            }
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
            self.session.with_untracked(|session| {
                if let ModelState::Ready(pack) = session.model() {
                    if pack.kept == Kept::OnDevice {
                        storage::persist();
                    }
                    let is_shipped = session.pack_url() == dom::absolute_url(DEFAULT_PACK);
                    let shipped = is_shipped.then(|| self.shipped_card.get_untracked());
                    let card = pack.card.clone().or(shipped);
                    self.model_card.set(card.unwrap_or_default());
                }
            });
            network::watch_requests(move |count| self.requests.update(|total| *total += count));
        }
    }
}

/// Builds the page and shows it, as soon as its texts are there.
pub fn start() {
    // Not Leptos' own: it has no executor before something is mounted.
    wasm_bindgen_futures::spawn_local(async {
        let lang = first_language();
        if !fetched::texts(lang).await {
            return dom::set_boot_line(NO_TEXTS);
        }
        dom::remove_boot_screen();
        mount_to_body(move || {
            provide_context(build(lang));
            App()
        });
    });
}

fn build(lang: Lang) -> Page {
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
        model_card: RwSignal::new(String::new()),
        shipped_card: RwSignal::new(String::new()),
        dialog: RwSignal::new(None),
    };
    slot.set_value(Some(page));
    let kept = storage::numbers(KEPT_CARD);
    let (first, rest) = kept.split_at(kept.len().min(KEPT_AT_ONCE));
    page.session.update_untracked(|session| {
        session.bring_briefs_back(storage::numbered_texts(KEPT_BRIEF));
        session.queue.reserve(kept.last().copied());
        session.bring_back(storage::numbered(KEPT_CARD, first));
    });
    let rest = rest.to_vec();
    spawn_local(async move {
        for numbers in rest.chunks(KEPT_AT_ONCE) {
            picture::breathe().await;
            page.change(|session| session.bring_back(storage::numbered(KEPT_CARD, numbers)));
        }
    });
    connect(page);
    page
}

/// Window events, the sample images, and what follows the language and the theme.
fn connect(page: Page) {
    dom::watch_keys();
    dom::on_window_drop(
        move |is_over| page.is_dragging.set(is_over),
        move |event| {
            if let Some(transfer) = event.data_transfer() {
                page.bring(files::of_drop(&transfer));
            }
        },
    );
    dom::on_window_paste(move |event| {
        if let Some(list) = event.clipboard_data().and_then(|data| data.files()) {
            page.bring(files::of_list(&list));
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
        for lang in [Lang::En, Lang::Zh] {
            fetched::texts(lang).await;
        }
        let fetched = fetched::samples().await;
        page.samples.set(fetched);
        page.shipped_card.set(fetched::shipped_card().await);
        fetched::keep_shell().await;
        page.change(|session| session.page_settled());
        for (_, json) in storage::kept_tasks().await {
            page.change(|session| session.bring_tasks_back(&json));
            picture::breathe().await;
        }
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
