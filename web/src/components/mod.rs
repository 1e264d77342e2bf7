//! What is drawn: one component a file, native elements first.

mod announcer;
mod app;
mod bench_loader;
mod brief;
mod card;
mod card_actions;
mod concepts;
mod drop_overlay;
mod drop_zone;
mod footer;
mod gauge;
mod header;
mod input_picker;
mod model_details;
mod model_status;
mod notice_bar;
mod privacy;
mod provenance;
mod queue;
mod rules;
mod samples;
mod task_picker;
mod thumbnail;
mod verdict;
mod verdict_json;

pub use app::App;
