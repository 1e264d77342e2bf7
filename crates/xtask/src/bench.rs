//! What runs in real Chromium: the end-to-end tests, the measurements, the screenshot.

use crate::checks::node;
use crate::setup;
use anyhow::Result;

/// The end-to-end tests, one after the other: two cores hold one software GPU.
pub fn end_to_end() -> Result<()> {
    node(&["--test", "--test-concurrency=1", "--test-reporter=spec"])
}

/// Time to ready, to the first verdict, and per image, as a Markdown table.
pub fn measure() -> Result<()> {
    setup::for_testing()?;
    node(&["measure.mjs"])
}

/// The README's screenshot.
pub fn shots() -> Result<()> {
    setup::for_testing()?;
    node(&["shots.mjs"])
}
