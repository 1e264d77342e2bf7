//! The web worker: owns the engine, a queue of images and the source of packs.
//!
//! Everything heavy happens here, so that the page stays smooth. The page talks to it in the messages of
//! [`servimage_bench::message`], carried out in the order of [`servimage_bench::backlog`], and one bad image never ends the queue.

mod drawing;
mod fetch_source;
mod inbox;
mod packs;
mod platform;
mod preflight;
mod scoring;
mod session;
mod webgpu;

use servimage_bench::message::Response;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // The browser itself would tell the page only that it reached something unreachable.
        platform::post(&Response::Broken {
            message: panic.to_string(),
        });
    }));
    // Without a logger a shader that the browser refuses leaves no trace at all (notes on burn, 1.4).
    console_log::init_with_level(log::Level::Warn).expect("the first logger of this worker");
    session::start();
}
