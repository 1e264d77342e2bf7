//! Reference data for tests: where it lies, how it is read, how far a result is from it; and made-up checkpoints of true sizes.
//!
//! For dev-dependencies only. A test that needs reference data finds it through [`shared`]; it is always
//! there in CI, so a missing folder is a failure that names the folder, never a silent pass.

mod compare;
mod golden;
mod made_up;
mod shared;

pub use compare::{Mismatch, max_relative_error};
pub use golden::{Golden, GoldenError, GoldenTensor};
pub use made_up::{MadeUpError, MadeUpReport, MadeUpSize, write_made_up};
pub use shared::{SharedError, golden_dir, shared};
