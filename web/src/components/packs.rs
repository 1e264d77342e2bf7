//! The model manager: the built-in pack, those that are kept on this device, others by their address or from a folder.

use crate::page::Page;
use crate::platform::{dom, files};
use crate::session::format;
use crate::session::options::DEFAULT_PACK;
use crate::text::{Key, fill};
use leptos::html::Input;
use leptos::prelude::*;
use servimage_bench::message::{KeptPack, Shelf};

/// The manager.
#[component]
pub fn PackManager() -> impl IntoView {
    let page = Page::here();
    let input: NodeRef<Input> = NodeRef::new();
    let shelf =
        Memo::new(move |_| page.read(|session| session.shelf().cloned().unwrap_or_default()));
    // What is kept changes when a pack is ready, too.
    let is_ready = Memo::new(move |_| page.read(|session| session.model().is_ready()));
    Effect::new(move |_| {
        is_ready.get();
        page.change(|session| session.list_packs());
    });
    let in_use = Memo::new(move |_| page.read(|session| session.pack_url().to_owned()));
    let rows = move || {
        let Shelf { packs, .. } = shelf.get();
        let url = dom::absolute_url(DEFAULT_PACK);
        let built_in = KeptPack {
            name: page.t(Key::BuiltInPack)().to_owned(),
            pack_url: url,
            quant: String::new(),
            size_bytes: 0,
            here_bytes: 0,
        };
        let all = std::iter::once(built_in).chain(packs);
        let in_use = in_use.get();
        all.map(|pack| {
            let is_used = pack.pack_url == in_use;
            row(page, pack, is_used)
        })
        .collect_view()
    };
    let total = move || {
        shelf.with(|shelf| {
            let free = shelf.free_bytes.map_or("?".to_owned(), format::bytes);
            let values = [
                ("used", &format::bytes(shelf.used_bytes)[..]),
                ("free", &free),
            ];
            fill(page.t(Key::PacksTotal)(), &values)
        })
    };
    let error = move || shelf.with(|shelf| shelf.error.clone());
    let is_empty = move || shelf.with(|shelf| shelf.used_bytes == 0);
    let fetch = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let url = dom::form_values(&event)("url");
        if !url.is_empty() {
            page.use_pack(&url);
        }
    };
    let open = move |_| {
        if let Some(files) = input.get().and_then(|input| files::of_input(&input)) {
            page.bring(files);
            page.dialog.set(None);
        }
    };
    view! {
        <ul class="packs">{rows}</ul>
        <p class="dim">
            <span data-testid="packs-total">{total}</span> " "
            <button class="quiet" type="button" data-testid="delete-packs" prop:disabled=is_empty
                on:click=move |_| page.change(|session| session.delete_packs(None))>{page.t(Key::DeletePacks)}</button>
        </p>
        <p role="alert" lang="en">{error}</p>
        <form class="row" on:submit=fetch>
            <input class="field wide" name="url" data-testid="pack-url" placeholder="https://…/" aria-label=page.t(Key::PackUrl) />
            <button class="primary" type="submit">{page.t(Key::UsePack)}</button>
            <button class="quiet" type="button" on:click=move |_| if let Some(input) = input.get() { dom::click(&input) }>
                {page.t(Key::OpenPackFolder)}</button>
        </form>
        <input class="visually-hidden" type="file" prop:webkitdirectory=true tabindex="-1" data-testid="pack-folder"
            aria-label=page.t(Key::OpenPackFolder) node_ref=input on:change=open />
        <p class="dim">{page.t(Key::PackUrlHelp)}</p>
    }
}

/// One pack with what can be done with it.
fn row(page: Page, pack: KeptPack, is_used: bool) -> impl IntoView {
    let (used, deleted) = (pack.pack_url.clone(), pack.pack_url.clone());
    let is_part = pack.here_bytes < pack.size_bytes;
    let [here, size] = [pack.here_bytes, pack.size_bytes].map(format::bytes);
    let is_kept = pack.size_bytes > 0;
    let words = match is_part {
        true => fill(page.t(Key::BytesOf)(), &[("done", &here), ("total", &size)]),
        false if is_kept => size,
        false => String::new(),
    };
    view! {
        <li data-testid="pack-row" data-name=pack.name data-whole=(!is_part).to_string()>
            <span><strong>{pack.name.clone()}</strong> " " <span class="dim">{pack.quant} " " {words} <br /> <code>{pack.pack_url}</code></span></span>
            {if is_used {
                view! { <span class="badge">{page.t(Key::PackInUse)}</span> }.into_any()
            } else {
                view! { <button class="quiet" type="button" data-testid="use-pack" on:click=move |_| page.use_pack(&used)>{page.t(Key::UsePack)}</button> }.into_any()
            }}
            {is_kept.then(|| view! {
                <button class="quiet" type="button" data-testid="delete-pack"
                    on:click=move |_| page.change(|session| session.delete_packs(Some(deleted.clone())))>{page.t(Key::DeletePack)}</button>
            })}
        </li>
    }
}
