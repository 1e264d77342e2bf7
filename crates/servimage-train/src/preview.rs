//! A contact sheet: pairs of every kind, each tile with what is true of it below in a text file of the same order.

use crate::decisions::{WINDOWS, rng_of};
use crate::error::TrainError;
use crate::picture::Picture;
use crate::world::{Example, PairKind, PairPlan, World};
use std::fmt::Write as _;

/// Side of a tile.
const TILE: usize = 224;

/// Tiles a row: three pictures of each example of a pair.
const COLUMNS: usize = 6;

/// A row a pair, the kinds taking turns, and the truth of each row in words.
///
/// # Errors
/// [`TrainError::Jpeg`] from a damage.
pub fn contact_sheet(world: &World, rows: usize) -> Result<(Picture, String), TrainError> {
    use PairKind::{Brief, Damage, Edit, Set};
    let mut sheet = Picture::filled(COLUMNS * TILE, rows * TILE, [0.6; 3]);
    let mut words = String::new();
    for row in 0..rows {
        let kind = [Damage, Brief, Edit, Set][row % 4];
        let plan = PairPlan {
            window: WINDOWS[row % WINDOWS.len()],
            max_points: 4,
            figures: 0.5,
            wear: crate::wear::Wear::ALONE,
        };
        let pair = world.pair(kind, &plan, &mut rng_of(row, 3))?;
        for (side, example) in pair.iter().enumerate() {
            for (column, (_, picture)) in example.images.iter().take(COLUMNS / 2).enumerate() {
                paste(
                    &mut sheet,
                    &picture.resized(TILE, TILE),
                    side * COLUMNS / 2 + column,
                    row,
                );
            }
            let line = describe(example);
            writeln!(words, "{row}.{side} {kind:?}: {line}")
                .expect("writing to a string cannot fail");
        }
    }
    Ok((sheet, words))
}

/// What is true of an example, in one line.
fn describe(example: &Example) -> String {
    let scores: Vec<String> = servimage_model::heads::CONCEPT_HEADS
        .iter()
        .zip(example.truth.scores)
        .filter_map(|((name, _), score)| Some(format!("{name} {:.1}", score?)))
        .collect();
    let points: Vec<String> = example
        .points
        .iter()
        .map(|(point, met)| {
            format!(
                "{} {}",
                point.kind.name(),
                if *met { "met" } else { "not met" }
            )
        })
        .collect();
    format!(
        "\"{}\" {} USD; {}; {}; {:?}; P(pay) {:.2}",
        example.brief.requirement,
        example.brief.price_usd,
        points.join(", "),
        scores.join(", "),
        example.applied,
        example.truth.p_pay(example.brief.price_usd)
    )
}

fn paste(sheet: &mut Picture, tile: &Picture, column: usize, row: usize) {
    for y in 0..tile.height {
        let start = (row * TILE + y) * sheet.width + column * TILE;
        sheet.pixels[start..start + tile.width]
            .copy_from_slice(&tile.pixels[y * tile.width..(y + 1) * tile.width]);
    }
}
