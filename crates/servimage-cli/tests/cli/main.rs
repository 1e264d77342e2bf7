//! Promises of the command line. One test binary: each would link burn again.

#![expect(clippy::unwrap_used, reason = "test code")]

mod checkpoint;
mod command_line;
mod convert;
mod hosting;
mod parity;
mod score;
