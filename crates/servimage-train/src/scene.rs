//! Pictures that the project renders itself: products, portraits, landscapes, streets and posters.
//!
//! They train beside the real pictures, they are the page's samples and the tests' fixtures, and they may be shown
//! anywhere because nobody else made them. A scene is its kind and a seed; [`Scene::render`] is deterministic.

mod people;
mod places;
mod products;

use crate::canvas::Canvas;
use crate::picture::Picture;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// What a scene shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SceneKind {
    /// A bottle with a label on a plain ground.
    Bottle,
    /// A mug on a wooden table.
    Mug,
    /// Fruit on a cloth.
    Fruit,
    /// Head and shoulders, as an illustration.
    Portrait,
    /// Hills, trees and sky.
    Landscape,
    /// Houses with windows.
    Street,
    /// Bold shapes and lines of strokes that look like text.
    Poster,
}

/// A picture to be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// What it shows.
    pub kind: SceneKind,
    /// Colours, places and shapes.
    pub seed: u64,
}

impl Scene {
    const KINDS: [SceneKind; 7] = [
        SceneKind::Bottle,
        SceneKind::Portrait,
        SceneKind::Mug,
        SceneKind::Landscape,
        SceneKind::Fruit,
        SceneKind::Street,
        SceneKind::Poster,
    ];

    /// The scene of a seed; the kinds take turns.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self {
            kind: Self::KINDS[seed as usize % Self::KINDS.len()],
            seed,
        }
    }

    /// Paints it.
    #[must_use]
    pub fn render(self, width: usize, height: usize) -> Picture {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut canvas = Canvas::new(width, height);
        match self.kind {
            SceneKind::Bottle => products::bottle(&mut canvas, &mut rng),
            SceneKind::Mug => products::mug(&mut canvas, &mut rng),
            SceneKind::Fruit => products::fruit(&mut canvas, &mut rng),
            SceneKind::Portrait => people::portrait(&mut canvas, &mut rng),
            SceneKind::Landscape => places::landscape(&mut canvas, &mut rng),
            SceneKind::Street => places::street(&mut canvas, &mut rng),
            SceneKind::Poster => places::poster(&mut canvas, &mut rng),
        }
        canvas.finish()
    }
}

/// A number in a range, shorter to read.
fn pick(rng: &mut impl Rng, from: f32, to: f32) -> f32 {
    rng.random_range(from..to)
}

/// A block of `n_lines` rows of strokes that look like words; `origin` is its top left corner.
fn text_lines(
    canvas: &mut Canvas,
    rng: &mut impl Rng,
    origin: [f32; 2],
    width: f32,
    size: f32,
    n_lines: usize,
    ink: [f32; 3],
) {
    use crate::canvas::stroke;
    for line in 0..n_lines {
        let baseline = origin[1] + line as f32 * size * 1.8;
        let end = origin[0] + width * pick(rng, 0.7, 1.0);
        let mut x = origin[0];
        while x < end {
            let (tall, lean) = (pick(rng, 0.55, 1.0), pick(rng, -0.2, 0.5) * size);
            let half = size * 0.075;
            canvas.fill(
                stroke(
                    [x, baseline + size],
                    [x + lean * 0.3, baseline + size * (1.0 - tall)],
                    half,
                ),
                |_| ink,
            );
            if rng.random_bool(0.6) {
                let y = baseline + size * pick(rng, 0.3, 1.0);
                canvas.fill(
                    stroke([x, y], [x + size * 0.4, y - lean * 0.4], half),
                    |_| ink,
                );
            }
            x += size * if rng.random_bool(0.2) { 1.2 } else { 0.55 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_paints_something_detailed() {
        for (seed, kind) in Scene::KINDS.into_iter().enumerate() {
            let picture = Scene {
                kind,
                seed: seed as u64,
            }
            .render(96, 72);
            let mean = picture.mean_luma();
            let spread = picture
                .pixels
                .iter()
                .map(|p| (crate::picture::luma(*p) - mean).abs())
                .sum::<f32>()
                / (96.0 * 72.0);
            assert!(
                spread > 0.03 && (0.1..0.95).contains(&mean),
                "{kind:?}: mean {mean}, spread {spread}"
            );
        }
    }
}
