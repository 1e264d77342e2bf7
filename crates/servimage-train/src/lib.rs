//! Trains the nano checkpoint: proxy data, training loop, evaluation, calibration.
//!
//! The labels are PROXIES made by construction ([`truth`]), not decisions of paying people.

pub mod about;
mod artifact;
pub mod batch;
pub mod brief;
mod canvas;
pub mod caption;
pub mod card;
pub mod compare;
pub mod content;
pub mod curve;
pub mod damage;
pub mod decisions;
mod degrade;
mod deliverables;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod figure;
pub mod figures;
pub mod filters;
pub mod fit;
pub mod gradient;
pub mod grid;
mod measure;
pub mod muon;
pub mod nano;
pub mod optimizer;
pub mod ordering;
pub mod packed;
pub mod picture;
pub mod point;
pub mod preview;
pub mod producers;
pub mod render;
pub mod run;
pub mod scene;
pub mod schedule;
pub mod scorer;
pub mod source;
pub mod swaps;
pub mod trainee;
pub mod truth;
pub mod weights;
mod wording;
pub mod world;
