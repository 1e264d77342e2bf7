//! The `servimage` command line, as a library so that other crates and tests can call what it does.

pub mod commands;
pub mod convert;
