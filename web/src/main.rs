//! The ServImage page: draws what `session` holds, talks to the browser through `platform`.
//!
//! It links no burn: the network runs in the worker's own bundle, so this one stays small and paints
//! at once.

mod components;
mod page;
mod platform;
mod session;
mod text;

fn main() {
    console_error_panic_hook::set_once();
    page::start();
}
