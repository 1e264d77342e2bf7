//! The linear layer against the decoded weight in f64.

use super::super::{Activation, Epilogue, WeightView, activate, linear};
use super::{assert_close, values};
use servimage_pack::Layout;
use servimage_pack::layout::{decode_rows, encode};

/// A layer and its input.
struct Case {
    n_rows: usize,
    d_in: usize,
    d_out: usize,
    layout: Layout,
}

impl Case {
    fn weight_bytes(&self) -> Vec<u8> {
        let weight = values(self.d_out * self.d_in, 3);
        encode("w", self.layout, &weight, &[self.d_out, self.d_in]).expect("finite values")
    }

    fn input(&self) -> Vec<f32> {
        values(self.n_rows * self.d_in, 5)
    }

    /// From the packed weight, and from the same kept in panels.
    fn found(&self, bytes: &[u8], epilogue: &Epilogue<'_>) -> [Vec<f32>; 2] {
        let mut weight = WeightView {
            layout: self.layout,
            bytes,
            d_out: self.d_out,
            d_in: self.d_in,
            panels: None,
        };
        let panels = weight.to_panels();
        [None, Some(&panels)].map(|panels| {
            weight.panels = panels;
            let mut out = vec![f32::NAN; self.n_rows * self.d_out];
            linear(&self.input(), self.n_rows, &weight, epilogue, &mut out);
            out
        })
    }

    fn check(&self, bytes: &[u8], epilogue: &Epilogue<'_>, expected: &[f64], what: &str) {
        let [packed, kept] = self.found(bytes, epilogue);
        assert_close(&packed, expected, what);
        assert_close(&kept, expected, &format!("{what}, kept in panels"));
    }

    /// `x W^T`
    fn product(&self, bytes: &[u8]) -> Vec<f64> {
        let shape = [self.d_out, self.d_in];
        let weight = decode_rows(self.layout, bytes, &shape, 0..self.d_out);
        let mut product = Vec::new();
        for x in self.input().chunks(self.d_in) {
            for w in weight.chunks(self.d_in) {
                let terms = x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w));
                product.push(terms.sum());
            }
        }
        product
    }
}

const PLAIN: Epilogue<'static> = Epilogue {
    bias: None,
    addend: None,
    activation: Activation::None,
};

#[test]
fn every_layout_and_odd_size_gives_the_product() {
    for layout in [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4] {
        for n_rows in [1, 2, 3, 4, 5, 6, 7, 13, 17, 65] {
            for [d_in, d_out] in [[1, 1], [31, 7], [32, 129], [50, 33], [96, 288], [1100, 17]] {
                let case = Case {
                    n_rows,
                    d_in,
                    d_out,
                    layout,
                };
                let bytes = case.weight_bytes();
                let what = format!("{layout} {n_rows} rows {d_in} to {d_out}");
                case.check(&bytes, &PLAIN, &case.product(&bytes), &what);
            }
        }
    }
}

#[test]
fn values_at_an_odd_address_are_read_as_they_are() {
    let case = Case {
        n_rows: 5,
        d_in: 9,
        d_out: 6,
        layout: Layout::F32,
    };
    let bytes = case.weight_bytes();
    let shifted: Vec<u8> = std::iter::once(0).chain(bytes.iter().copied()).collect();
    let expected = case.product(&bytes);
    case.check(&bytes, &PLAIN, &expected, "one of two addresses");
    case.check(&shifted[1..], &PLAIN, &expected, "the other address");
}

const ACTIVATIONS: [Activation; 4] = [
    Activation::None,
    Activation::GeluTanh,
    Activation::Gelu,
    Activation::Relu,
];

#[test]
fn an_activation_by_itself_is_the_one_behind_a_product() {
    for activation in ACTIVATIONS {
        let x: Vec<f32> = values(70_001, 1).iter().map(|v| v * 6.0).collect();
        let expected: Vec<f64> = x.iter().map(|v| exact(activation, f64::from(*v))).collect();
        let mut found = x;
        activate(activation, &mut found);
        assert_close(&found, &expected, &format!("{activation:?}"));
    }
}

#[test]
fn bias_and_addend_come_before_the_activation() {
    for n_rows in [1, 3, 21] {
        for activation in ACTIVATIONS {
            let case = Case {
                n_rows,
                d_in: 40,
                d_out: 150,
                layout: Layout::Q8,
            };
            let (bias, addend) = (values(150, 7), values(n_rows * 150, 9));
            let epilogue = Epilogue {
                bias: Some(&bias),
                addend: Some(&addend),
                activation,
            };
            let bytes = case.weight_bytes();
            let mut expected = case.product(&bytes);
            for (i, value) in expected.iter_mut().enumerate() {
                let sum = *value + f64::from(bias[i % 150]) + f64::from(addend[i]);
                *value = exact(activation, sum);
            }
            let what = format!("{n_rows} rows, {activation:?}");
            case.check(&bytes, &epilogue, &expected, &what);
        }
    }
}

fn exact(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        // Midpoint sums of the normal density.
        Activation::Gelu => {
            let step = x / 2000.0;
            let density = |i: i32| (-(step * (f64::from(i) + 0.5)).powi(2) / 2.0).exp();
            let area: f64 = (0..2000).map(density).sum::<f64>() * step;
            x * (0.5 + area / (2.0 * std::f64::consts::PI).sqrt())
        }
    }
}

#[test]
fn no_rows_give_no_values() {
    let case = Case {
        n_rows: 0,
        d_in: 40,
        d_out: 3,
        layout: Layout::Q4,
    };
    let found = case.found(&case.weight_bytes(), &PLAIN);
    assert!(found.iter().all(Vec::is_empty));
}
