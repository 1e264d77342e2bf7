//! What is drawn: one component a file, native elements first.

mod announcer;
mod app;
mod bench_loader;
mod blind;
mod brief;
mod card;
mod card_actions;
mod checklist;
mod compare;
mod concepts;
mod decision;
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
mod queue_bar;
mod queue_list;
mod rules;
mod samples;
mod shared;
mod task_picker;
mod thumbnail;
mod verdict;
mod verdict_json;

pub use app::App;
