//! Attention pooling whose result leaves the device in one readback, and merges with that of a prefix.

use crate::Segment;
use crate::backend::{cpu_tensor, gpu_tensor, on_cpu, on_gpu, values};
use crate::{cpu, gpu};
use burn::tensor::{Device, Tensor};
use burn_cubecl::tensor::CubeTensor;

/// Softmax pooling of some rows before its division: it merges with the pooling of other rows of the same sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// Largest score.
    pub max: f32,
    /// Sum of `exp(score - max)`.
    pub sum: f32,
    /// `[d]`: rows summed with weights `exp(score - max)`.
    pub weighted: Vec<f32>,
    /// `[rows]`: scores `q . h / sqrt(d)`.
    pub scores: Vec<f32>,
}

impl Pooled {
    /// Pooling of this one's rows and those of `next` behind them.
    #[must_use]
    pub fn merge(&self, next: &Self) -> Self {
        let max = self.max.max(next.max);
        let (a, b) = ((self.max - max).exp(), (next.max - max).exp());
        let weighted = self.weighted.iter().zip(&next.weighted);
        Self {
            max,
            sum: a * self.sum + b * next.sum,
            weighted: weighted.map(|(x, y)| a * x + b * y).collect(),
            scores: [self.scores.as_slice(), &next.scores].concat(),
        }
    }

    /// `[d]`: the weighted mean.
    pub fn vector(&self) -> Vec<f32> {
        self.weighted.iter().map(|value| value / self.sum).collect()
    }

    /// `[rows]`: the weights, which sum to 1.
    pub fn weights(&self) -> Vec<f32> {
        let weight = |score: &f32| (score - self.max).exp() / self.sum;
        self.scores.iter().map(weight).collect()
    }

    /// Reads the record that [`Pooler::pool`] wrote for `n_rows` rows of width `d`; also gives what lies behind it.
    ///
    /// # Panics
    /// Where `record` is shorter.
    pub fn read(record: &[f32], d: usize, n_rows: usize) -> (Self, &[f32]) {
        let (head, rest) = record.split_at(2 + d + n_rows);
        let pooled = Self {
            max: head[0],
            sum: head[1],
            weighted: head[2..2 + d].to_vec(),
            scores: head[2 + d..].to_vec(),
        };
        (pooled, rest)
    }
}

/// Collects what a pass has to say into one tensor: pooling records and single rows, in the order of the calls.
pub struct Pooler {
    held: Values,
    next: usize,
}

enum Values {
    Gpu(Option<Box<CubeTensor>>, usize),
    Cpu(Vec<f32>),
}

impl Pooler {
    /// Room for `n_values` on `device`.
    pub fn new(n_values: usize, device: &Device) -> Self {
        let held = match *device == Device::flex() {
            true => Values::Cpu(Vec::with_capacity(n_values)),
            false => Values::Gpu(None, n_values),
        };
        Self { held, next: 0 }
    }

    /// Values of one pooling record.
    pub fn record_len(d: usize, n_rows: usize) -> usize {
        2 + d + n_rows
    }

    /// Pools `rows` of `hidden` (`[_, d]`) with `query` (`[d]`).
    pub fn pool(&mut self, hidden: &Tensor<2>, query: &Tensor<1>, rows: Segment) {
        let d = hidden.dims()[1];
        let start = self.next;
        self.next += Self::record_len(d, rows.len);
        match &mut self.held {
            Values::Gpu(out, n_values) => {
                let hidden = on_gpu(hidden);
                let out = out.get_or_insert_with(|| Box::new(gpu::record(&hidden, *n_values)));
                gpu::pool(&hidden, &on_gpu(query), &rows, out, start);
            }
            Values::Cpu(out) => {
                let (hidden, query) = (on_cpu(hidden), on_cpu(query));
                let rows = &values(&hidden)[rows.start * d..(rows.start + rows.len) * d];
                let pooled = cpu::pool(rows, d, values(&query));
                out.extend([pooled.max, pooled.sum]);
                out.extend(&pooled.weighted);
                out.extend(&pooled.scores);
            }
        }
    }

    /// Takes row `row` of `hidden` (`[_, d]`) as it is.
    pub fn row(&mut self, hidden: &Tensor<2>, row: usize) {
        let d = hidden.dims()[1];
        let start = self.next;
        self.next += d;
        match &mut self.held {
            Values::Gpu(out, n_values) => {
                let hidden = on_gpu(hidden);
                let out = out.get_or_insert_with(|| Box::new(gpu::record(&hidden, *n_values)));
                gpu::gather(&hidden, &[row as u32], &[1.0], 1, 0..d, Some((out, start)));
            }
            Values::Cpu(out) => {
                let hidden = on_cpu(hidden);
                out.extend(&values(&hidden)[row * d..(row + 1) * d]);
            }
        }
    }

    /// Everything taken, for one readback; absent where nothing was.
    pub fn into_tensor(self) -> Option<Tensor<1>> {
        match self.held {
            Values::Gpu(out, _) => out.map(|out| gpu_tensor(*out)),
            Values::Cpu(out) => {
                let n = out.len();
                (n > 0).then(|| cpu_tensor(out, [n]))
            }
        }
    }
}
