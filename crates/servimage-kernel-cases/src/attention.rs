//! Attention inside segments, behind a prefix, causal and not.

use crate::Case;
use crate::made_up::{flat, noise, scaled_noise, stored};
use servimage_kernels::{AttentionShape, MAX_HEAD_DIM, Segment, Segments, Storage, attention};

/// Lengths of the segments, rows of the prefix, heads of queries and of keys, width of a head, causal.
type Size = (&'static [usize], usize, (usize, usize, usize), bool);

const SIZES: [Size; 8] = [
    (&[1], 0, (2, 2, 24), false),
    (&[16], 0, (4, 2, 32), true),
    (&[17, 17], 0, (4, 4, 24), false),
    (&[5, 33, 1], 0, (4, 2, 8), true),
    (&[40], 19, (4, 2, 32), true),
    (&[7, 20], 33, (2, 1, 128), true),
    (&[50], 3, (3, 1, 12), false),
    (&[18], 5, (2, 1, MAX_HEAD_DIM), true),
];

/// Keeps the exponents of large scores in sight: their differences overflow `exp` unless the largest is taken off first.
const LARGE: f32 = 60.0;

pub(crate) fn cases() -> Vec<Case> {
    let ordinary = SIZES.map(|size| case(size, 1.0, Storage::F32));
    let large = case((&[40], 0, (2, 1, 8), true), LARGE, Storage::F32);
    ordinary.into_iter().chain([large]).collect()
}

/// The same where queries, keys, values and result are f16.
pub(crate) fn half_cases() -> Vec<Case> {
    SIZES.map(|size| case(size, 1.0, Storage::F16)).into()
}

fn case(size: Size, factor: f32, storage: Storage) -> Case {
    let (lengths, n_prefix, (n_heads, n_kv_heads, head_dim), causal) = size;
    let shape = AttentionShape {
        n_heads,
        n_kv_heads,
        head_dim,
        causal,
    };
    let segments = segments(lengths);
    let n_rows: usize = lengths.iter().sum();
    let look = if causal { "causal" } else { "whole" };
    let name = format!(
        "attention {look}, {n_heads} heads of {head_dim} over {n_kv_heads}, rows {lengths:?} after {n_prefix}, values to {factor}"
    );
    Case::new(name, move |device| {
        let qkv = scaled_noise(n_rows * shape.row_len(), 1, factor);
        let qkv = stored(&qkv, [n_rows, shape.row_len()], device, storage);
        let width = 2 * n_kv_heads * head_dim;
        let prefix = || {
            stored(
                &noise(n_prefix * width, 2),
                [n_prefix, width],
                device,
                storage,
            )
        };
        let prefix = (n_prefix > 0).then(prefix);
        let segments = Segments::new(segments.clone(), device);
        flat(attention(qkv, prefix.as_ref(), &segments, shape))
    })
}

/// Segments of these lengths, one after the other.
fn segments(lengths: &[usize]) -> Vec<Segment> {
    let mut start = 0;
    let mut next = |&len: &usize| {
        start += len;
        Segment {
            start: start - len,
            len,
        }
    };
    lengths.iter().map(&mut next).collect()
}
