//! A first image before the visitor's first image.
//!
//! The self-test compiles every kernel; it decodes no picture and is short. A browser runs WebAssembly slowly until it has seen a
//! function work, so the way from file bytes to a verdict is walked once on a picture of our own.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::score::ScoreRequest;
use servimage_bench::task::Task;
use servimage_pack::PackSource;

/// A brief as long as most.
const TASK: &str = include_str!("../data/rehearsal.json");

/// A rendered scene, 640 x 480.
const PICTURE: &[u8] = include_bytes!("../data/rehearsal.jpg");

impl<S: PackSource> Engine<S> {
    /// Reads a picture of our own, runs the network on it and forgets both, and with them every brief that was prepared: for the time
    /// before the first image.
    ///
    /// # Errors
    /// As [`Engine::score`].
    pub async fn rehearse(&self) -> Result<(), EngineError> {
        let task = Task::from_json(TASK).expect("a test reads the embedded file");
        let image = self.read(&ScoreRequest::new(&task, 1, "rehearsal.jpg", PICTURE))?;
        self.model().evaluate(image.input()).await?;
        self.model().forget_prefixes();
        Ok(())
    }
}
