//! Three-axis rotary positions (time, height, width), equal to `get_rope_index` of the reference for still images.
//!
//! A text token stands at `(p, p, p)`, the next at `p + 1`. The tokens of an image that starts at `p` stand at
//! `(p + t, p + row, p + column)` of its grid after the merge; what follows starts at `p + max(rows, columns)`.

use crate::error::PromptError;
use servimage_pack::manifest::SpecialTokens;
use std::ops::Range;

/// Where the tokens of each image lie, from its grid of patches (time, height, width).
///
/// # Errors
/// [`PromptError`] where the image tokens are not those that the grids ask for.
pub fn image_spans(
    ids: &[u32],
    grids: &[[u32; 3]],
    special: &SpecialTokens,
    merge: u32,
) -> Result<Vec<Range<usize>>, PromptError> {
    let mut spans = Vec::with_capacity(grids.len());
    let mut at = 0;
    for (index, grid) in grids.iter().enumerate() {
        let expected = n_tokens(index, *grid, merge)?;
        let Some(start) = (at..ids.len()).find(|i| ids[*i] == special.image) else {
            return Err(PromptError::ImageCount {
                expected: grids.len(),
                found: index,
            });
        };
        let found = ids[start..]
            .iter()
            .take(expected)
            .take_while(|id| **id == special.image)
            .count();
        if found < expected {
            return Err(PromptError::ImageTokenCount {
                index,
                expected,
                found,
            });
        }
        at = start + expected;
        spans.push(start..at);
    }
    check_rest(ids, at, grids, special)?;
    Ok(spans)
}

/// Image tokens that no grid explains, and video tokens.
fn check_rest(
    ids: &[u32],
    at: usize,
    grids: &[[u32; 3]],
    special: &SpecialTokens,
) -> Result<(), PromptError> {
    if let Some(video) = ids.iter().position(|id| *id == special.video) {
        return Err(PromptError::VideoToken { at: video });
    }
    let is_image = |i: usize| ids[i] == special.image;
    if at > 0 && at < ids.len() && is_image(at) {
        let index = grids.len() - 1;
        let more = (at..ids.len()).take_while(|i| is_image(*i)).count();
        let before = (0..at).rev().take_while(|i| is_image(*i)).count();
        return Err(PromptError::ImageTokenCount {
            index,
            expected: before,
            found: before + more,
        });
    }
    let further = (at..ids.len())
        .filter(|i| is_image(*i) && (*i == 0 || !is_image(*i - 1)))
        .count();
    if further > 0 {
        return Err(PromptError::ImageCount {
            expected: grids.len(),
            found: grids.len() + further,
        });
    }
    Ok(())
}

/// Visual tokens of a grid after the merge.
pub(crate) fn n_tokens(index: usize, grid: [u32; 3], merge: u32) -> Result<usize, PromptError> {
    let [t, h, w] = grid;
    let whole = |side: u32| side > 0 && merge > 0 && side.is_multiple_of(merge);
    if t == 0 || !whole(h) || !whole(w) {
        return Err(PromptError::Grid { index, grid, merge });
    }
    Ok(t as usize * (h / merge) as usize * (w / merge) as usize)
}

/// Time, height and width position of every token; `grids` are in patches, in the order of the images.
///
/// # Errors
/// [`PromptError`] where the image tokens are not those that the grids ask for.
pub fn mrope_positions(
    ids: &[u32],
    grids: &[[u32; 3]],
    special: &SpecialTokens,
    merge: u32,
) -> Result<Vec<[u32; 3]>, PromptError> {
    let spans = image_spans(ids, grids, special, merge)?;
    let mut positions = Vec::with_capacity(ids.len());
    let mut next = 0;
    for (span, [t, h, w]) in spans.iter().zip(grids) {
        push_text(&mut positions, span.start, &mut next);
        let (rows, columns) = (h / merge, w / merge);
        for time in 0..*t {
            for row in 0..rows {
                positions
                    .extend((0..columns).map(|column| [next + time, next + row, next + column]));
            }
        }
        next += rows.max(columns);
    }
    push_text(&mut positions, ids.len(), &mut next);
    Ok(positions)
}

/// Text positions up to token `end`.
fn push_text(positions: &mut Vec<[u32; 3]>, end: usize, next: &mut u32) {
    while positions.len() < end {
        positions.push([*next; 3]);
        *next += 1;
    }
}
