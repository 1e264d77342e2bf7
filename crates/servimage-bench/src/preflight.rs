//! What a large pack asks of a device, told before it is downloaded.

use serde::{Deserialize, Serialize};

/// Seconds an image from which on a visitor is asked whether that is wanted.
pub const MAX_SECONDS_AN_IMAGE: f64 = 60.0;

/// A pack against a device, by its manifest alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// Name of the pack.
    pub name: String,
    /// Name of the device, for people.
    pub device: String,
    /// Bytes of it that are not on this device yet.
    pub missing_bytes: u64,
    /// Bytes that the browser would still keep, where it says so.
    pub free_bytes: Option<u64>,
    /// Floating-point operations per second, measured on this device in a product as the pack's network has them.
    pub flops: f64,
    /// Seconds that an image of 640 x 480 is expected to take once its brief is read.
    pub seconds_an_image: f64,
    /// Why the visitor should think twice; empty: it fits.
    pub doubts: Vec<Doubt>,
}

/// A reason not to download a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// An image would take longer than [`MAX_SECONDS_AN_IMAGE`].
    Slow,
    /// A weight is larger than what the device can bind at once: the pack will not load.
    TooLarge {
        /// The weight.
        tensor: String,
        /// Its bytes.
        size_bytes: u64,
        /// What the device allows.
        limit_bytes: u64,
    },
}
