//! Task and images to token ids and rotary positions.
//!
//! Layer 1: the wording is data (a template in the pack), the arithmetic of positions is the reference's. Nothing
//! that a task's text says can become a special token.

mod builder;
mod error;
mod parts;
mod positions;
mod slots;
mod template;
mod tokenizer;

pub use builder::{ImageSlot, MAX_IMAGES, Prompt, PromptBuilder, Role};
pub use error::PromptError;
pub use positions::{image_spans, mrope_positions};
pub use template::default_template;
pub use tokenizer::Tokenizer;
