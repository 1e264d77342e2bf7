//! Packs over HTTP: a static server that does what a browser's download needs, and a checker that says what
//! another host does not.
//!
//! Layer 1, native, without burn: xtask serves the page with it. The checker speaks through an
//! [`HttpClient`](check::HttpClient), so that its tests need no network and TLS is its caller's choice.

pub mod check;
pub mod server;
