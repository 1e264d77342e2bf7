//! What can be read off the pixels of a picture, and the paints behind the names of colours.

use crate::canvas::Colour;
use crate::picture::Picture;

/// Orientation of a picture as a value of [`crate::point::Kind::Format`].
#[must_use]
pub(crate) fn format_of(width: usize, height: usize) -> u8 {
    match width.cmp(&height) {
        std::cmp::Ordering::Greater => 0,
        std::cmp::Ordering::Less => 1,
        std::cmp::Ordering::Equal => 2,
    }
}

/// The paint of a named colour.
#[must_use]
pub(crate) fn paint(value: u8) -> Colour {
    [
        [0.96, 0.96, 0.96],
        [0.06, 0.06, 0.07],
        [0.5, 0.5, 0.5],
        [0.82, 0.12, 0.14],
        [0.95, 0.55, 0.1],
        [0.96, 0.88, 0.2],
        [0.16, 0.58, 0.24],
        [0.16, 0.34, 0.8],
        [0.52, 0.22, 0.64],
    ][usize::from(value) % 9]
}

/// The named colour of most of the ring around the edge; `None` where there is no such.
pub(crate) fn edge_colour(picture: &Picture) -> Option<u8> {
    let ring = (picture.width.min(picture.height) / 14).max(1);
    let inside = |i: usize, n: usize| i >= ring && i + ring < n;
    let mut counts = [0_usize; 9];
    let mut n = 0;
    for (i, pixel) in picture.pixels.iter().enumerate() {
        if inside(i % picture.width, picture.width) && inside(i / picture.width, picture.height) {
            continue;
        }
        n += 1;
        if let Some(colour) = colour_name(*pixel) {
            counts[usize::from(colour)] += 1;
        }
    }
    let (colour, most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (*most * 4 >= n * 3).then_some(colour as u8)
}

/// Name of a colour; `None` between two.
fn colour_name([r, g, b]: Colour) -> Option<u8> {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = most - least;
    if most < 0.18 {
        return Some(1);
    }
    if chroma < 0.1 {
        return match most {
            v if v > 0.85 => Some(0),
            v if (0.25..0.75).contains(&v) => Some(2),
            _ => None,
        };
    }
    if chroma < 0.3 * most {
        return None;
    }
    let hue = match most {
        m if m == r => ((g - b) / chroma).rem_euclid(6.0),
        m if m == g => (b - r) / chroma + 2.0,
        _ => (r - g) / chroma + 4.0,
    } * 60.0;
    match hue {
        h if !(14.0..345.0).contains(&h) => Some(3),
        h if (20.0..42.0).contains(&h) => Some(4),
        h if (47.0..66.0).contains(&h) => Some(5),
        h if (80.0..165.0).contains(&h) => Some(6),
        h if (195.0..250.0).contains(&h) => Some(7),
        h if (265.0..310.0).contains(&h) => Some(8),
        _ => None,
    }
}
