//! Where a picture was damaged, for training alone: a severity says little about a whirl in a corner, its place a lot.

use crate::damage::Damage;
use crate::picture::Picture;

/// Kinds of marks: the damages of realism and spoiled letters.
pub const N_MARKS: usize = Damage::REALISM.len() + 1;

/// Least change of a colour that is seen.
const SEEN: f32 = 0.03;

/// One damage and where it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// 0..[`N_MARKS`].
    kind: usize,
    width: usize,
    /// Whether each pixel changed.
    changed: Vec<bool>,
}

impl Mark {
    /// Of a damage of realism; none of another family.
    pub(crate) fn of(damage: Damage, before: &Picture, after: &Picture) -> Option<Self> {
        let kind = Damage::REALISM.iter().position(|one| *one == damage)?;
        Some(Self::between(kind, before, after))
    }

    /// Of spoiled letters.
    pub(crate) fn of_letters(whole: &Picture, spoiled: &Picture) -> Self {
        Self::between(N_MARKS - 1, whole, spoiled)
    }

    fn between(kind: usize, before: &Picture, after: &Picture) -> Self {
        let pixels = before.pixels.iter().zip(&after.pixels);
        Self {
            kind,
            width: before.width,
            changed: pixels
                .map(|(a, b)| (0..3).any(|c| (a[c] - b[c]).abs() > SEEN))
                .collect(),
        }
    }

    /// Adds the share of changed pixels in each of `rows` x `columns` cells to `shares`, `[rows * columns, N_MARKS]`.
    fn add_to(&self, shares: &mut [f32], rows: usize, columns: usize) {
        let height = self.changed.len() / self.width;
        let each = (rows * columns) as f32 / self.changed.len() as f32;
        for i in (0..self.changed.len()).filter(|i| self.changed[*i]) {
            let (x, y) = (i % self.width, i / self.width);
            let cell = y * rows / height * columns + x * columns / self.width;
            let share = &mut shares[cell * N_MARKS + self.kind];
            *share = (*share + each).min(1.0);
        }
    }
}

/// `[rows * columns, N_MARKS]` how much of each cell of a picture each kind changed, 0..=1.
#[must_use]
pub fn shares(marks: &[Mark], rows: usize, columns: usize) -> Vec<f32> {
    let mut shares = vec![0.0; rows * columns * N_MARKS];
    for mark in marks {
        mark.add_to(&mut shares, rows, columns);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::Colour;

    #[test]
    fn a_mark_lies_in_the_cells_in_which_the_picture_changed() {
        let plain = Picture {
            width: 8,
            height: 4,
            pixels: vec![Colour::default(); 32],
        };
        let mut spoiled = plain.clone();
        // The right half of the upper right of two times two cells.
        for i in [6, 7, 14, 15] {
            spoiled.pixels[i] = [0.5; 3];
        }
        assert!(Mark::of(Damage::Blur, &plain, &spoiled).is_none());
        let mark = Mark::of(Damage::Ghost, &plain, &spoiled).expect("it is of realism");
        let mut expected = vec![0.0; 4 * N_MARKS];
        expected[N_MARKS + 3] = 0.5;
        assert_eq!(shares(std::slice::from_ref(&mark), 2, 2), expected);
        expected[N_MARKS + N_MARKS - 1] = 0.5;
        let letters = Mark::of_letters(&plain, &spoiled);
        assert_eq!(shares(&[mark, letters], 2, 2), expected);
    }
}
