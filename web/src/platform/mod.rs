//! The browser: the only place that knows `web_sys` and `js_sys`. Small functions, no state of the page.

pub mod dom;
pub mod fetched;
pub mod files;
pub mod network;
pub mod picture;
pub mod storage;
pub mod worker;

pub use web_sys::File;
