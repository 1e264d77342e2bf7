//! The pooling weights of a verdict as a map over its picture: where the payment head took its numbers from. Not why it judged so.

use crate::text::Key;
use servimage_bench::verdict::Attention;

/// A map over a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Cells along the width.
    pub columns: usize,
    /// Cells along the height.
    pub rows: usize,
    /// Row by row from the top left: each cell's weight over the largest, 0..=1.
    pub cells: Vec<f64>,
    /// The largest weight of a cell, of the picture's 1.
    pub most: f64,
    /// What each cell would have, were all alike.
    pub even: f64,
    /// Share of all pooling weight that lies on the picture, 0..=1.
    pub share: f64,
    /// Where the heaviest cell lies: top, middle or bottom; left, centre or right.
    pub place: [Key; 2],
}

/// Below so many times the even weight the heaviest cell stands out from nothing.
const STANDS_OUT: f64 = 1.5;

impl HeatMap {
    /// Whether no part of the picture weighed much more than another.
    pub fn is_even(&self) -> bool {
        self.most < STANDS_OUT * self.even
    }

    /// The map of a verdict's weights; `None` where they are no grid.
    pub fn of(attention: &Attention) -> Option<Self> {
        let (columns, n_cells) = (attention.columns as usize, attention.weights.len());
        let most = attention.weights.iter().copied().fold(0.0, f64::max);
        if columns == 0 || !n_cells.is_multiple_of(columns) || most <= 0.0 {
            return None;
        }
        let rows = n_cells / columns;
        let at = attention
            .weights
            .iter()
            .position(|weight| *weight == most)?;
        let third = |idx: usize, n: usize| (idx * 2 + 1) * 3 / (n * 2);
        Some(Self {
            columns,
            rows,
            cells: attention
                .weights
                .iter()
                .map(|w| (w / most).max(0.0))
                .collect(),
            most,
            even: 1.0 / n_cells as f64,
            share: attention.share,
            place: [
                [Key::PlaceTop, Key::PlaceMiddle, Key::PlaceBottom][third(at / columns, rows)],
                [Key::PlaceLeft, Key::PlaceCentre, Key::PlaceRight][third(at % columns, columns)],
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attention(columns: u32, weights: &[f64]) -> Attention {
        Attention {
            columns,
            share: 0.5,
            weights: weights.to_vec(),
        }
    }

    #[test]
    fn the_heaviest_cell_is_named_by_its_place() {
        let places = |columns, n_cells: usize| -> Vec<[Key; 2]> {
            let heaviest = |at| {
                let mut weights = vec![0.01; n_cells];
                weights[at] = 0.5;
                HeatMap::of(&attention(columns, &weights))
                    .expect("a grid")
                    .place
            };
            (0..n_cells).map(heaviest).collect()
        };
        let of_nine = places(3, 9);
        assert_eq!(of_nine[0], [Key::PlaceTop, Key::PlaceLeft]);
        assert_eq!(of_nine[4], [Key::PlaceMiddle, Key::PlaceCentre]);
        assert_eq!(of_nine[8], [Key::PlaceBottom, Key::PlaceRight]);
        assert_eq!(places(1, 1)[0], [Key::PlaceMiddle, Key::PlaceCentre]);
        assert_eq!(places(8, 48)[7], [Key::PlaceTop, Key::PlaceRight]);
    }

    #[test]
    fn cells_are_relative_to_the_heaviest_one() {
        let map = HeatMap::of(&attention(2, &[0.1, 0.2, 0.4, 0.3])).expect("a grid");
        assert_eq!(
            (map.rows, map.columns, map.most, map.even),
            (2, 2, 0.4, 0.25)
        );
        assert_eq!(map.cells, [0.25, 0.5, 1.0, 0.3 / 0.4]);
    }

    #[test]
    fn weights_that_differ_little_are_called_even() {
        let is_even = |weights: &[f64]| {
            HeatMap::of(&attention(2, weights))
                .expect("a grid")
                .is_even()
        };
        assert!(is_even(&[0.26, 0.24, 0.25, 0.25]));
        assert!(!is_even(&[0.4, 0.2, 0.2, 0.2]));
    }

    #[test]
    fn what_is_no_grid_has_no_map() {
        for bad in [
            attention(0, &[1.0]),
            attention(2, &[0.5; 3]),
            attention(2, &[]),
            attention(1, &[0.0]),
        ] {
            assert_eq!(HeatMap::of(&bad), None);
        }
    }
}
