//! The web worker that owns the engine
