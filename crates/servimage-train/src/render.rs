//! Renders the page's sample pictures and the end-to-end tests' fixtures: `servimage-train render`.

use crate::damage::Damage;
use crate::error::TrainError;
use crate::picture::Picture;
use crate::scene::{Scene, SceneKind};
use rand::{SeedableRng, rngs::SmallRng};
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

/// Blurred and noisy at the scale at which the network looks, then enlarged again.
fn spoiled(clean: &Picture) -> Result<Picture, TrainError> {
    let mut rng = SmallRng::seed_from_u64(1);
    let small = clean.shrunk_to_area(224 * 224);
    let blurred = Damage::MotionBlur.apply(&small, 0.7, &mut rng)?;
    let noisy = Damage::Noise.apply(&blurred, 0.9, &mut rng)?;
    let cast = Damage::ColourCast.apply(&noisy, 0.7, &mut rng)?;
    Ok(cast.resized(clean.width, clean.height))
}
