//! Renders the page's sample pictures and the end-to-end tests' fixtures: `servimage-train render`.

use crate::content::Content;
use crate::damage::Damage;
use crate::decisions::{WINDOWS, rng_of};
use crate::error::TrainError;
use crate::picture::Picture;
use crate::scene::{Scene, SceneKind};
use crate::source::{Part, scenes};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::Serialize;
use std::path::Path;

/// One entry of `public/samples/index.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// File beside the index.
    pub file: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// Title in Chinese.
    pub title_zh: &'static str,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        file: "bottle.jpg",
        title_en: "Product shot",
        title_zh: "产品图",
    },
    Sample {
        file: "portrait.jpg",
        title_en: "Portrait illustration",
        title_zh: "人像插画",
    },
    Sample {
        file: "street-damaged.jpg",
        title_en: "Street scene, spoiled",
        title_zh: "受损的街景",
    },
];

/// Writes the samples with their index into `samples` and the fixtures into `fixtures`.
///
/// # Errors
/// [`TrainError::File`] or [`TrainError::Picture`] where something cannot be written.
pub fn render_all(samples: &Path, fixtures: &Path) -> Result<(), TrainError> {
    for folder in [samples, fixtures] {
        std::fs::create_dir_all(folder).map_err(|source| TrainError::File {
            path: folder.to_path_buf(),
            source,
        })?;
    }
    let [bottle, portrait, damaged] = SAMPLES.map(|sample| samples.join(sample.file));
    Scene {
        kind: SceneKind::Bottle,
        seed: 11,
    }
    .render(1120, 900)
    .save(&bottle)?;
    Scene {
        kind: SceneKind::Portrait,
        seed: 4,
    }
    .render(900, 1080)
    .save(&portrait)?;
    spoiled(
        &Scene {
            kind: SceneKind::Street,
            seed: 6,
        }
        .render(1200, 900),
    )?
    .save(&damaged)?;
    let index = samples.join("index.json");
    let text = serde_json::to_string_pretty(&SAMPLES).map_err(|source| TrainError::Json {
        path: index.clone(),
        source,
    })?;
    std::fs::write(&index, text + "\n").map_err(|source| TrainError::File {
        path: index,
        source,
    })?;
    Scene {
        kind: SceneKind::Mug,
        seed: 3,
    }
    .render(640, 480)
    .save(&fixtures.join("scene-1.jpg"))?;
    Scene {
        kind: SceneKind::Fruit,
        seed: 8,
    }
    .render(400, 560)
    .save(&fixtures.join("scene-2.png"))
}

/// Writes `count` pictures that no training sees into `folder`: scenes and drawings in turn, every other one damaged, from hardly to
/// badly.
///
/// # Errors
/// [`TrainError::File`], [`TrainError::Picture`] or [`TrainError::Jpeg`] where something cannot be made or written.
pub fn render_held_out(folder: &Path, count: usize) -> Result<(), TrainError> {
    std::fs::create_dir_all(folder).map_err(|source| TrainError::File {
        path: folder.to_path_buf(),
        source,
    })?;
    let mut held_out = scenes(Part::HeldOut, u64::MAX);
    for (number, damage) in (0..count).zip(Damage::trained().into_iter().cycle()) {
        let mut rng = rng_of(number, 8);
        let window = WINDOWS[number % WINDOWS.len()];
        let scene = match number % 4 {
            0 | 1 => held_out.next(),
            _ => None,
        };
        let content = match scene {
            Some(scene) => Content::view(&scene, window, &mut rng),
            None => Content::figure(Part::HeldOut, window, &mut rng),
        };
        let severity = if number % 2 == 0 {
            0.0
        } else {
            rng.random_range(0.1..1.0_f32)
        };
        let picture = damage.apply(&content.picture, severity, &mut rng)?;
        picture.save(&folder.join(format!("held-out-{number:02}.png")))?;
    }
    Ok(())
}

/// Blurred and noisy at the scale at which the network looks, then enlarged again.
fn spoiled(clean: &Picture) -> Result<Picture, TrainError> {
    let mut rng = SmallRng::seed_from_u64(1);
    let small = clean.shrunk_to_area(224 * 224);
    let blurred = Damage::MotionBlur.apply(&small, 0.7, &mut rng)?;
    let noisy = Damage::Noise.apply(&blurred, 0.9, &mut rng)?;
    let cast = Damage::ColourCast.apply(&noisy, 0.7, &mut rng)?;
    Ok(cast.resized(clean.width, clean.height))
}
