//! The linear layer in every layout, at sizes around its tile.

use crate::Case;
use crate::made_up::{as_stored, flat, noise, scaled_noise, storage_on, stored, tensor};
use burn::tensor::{Device, Tensor};
use servimage_kernels::{Activation, PackedWeight, Storage, linear_stored};
use servimage_pack::{Layout, TensorBytes, layout};

pub(crate) const LAYOUTS: [Layout; 4] = [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4];

/// Rows of x, d_in, d_out.
const SIZES: [(usize, usize, usize); 8] = [
    (0, 40, 7),
    (1, 32, 1),
    (2, 64, 3),
    (3, 4, 66),
    (65, 96, 65),
    (63, 129, 130),
    (200, 33, 7),
    (130, 288, 96),
];

const ACTIVATIONS: [Activation; 4] = [
    Activation::None,
    Activation::GeluTanh,
    Activation::Gelu,
    Activation::Relu,
];

/// A linear layer with what follows its product.
#[derive(Clone)]
pub(crate) struct Layer {
    /// Weights below each other.
    pub parts: Vec<TensorBytes>,
    /// Seeds of bias and addend.
    pub bias: Option<u32>,
    pub addend: Option<u32>,
    pub activation: Activation,
    /// How x and the result are stored on a GPU.
    pub stored: [Storage; 2],
}

impl Layer {
    pub fn new(parts: Vec<TensorBytes>) -> Self {
        Self {
            parts,
            bias: None,
            addend: None,
            activation: Activation::None,
            stored: [Storage::F32; 2],
        }
    }

    fn d_in(&self) -> usize {
        self.parts[0].shape[1]
    }

    fn d_out(&self) -> usize {
        self.parts.iter().map(|part| part.shape[0]).sum()
    }

    /// Runs it on rows of `x`.
    pub fn run(&self, x: &[f32], device: &Device) -> Tensor<1> {
        let [from, to] = self.stored;
        let (n_rows, d_out) = (x.len() / self.d_in(), self.d_out());
        let x = stored(x, [n_rows, self.d_in()], device, from);
        let bias = |seed| tensor(&noise(d_out, seed), [d_out], device);
        let bias = self.bias.map(bias);
        let addend = |seed| tensor(&noise(n_rows * d_out, seed), [n_rows, d_out], device);
        let addend = self.addend.map(addend);
        as_stored(flat(self.multiply(x, bias, addend)), to)
    }

    /// On rows that lie on a device.
    pub fn multiply(
        &self,
        x: Tensor<2>,
        bias: Option<Tensor<1>>,
        addend: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let device = x.device();
        #[cfg(not(target_family = "wasm"))]
        if device.is_autodiff() {
            let floats: Vec<f32> = self.parts.iter().flat_map(floats).collect();
            let weight = tensor(&floats, [self.d_out(), self.d_in()], &device);
            return servimage_kernels::linear_float(x, weight, bias, addend, self.activation);
        }
        let weight =
            PackedWeight::upload(&self.parts, &device).expect("weights of one layout and width");
        let stored = self.stored.map(|storage| storage_on(&device, storage));
        linear_stored(
            x,
            &weight,
            bias.as_ref(),
            addend.as_ref(),
            self.activation,
            stored,
        )
    }
}

/// The dequantized values.
#[cfg(not(target_family = "wasm"))]
fn floats(part: &TensorBytes) -> Vec<f32> {
    part.to_f32().expect("a layout of floats")
}

/// A made-up weight in a layout.
pub(crate) fn weight(name: &str, layout: Layout, shape: [usize; 2], seed: u32) -> TensorBytes {
    let values = noise(shape[0] * shape[1], seed);
    TensorBytes {
        name: name.to_owned(),
        shape: shape.to_vec(),
        layout,
        bytes: layout::encode(name, layout, &values, &shape).expect("finite values"),
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for layout in LAYOUTS {
        for (n_rows, d_in, d_out) in SIZES {
            let layer = Layer::new(vec![weight("w", layout, [d_out, d_in], 7)]);
            cases.push(Case::new(
                format!("linear {layout} {n_rows} x {d_in} x {d_out}"),
                move |device| layer.run(&noise(n_rows * d_in, 3), device),
            ));
        }
        cases.push(joined(layout));
    }
    for activation in ACTIVATIONS {
        for (has_bias, has_addend) in [(true, false), (false, true), (true, true)] {
            cases.push(followed(activation, has_bias, has_addend));
        }
    }
    cases
}

/// Weights below each other give their results side by side.
fn joined(layout: Layout) -> Case {
    // 5 and 3 rows of 2 blocks: the scales of the second part begin inside a word.
    let layer = Layer::new(vec![
        weight("a", layout, [5, 40], 1),
        weight("b", layout, [3, 40], 2),
        weight("c", layout, [1, 40], 3),
    ]);
    Case::new(
        format!("linear {layout} of three joined weights"),
        move |device| layer.run(&noise(4 * 40, 4), device),
    )
}

/// Bias, then addend, then activation.
fn followed(activation: Activation, has_bias: bool, has_addend: bool) -> Case {
    let (n_rows, d_in, d_out) = (37, 40, 70);
    let layer = Layer {
        bias: has_bias.then_some(9),
        addend: has_addend.then_some(11),
        activation,
        ..Layer::new(vec![weight("w", Layout::Q4, [d_out, d_in], 1)])
    };
    let name = format!("linear then {activation:?}, bias {has_bias}, addend {has_addend}");
    Case::new(name, move |device| {
        layer.run(&scaled_noise(n_rows * d_in, 5, 3.0), device)
    })
}
