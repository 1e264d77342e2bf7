//! The document around the app: address, language, theme, object addresses, window events.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, ClipboardEvent, DragEvent, Element, Event, FormData, HtmlAnchorElement,
    HtmlDialogElement, HtmlElement, Url, UrlSearchParams,
};

/// A query parameter of the page's address.
pub fn query_param(name: &str) -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// An address relative to the page, made absolute: the worker's own base may differ.
pub fn absolute_url(relative: &str) -> String {
    let base = root().and_then(|root| root.base_uri().ok().flatten());
    base.and_then(|base| Url::new_with_base(relative, &base).ok())
        .map_or_else(|| relative.to_owned(), |url| url.href())
}

/// The browser's first language, such as `zh-CN`.
pub fn preferred_language() -> Option<String> {
    web_sys::window()?.navigator().language()
}

/// Sets `lang` and the title of the document.
pub fn set_language(tag: &str, title: &str) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(title);
    }
    set_root_attribute("lang", tag);
}

/// Sets an attribute on `<html>`.
pub fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = root() {
        // Only an invalid attribute name can fail, and the names are ours.
        let _ = root.set_attribute(name, value);
    }
}

/// Removes what `index.html` shows until the app is there.
pub fn remove_boot_screen() {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(boot) = document.and_then(|document| document.get_element_by_id("boot")) {
        boot.remove();
    }
}

/// Says something on the boot screen.
pub fn set_boot_line(words: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(line) = document.and_then(|document| document.get_element_by_id("boot-line")) {
        line.set_text_content(Some(words));
    }
}

/// An address for a file in memory; give it back with [`revoke_url`].
pub fn object_url(blob: &Blob) -> Option<String> {
    Url::create_object_url_with_blob(blob).ok()
}

/// Frees an address of [`object_url`].
pub fn revoke_url(url: &str) {
    let _ = Url::revoke_object_url(url);
}

/// Puts a text on the clipboard; `false` where the browser refuses.
pub async fn copy_text(text: &str) -> bool {
    let Some(window) = web_sys::window() else {
        return false;
    };
    JsFuture::from(window.navigator().clipboard().write_text(text))
        .await
        .is_ok()
}

/// A text as a file in memory.
pub(super) fn text_blob(text: &str, mime: &str) -> Result<Blob, JsValue> {
    blob_of(&Array::of1(&text.into()), mime)
}

fn blob_of(texts: &Array, mime: &str) -> Result<Blob, JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(mime);
    Blob::new_with_str_sequence_and_options(texts, &kind)
}

/// Milliseconds since the page was opened.
pub fn now_millis() -> f64 {
    let clock = web_sys::window().and_then(|window| window.performance());
    clock.map_or(0.0, |clock| clock.now())
}

/// A JSON text with line breaks, written by the browser: a second writer would be 3 KB of wasm.
pub fn pretty_json(text: &str) -> String {
    let pretty = js_sys::JSON::parse(text).and_then(|value| {
        js_sys::JSON::stringify_with_replacer_and_space(&value, &JsValue::NULL, &2.into())
    });
    pretty.map_or_else(|_| text.to_owned(), String::from)
}

/// Saves a text as a file.
pub fn download_text(file_name: &str, mime: &str, text: &str) {
    let mut pieces = Pieces::default();
    pieces.push(text);
    pieces.download(file_name, mime);
}

/// A text file in the browser's memory, piece by piece.
#[derive(Default)]
pub struct Pieces(Array);

impl Pieces {
    /// Adds a piece behind the others.
    pub fn push(&mut self, text: &str) {
        self.0.push(&text.into());
    }

    /// Saves the whole as a file.
    pub fn download(self, file_name: &str, mime: &str) {
        let blob = blob_of(&self.0, mime).ok();
        if let Some(url) = blob.and_then(|blob| object_url(&blob)) {
            download(file_name, &url);
            revoke_url(&url);
        }
    }
}

/// Saves what lies at an address in memory as a file.
pub fn download(file_name: &str, url: &str) {
    let anchor = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.create_element("a").ok())
        .and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(anchor) = anchor {
        anchor.set_href(url);
        anchor.set_download(file_name);
        anchor.click();
    }
}

/// The page's address up to its fragment.
pub fn address() -> String {
    let href = web_sys::window().and_then(|window| window.location().href().ok());
    let href = href.unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

#[wasm_bindgen(module = "/js/address.js")]
extern "C" {
    /// Names the pack in the page's address, so that a reload opens it again; nothing where empty.
    #[wasm_bindgen(js_name = namePack)]
    pub fn name_pack(url: &str);
}

/// The fragment of the page's address, with its `#`.
pub fn fragment() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    hash.unwrap_or_default()
}

