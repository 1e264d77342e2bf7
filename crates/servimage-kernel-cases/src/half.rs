//! The kernels with f16 activations: what they read is rounded to f16 on both devices, so that only their own rounding shows.

use crate::linear::{LAYOUTS, Layer, weight};
use crate::made_up::{as_stored, flat, noise, noisy, scaled_noise, storage_on, stored, tensor};
use crate::{Case, attention};
use burn::tensor::Device;
use servimage_kernels::{
    Activation, Heads, Storage, columns, layer_norm, norm_rotate, rms_norm, swiglu,
};
use servimage_pack::Layout;

/// Rows of x, d_in, d_out.
const SIZES: [(usize, usize, usize); 4] = [(3, 4, 66), (65, 96, 65), (63, 129, 130), (200, 33, 7)];

/// What a linear layer reads and writes in a network: between two layers, into the residual stream, from pixels, out of and into
/// the hidden rows of a feed-forward block.
const STORED: [[Storage; 2]; 5] = [
    [Storage::F16, Storage::F16],
    [Storage::F16, Storage::F32],
    [Storage::F32, Storage::F16],
    [Storage::F16, Storage::F16Sixteenths],
    [Storage::F16Sixteenths, Storage::F32],
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = linears();
    cases.extend(norms());
    cases.extend(attention::half_cases());
    cases.extend(rows());
    cases.extend(outliers());
    for case in &mut cases {
        case.has_f16 = true;
        case.name.insert_str(0, "f16: ");
    }
    cases
}

fn linears() -> Vec<Case> {
    let mut cases = Vec::new();
    for layout in LAYOUTS {
        for (n_rows, d_in, d_out) in SIZES {
            let layer = Layer {
                stored: STORED[0],
                ..Layer::new(vec![weight("w", layout, [d_out, d_in], 7)])
            };
            let name = format!("linear {layout} {n_rows} x {d_in} x {d_out}");
            cases.push(Case::new(name, move |device| {
                layer.run(&noise(n_rows * d_in, 3), device)
            }));
        }
    }
    let (n_rows, d_in, d_out) = (37, 40, 70);
    for stored in STORED {
        let layer = Layer {
            bias: Some(9),
            addend: Some(11),
            activation: Activation::GeluTanh,
            stored,
            ..Layer::new(vec![weight("w", Layout::Q4, [d_out, d_in], 1)])
        };
        let name = format!("linear from {:?} to {:?}", stored[0], stored[1]);
        cases.push(Case::new(name, move |device| {
            layer.run(&scaled_noise(n_rows * d_in, 5, 3.0), device)
        }));
    }
    cases
}

fn norms() -> [Case; 2] {
    let (n_rows, d) = (7, 67);
    [
        Case::new("rms norm 7 x 67", move |device| {
            let out = storage_on(device, Storage::F16);
            let x = noisy([n_rows, d], 1, device);
            flat(rms_norm(x, &noisy([d], 2, device), 1e-6, out))
        }),
        Case::new("layer norm 7 x 67", move |device| {
            let out = storage_on(device, Storage::F16);
            let (gamma, beta) = (noisy([d], 2, device), noisy([d], 3, device));
            flat(layer_norm(
                noisy([n_rows, d], 1, device),
                &gamma,
                &beta,
                1e-6,
                out,
            ))
        }),
    ]
}

fn rows() -> [Case; 3] {
    [
        Case::new("rotation of heads of 24, norm true", |device| {
            let gamma = noisy([24], 4, device);
            let table = |seed| noisy([3, 24], seed, device);
            let x = stored(&noise(3 * 4 * 24, 7), [3, 4 * 24], device, Storage::F16);
            let heads = Heads { first: 1, count: 2 };
            flat(norm_rotate(
                x,
                heads,
                Some((&gamma, 1e-6)),
                &table(5),
                &table(6),
            ))
        }),
        Case::new("columns 7 to 30 of 5 x 33", |device| {
            let x = stored(&noise(5 * 33, 1), [5, 33], device, Storage::F16);
            flat(columns(&x, 7..30))
        }),
        Case::new("swiglu 9 x 132", |device| {
            let x = stored(&noise(9 * 132, 1), [9, 132], device, Storage::F16);
            as_stored(flat(swiglu(x)), Storage::F16Sixteenths)
        }),
    ]
}

/// Values that f16 does not hold.
fn outliers() -> [Case; 4] {
    // silu(300) * 400 = 120,000 in one row, ordinary values around it.
    let hidden = |device: &Device| {
        let mut gate_up = noise(3 * 8, 2);
        (gate_up[8], gate_up[12]) = (300.0, 400.0);
        swiglu(stored(&gate_up, [3, 8], device, Storage::F16))
    };
    let down = Layer {
        stored: [Storage::F16Sixteenths, Storage::F32],
        ..Layer::new(vec![weight("w", Layout::F32, [5, 4], 1)])
    };
    let normed = |name: &str, factor: f32| {
        Case::new(name, move |device| {
            let gamma = tensor(&[factor, -factor, 1.0, 2.0], [4], device);
            let x = tensor(&[1.0, 1.0, 1.0, -1.0], [1, 4], device);
            let out = storage_on(device, Storage::F16);
            as_stored(flat(rms_norm(x, &gamma, 0.0, out)), Storage::F16)
        })
    };
    [
        Case::new("a hidden value of 120,000", move |device| {
            as_stored(flat(hidden(device)), Storage::F16Sixteenths)
        }),
        Case::new(
            "a hidden value of 120,000 in the next layer",
            move |device| flat(down.multiply(hidden(device), None, None)),
        ),
        normed("a value below the largest that f16 holds", 60_000.0),
        normed("a value above the largest that f16 holds", 1e9),
    ]
}
