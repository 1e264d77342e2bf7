//! Norms, rotation, SwiGLU, gathers.

use crate::Case;
use crate::made_up::{flat, noisy};
use servimage_kernels::{
    Heads, Storage, add_rows, columns, gather, layer_norm, norm_rotate, rms_norm, swiglu,
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = norms();
    cases.extend(rotations());
    cases.extend([
        Case::new("gather 3 of 4 x 70, two taps", |device| {
            let (rows, weights) = ([0, 3, 2, 1, 1, 0], [0.5, 1.0, 0.0, 0.25, -1.0, 2.0]);
            flat(gather(&noisy([4, 70], 1, device), &rows, &weights, 2))
        }),
        Case::new("add rows 2 of 5 x 33", |device| {
            let add = noisy([2, 33], 2, device);
            flat(add_rows(noisy([5, 33], 1, device), &[4, 1], &add))
        }),
        Case::new("add rows none of 2 x 33", |device| {
            let add = noisy([0, 33], 2, device);
            flat(add_rows(noisy([2, 33], 1, device), &[], &add))
        }),
        Case::new("columns 7 to 30 of 5 x 33", |device| {
            flat(columns(&noisy([5, 33], 1, device), 7..30))
        }),
        Case::new("swiglu 9 x 132", |device| {
            flat(swiglu(noisy([9, 132], 1, device)))
        }),
    ]);
    cases
}

fn norms() -> Vec<Case> {
    let sizes = [(1, 4), (3, 66), (70, 96), (5, 1024)];
    let both = |(n_rows, d): (usize, usize)| {
        let rms = Case::new(format!("rms norm {n_rows} x {d}"), move |device| {
            let x = noisy([n_rows, d], 1, device);
            flat(rms_norm(x, &noisy([d], 2, device), 1e-6, Storage::F32))
        });
        let layer = Case::new(format!("layer norm {n_rows} x {d}"), move |device| {
            let (gamma, beta) = (noisy([d], 2, device), noisy([d], 3, device));
            flat(layer_norm(
                noisy([n_rows, d], 1, device),
                &gamma,
                &beta,
                1e-6,
                Storage::F32,
            ))
        });
        [rms, layer]
    };
    sizes.into_iter().flat_map(both).collect()
}

fn rotations() -> Vec<Case> {
    let sizes = [
        (3, 4, 24, Heads { first: 0, count: 2 }),
        (17, 5, 8, Heads { first: 2, count: 2 }),
        (2, 3, 128, Heads { first: 1, count: 2 }),
    ];
    let both = |(n_rows, n_heads, head_dim, heads): (usize, usize, usize, Heads)| {
        [false, true].map(|normed| {
            let name = format!("rotation of heads of {head_dim}, norm {normed}");
            Case::new(name, move |device| {
                let gamma = noisy([head_dim], 4, device);
                let table = |seed| noisy([n_rows, head_dim], seed, device);
                let x = noisy([n_rows, n_heads * head_dim], 7, device);
                let norm = normed.then_some((&gamma, 1e-6));
                flat(norm_rotate(x, heads, norm, &table(5), &table(6)))
            })
        })
    };
    sizes.into_iter().flat_map(both).collect()
}