/// Calls when the fragment changes, as when another shared address is opened in this tab.
pub fn on_fragment(on_change: impl Fn() + 'static) {
    listen("hashchange", move |_: Event| on_change());
}

/// Opens a dialog over the page, or closes it; one that is so already stays.
pub fn set_modal(dialog: &HtmlDialogElement, is_open: bool) {
    if is_open && !dialog.open() {
        // It fails only on a dialog that is open already, or not on the page.
        let _ = dialog.show_modal();
    } else if !is_open && dialog.open() {
        dialog.close();
    }
}

/// Scrolls a box as little as shows `height_px` from `top_px` on.
pub fn scroll_to_show(area: &HtmlElement, top_px: f64, height_px: f64) {
    let (from, view) = (
        f64::from(area.scroll_top()),
        f64::from(area.client_height()),
    );
    if top_px < from {
        area.set_scroll_top(top_px as i32);
    } else if top_px + height_px > from + view {
        area.set_scroll_top((top_px + height_px - view).ceil() as i32);
    }
}

/// Whether a box is scrolled so far that less than a view of it is left.
pub fn is_near_end(area: &HtmlElement) -> bool {
    area.scroll_top() + 2 * area.client_height() >= area.scroll_height()
}

/// Now, as ISO 8601 without a zone (UTC), such as `2026-11-25T03:00:00`.
pub fn now_iso() -> String {
    let now = String::from(js_sys::Date::new_0().to_iso_string());
    now.chars().take(19).collect()
}

#[wasm_bindgen(module = "/js/keys.js")]
extern "C" {
    /// Listens to single keys for as long as the page lives.
    #[wasm_bindgen(js_name = watchKeys)]
    pub fn watch_keys();
    /// Whether single keys do something.
    #[wasm_bindgen(js_name = areOn)]
    pub fn keys_are_on() -> bool;
    /// Turns single keys on or off, for later visits too.
    #[wasm_bindgen(js_name = turn)]
    pub fn turn_keys(is_on: bool);
}

/// Values of a submitted form by the names of its fields; empty for one that is not there.
pub fn form_values(event: &Event) -> impl Fn(&str) -> String {
    let form = event.target().and_then(|form| form.dyn_into().ok());
    let data = form.and_then(|form| FormData::new_with_form(&form).ok());
    move |name| {
        let value = data.as_ref().map(|data| data.get(name));
        value
            .and_then(|value| value.as_string())
            .unwrap_or_default()
    }
}

/// Clicks a hidden file input.
pub fn click(element: &HtmlElement) {
    element.click();
}

/// Listens to drags and drops anywhere in the window. `on_drag(true)` while files hover.
pub fn on_window_drop(
    on_drag: impl Fn(bool) + Clone + 'static,
    on_drop: impl Fn(DragEvent) + 'static,
) {
    let hover = on_drag.clone();
    listen("dragover", move |event: DragEvent| {
        if carries_files(&event) {
            event.prevent_default();
            hover(true);
        }
    });
    let leave = on_drag.clone();
    listen("dragleave", move |event: DragEvent| {
        // Leaving the window names nothing that is entered; leaving a child names its neighbour.
        if event.related_target().is_none() {
            leave(false);
        }
    });
    listen("drop", move |event: DragEvent| {
        if carries_files(&event) {
            event.prevent_default();
            on_drag(false);
            on_drop(event);
        }
    });
}

/// Listens to pastes anywhere in the window, those into text fields aside.
pub fn on_window_paste(on_paste: impl Fn(ClipboardEvent) + 'static) {
    listen("paste", move |event: ClipboardEvent| {
        if event
            .clipboard_data()
            .and_then(|data| data.files())
            .is_some_and(|files| files.length() > 0)
        {
            on_paste(event);
        }
    });
}

fn carries_files(event: &DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Listens for as long as the page lives.
fn listen<E: JsCast + 'static>(name: &str, listener: impl Fn(E) + 'static) {
    let closure =
        Closure::<dyn FnMut(_)>::new(move |event: Event| listener(event.unchecked_into()));
    if let Some(window) = web_sys::window() {
        // Adding a listener cannot fail; the closure must outlive this call.
        let _ = window.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        closure.forget();
    }
}

fn root() -> Option<Element> {
    web_sys::window()?.document()?.document_element()
}
