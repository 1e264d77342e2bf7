//! Many pictures on one canvas: how the other deliverables and the references of a task reach the model.
//!
//! Tiles lie row by row on a black 224 x 224 canvas, `ceil(sqrt(n))` columns and `ceil(n / columns)` rows, each
//! stretched to its cell.

use crate::pixels::Rgb8Image;
use crate::resize::resize;

/// Side of the canvas, in pixels.
pub const CANVAS_SIDE: u32 = 224;

/// Tiles the images on one canvas; `None` without images.
///
/// More images than the canvas has pixels cannot each have a cell: those beyond 224 x 224 are left out.
pub fn composite(images: &[Rgb8Image]) -> Option<Rgb8Image> {
    let (columns, rows) = cells(images.len())?;
    let (cell_width, cell_height) = (CANVAS_SIDE / columns, CANVAS_SIDE / rows);
    let mut canvas = Rgb8Image::filled(CANVAS_SIDE, CANVAS_SIDE, [0; 3]);
    for (image, cell) in images.iter().zip(0..columns * rows) {
        let tile = resize(image, cell_width, cell_height);
        paste(
            &mut canvas,
            &tile,
            cell % columns * cell_width,
            cell / columns * cell_height,
        );
    }
    Some(canvas)
}

/// Splits the images, already sorted, into two halves and tiles each: no canvas for no image, one for one image, else two.
///
/// Of an odd number the first half takes the larger part.
pub fn composite_halves(images: &[Rgb8Image]) -> Vec<Rgb8Image> {
    let (first, second) = images.split_at(images.len().div_ceil(2));
    [first, second].into_iter().filter_map(composite).collect()
}

/// Columns and rows for `n_images`, each at most the canvas side.
fn cells(n_images: usize) -> Option<(u32, u32)> {
    let n_images = u32::try_from(n_images)
        .unwrap_or(u32::MAX)
        .min(CANVAS_SIDE * CANVAS_SIDE);
    let columns = f64::from(n_images).sqrt().ceil() as u32;
    (columns > 0).then(|| (columns, n_images.div_ceil(columns)))
}

fn paste(canvas: &mut Rgb8Image, tile: &Rgb8Image, left: u32, top: u32) {
    let stride = canvas.width as usize * 3;
    let tile_stride = tile.width as usize * 3;
    for (y, row) in tile.pixels.chunks_exact(tile_stride).enumerate() {
        let start = (top as usize + y) * stride + left as usize * 3;
        canvas.pixels[start..start + tile_stride].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(level: u8) -> Rgb8Image {
        Rgb8Image::filled(30, 50, [level; 3])
    }

    #[test]
    fn five_images_take_three_columns_and_two_rows_on_black() {
        let images: Vec<_> = [10, 20, 30, 40, 50].map(grey).into();
        let canvas = composite(&images).expect("five images make a canvas");
        assert_eq!((canvas.width, canvas.height), (224, 224));
        let level = |x, y| canvas.at(x, y)[0];
        assert_eq!(
            [
                level(0, 0),
                level(74, 0),
                level(148, 111),
                level(0, 112),
                level(147, 223)
            ],
            [10, 20, 30, 40, 50]
        );
        assert_eq!(level(148, 112), 0, "the sixth cell stays black");
        assert_eq!(
            level(222, 0),
            0,
            "what does not divide by three stays black"
        );
    }

    #[test]
    fn halves_are_none_one_or_two_and_keep_the_order() {
        assert!(composite_halves(&[]).is_empty());
        assert_eq!(
            composite_halves(&[grey(9)]),
            vec![Rgb8Image::filled(224, 224, [9; 3])]
        );
        let halves = composite_halves(&[grey(1), grey(2), grey(3)]);
        assert_eq!(halves.len(), 2);
        assert_eq!((halves[0].at(0, 0)[0], halves[0].at(112, 0)[0]), (1, 2));
        assert_eq!(halves[1], Rgb8Image::filled(224, 224, [3; 3]));
    }
}
