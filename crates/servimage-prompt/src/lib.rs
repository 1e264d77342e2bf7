//! Task and images to token ids and rotary positions
