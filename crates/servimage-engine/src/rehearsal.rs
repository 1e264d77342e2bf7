//! A first image before the visitor's first image.
//!
//! The self-test compiles every kernel; it decodes no picture and is short. A browser runs WebAssembly slowly until it has seen a
//! function work, so the way from file bytes to a verdict is walked once on a picture of our own.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::score::ScoreRequest;
use servimage_bench::task::Task;
use servimage_image::Limits;
use servimage_pack::PackSource;

/// A brief as long as most.
const TASK: &str = include_str!("../data/rehearsal.json");

/// A rendered scene, 640 x 480.
const PICTURE: &[u8] = include_bytes!("../data/rehearsal.jpg");

impl<S: PackSource> Engine<S> {
    /// Reads a picture of our own, runs the network on it and forgets both.
    ///
    /// # Errors
    /// As [`Engine::score`].
    pub async fn rehearse(&self) -> Result<(), EngineError> {
        let task = Task::from_json(TASK).expect("a test reads the embedded file");
        let request = ScoreRequest {
            task: &task,
            deliverable: 1,
            image_name: "rehearsal.jpg",
            image: PICTURE,
            input: None,
            others: &[],
            references: &[],
            threshold: None,
            limits: Limits::default(),
            browser_format: None,
        };
        let image = self.read(&request)?;
        self.model().evaluate(image.input()).await?;
        self.model().forget_prefixes();
        Ok(())
    }
}
