//! The `servimage` command line, as a library so that other crates and tests can call what it does.

pub mod bench_folder;
pub mod commands;
pub mod convert;
pub mod http;
pub mod parity;
pub mod quality;
pub mod self_test;
