//! Attention: the weights are kept, the rest of the gradient is products of them.

use super::{Gradient, matmul, record, recorded, tensor_of, view};
use crate::backend::values;
use crate::cpu::{softmax_rows, softmax_rows_backward};
use crate::{AttentionShape, Segment};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

/// As [`crate::attention`] without a prefix, where all segments are equally long and lie one behind the other; `None` where
/// that is not so or nothing is recorded on a CPU.
pub(crate) fn attention(
    qkv: &Tensor<2>,
    segments: &[Segment],
    shape: AttentionShape,
) -> Option<Tensor<2>> {
    let n_rows = qkv.dims()[0];
    let len = segments.first()?.len;
    let is_next = |(i, segment): (usize, &Segment)| (segment.start, segment.len) == (i * len, len);
    if !segments.iter().enumerate().all(is_next) || segments.len() * len != n_rows {
        return None;
    }
    let operand = recorded(qkv)?;
    let operands = [operand.node()];
    let heads = HeadsOf {
        qkv: operand.into_primitive().to_contiguous(),
        batch: segments.len(),
        shape,
    };
    let mut weights = matmul(heads.queries(), heads.keys(true));
    softmax_rows(
        weights.storage_mut::<f32>(),
        len,
        (shape.head_dim as f32).sqrt().recip(),
        shape.causal,
    );
    let sums = matmul(weights.clone(), heads.values(false));
    let mut out = vec![0.0; n_rows * shape.n_heads * shape.head_dim];
    heads.to_rows(&sums, &mut out, shape.n_heads, 0, 1);
    let result = tensor_of(out, &[n_rows, shape.n_heads * shape.head_dim]);
    Some(record(operands, result, || Attended { heads, weights }))
}

/// Queries, keys and values of all segments. Their views are `[batch, n_kv_heads, group, len, head_dim]`, a group being the
/// heads of queries that share keys: of keys and values there is one.
#[derive(Clone, Debug)]
struct HeadsOf {
    /// `[n_rows, row_len]`
    qkv: FlexTensor,
    batch: usize,
    shape: AttentionShape,
}

impl HeadsOf {
    fn len(&self) -> usize {
        self.qkv.layout().shape()[0] / self.batch
    }

    fn group(&self) -> usize {
        self.shape.n_heads / self.shape.n_kv_heads
    }

    fn queries(&self) -> FlexTensor {
        let d = self.shape.head_dim;
        let row_len = self.shape.row_len();
        view(
            &self.qkv,
            0,
            &[
                self.batch,
                self.shape.n_kv_heads,
                self.group(),
                self.len(),
                d,
            ],
            &[self.len() * row_len, self.group() * d, d, row_len, 1],
        )
    }

    fn shared(&self, first_head: usize, turned: bool) -> FlexTensor {
        let d = self.shape.head_dim;
        let row_len = self.shape.row_len();
        let (mut shape, mut strides) = (
            [self.batch, self.shape.n_kv_heads, 1, self.len(), d],
            [self.len() * row_len, d, d, row_len, 1],
        );
        if turned {
            shape.swap(3, 4);
            strides.swap(3, 4);
        }
        view(&self.qkv, first_head * d, &shape, &strides)
    }

    fn keys(&self, turned: bool) -> FlexTensor {
        self.shared(self.shape.n_heads, turned)
    }

    fn values(&self, turned: bool) -> FlexTensor {
        self.shared(self.shape.n_heads + self.shape.n_kv_heads, turned)
    }

    /// Adds `heads` `[batch, n_kv_heads, group, len, head_dim]` to `rows` of `row_heads` heads from head `first` on; `shared` heads
    /// of a group go to one.
    fn to_rows(
        &self,
        heads: &FlexTensor,
        rows: &mut [f32],
        row_heads: usize,
        first: usize,
        shared: usize,
    ) {
        let (d, len) = (self.shape.head_dim, self.len());
        for (i, head) in values(heads).chunks_exact(len * d).enumerate() {
            let (segment, head_idx) = (i / self.shape.n_heads, i % self.shape.n_heads);
            let column = (first + head_idx / shared) * d;
            let rows = &mut rows[segment * len * row_heads * d..][..len * row_heads * d];
            for (row, head) in rows
                .chunks_exact_mut(row_heads * d)
                .zip(head.chunks_exact(d))
            {
                for (out, value) in row[column..column + d].iter_mut().zip(head) {
                    *out += value;
                }
            }
        }
    }
}

/// What the gradient of an attention needs.
#[derive(Clone, Debug)]
struct Attended {
    heads: HeadsOf,
    /// `[batch, n_kv_heads, group, len, len]`
    weights: FlexTensor,
}

impl Gradient<1> for Attended {
    fn of_operands(self, of_result: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let Self { heads, weights } = self;
        let AttentionShape {
            n_heads,
            n_kv_heads,
            head_dim: d,
            ..
        } = heads.shape;
        let (len, group, row_len) = (heads.len(), heads.group(), heads.shape.row_len());
        let n_rows = heads.batch * len;
        let width = n_heads * d;
        let of_sums = view(
            &of_result,
            0,
            &[heads.batch, n_kv_heads, group, len, d],
            &[len * width, group * d, d, width, 1],
        );
        let mut of_scores = matmul(of_sums.clone(), heads.values(true));
        let scale = (d as f32).sqrt().recip();
        softmax_rows_backward(values(&weights), len, scale, of_scores.storage_mut::<f32>());
        let mut out = vec![0.0; n_rows * row_len];
        let row_heads = n_heads + 2 * n_kv_heads;
        let of_queries = matmul(of_scores.clone(), heads.keys(false));
        heads.to_rows(&of_queries, &mut out, row_heads, 0, 1);
        let of_keys = matmul(of_scores.transpose(3, 4), heads.queries());
        heads.to_rows(&of_keys, &mut out, row_heads, n_heads, group);
        let of_values = matmul(weights.transpose(3, 4), of_sums);
        heads.to_rows(&of_values, &mut out, row_heads, n_heads + n_kv_heads, group);
        [Some(tensor_of(out, &[n_rows, row_len]))]
    }
}
