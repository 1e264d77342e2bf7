//! A contact sheet: one clean picture a row, every damage a column, severity growing from row to row.

use crate::damage::Damage;
use crate::error::TrainError;
use crate::picture::Picture;
use crate::source::CleanPicture;
use rand::{SeedableRng, rngs::SmallRng};

/// Side of a tile, the side at which the network sees a square picture.
const TILE: usize = 224;

/// Tiles of each picture, clean and under every damage. Row `i` of `n` carries severity `(i + 1) / n`.
///
/// # Errors
/// [`TrainError::Jpeg`] from a damage.
pub fn contact_sheet(pictures: &[&CleanPicture]) -> Result<Picture, TrainError> {
    let damages: Vec<Damage> = Damage::CLARITY
        .into_iter()
        .chain(Damage::AESTHETIC)
        .chain(Damage::UNSEEN)
        .collect();
    let mut sheet = Picture::filled((damages.len() + 1) * TILE, pictures.len() * TILE, [1.0; 3]);
    for (row, clean) in pictures.iter().enumerate() {
        let tile = square(&clean.picture);
        let severity = (row + 1) as f32 / pictures.len() as f32;
        let mut rng = SmallRng::seed_from_u64(row as u64);
        paste(&mut sheet, &tile, 0, row);
        for (column, damage) in damages.iter().enumerate() {
            paste(
                &mut sheet,
                &damage.apply(&tile, severity, &mut rng)?,
                column + 1,
                row,
            );
        }
    }
    Ok(sheet)
}

fn square(picture: &Picture) -> Picture {
    let side = picture.width.min(picture.height);
    let (left, top) = ((picture.width - side) / 2, (picture.height - side) / 2);
    picture.cropped(left, top, side, side).resized(TILE, TILE)
}

fn paste(sheet: &mut Picture, tile: &Picture, column: usize, row: usize) {
    for y in 0..tile.height {
        let start = (row * TILE + y) * sheet.width + column * TILE;
        sheet.pixels[start..start + tile.width]
            .copy_from_slice(&tile.pixels[y * tile.width..(y + 1) * tile.width]);
    }
}
