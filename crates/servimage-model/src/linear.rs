//! Linear layer: `y = x W^T + b`, in the payment pass `+ (x A^T) B^T` where the pack keeps a low-rank adapter.
//!
//! Weights keep the checkpoint's orientation `[d_out, d_in]`: quantization blocks run along the input, and the
//! transpose is a view for burn's matmul.

use crate::error::LoadError;
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// Which weights one run through the network uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// The base with stage 1 merged in: concepts, or everything where the heads share one pass.
    Concepts,
    /// The same with stage 2's adapter switched on.
    Payment,
}

/// Linear layer. Build with [`Linear::load`].
#[derive(Module, Debug)]
pub struct Linear {
    /// `[d_out, d_in]`
    weight: Param<Tensor<2>>,
    /// `[d_out]`
    bias: Option<Param<Tensor<1>>>,
    adapter: Option<LowRank>,
}

/// Low-rank adapter of the payment pass; the scale `alpha / r` is already in `b`.
#[derive(Module, Debug)]
pub struct LowRank {
    /// `[rank, d_in]`
    a: Param<Tensor<2>>,
    /// `[d_out, rank]`
    b: Param<Tensor<2>>,
}

impl Linear {
    /// Takes `NAME.weight`, with `has_bias` also `NAME.bias`, and `NAME.lora_a` and `.lora_b` where they exist.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        name: &str,
        [d_in, d_out]: [usize; 2],
        has_bias: bool,
    ) -> Result<Self, LoadError> {
        let weight = source
            .param(&format!("{name}.weight"), [d_out, d_in], ParamKind::Weight)
            .await?;
        let bias = match has_bias {
            true => Some(
                source
                    .param(&format!("{name}.bias"), [d_out], ParamKind::Zeros)
                    .await?,
            ),
            false => None,
        };
        let adapter = match source.adapter_rank(name) {
            Some(rank) => Some(LowRank {
                a: source
                    .param(&format!("{name}.lora_a"), [rank, d_in], ParamKind::Weight)
                    .await?,
                b: source
                    .param(&format!("{name}.lora_b"), [d_out, rank], ParamKind::Zeros)
                    .await?,
            }),
            None => None,
        };
        Ok(Self {
            weight,
            bias,
            adapter,
        })
    }

    /// # Shapes
    /// - `x`: `[rows, d_in]`
    /// - the result: `[rows, d_out]`
    pub fn forward(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let [n_rows, _] = x.dims();
        if n_rows == 1 {
            // A matmul with one row picks a kernel with subgroup operations, which browsers refuse
            // (tracel-ai/cubek #654): compute the row twice.
            return self.forward_rows(x.repeat_dim(0, 2), pass).narrow(0, 0, 1);
        }
        self.forward_rows(x, pass)
    }

    fn forward_rows(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let mut y = x.clone().matmul(self.weight.val().transpose());
        if let (Pass::Payment, Some(adapter)) = (pass, &self.adapter) {
            y = y + x
                .matmul(adapter.a.val().transpose())
                .matmul(adapter.b.val().transpose());
        }
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze(),
            None => y,
        }
    }

    /// [`Linear::forward`] over the last axis.
    ///
    /// # Shapes
    /// - `x`: `[batch, seq_len, d_in]`
    /// - the result: `[batch, seq_len, d_out]`
    pub fn forward_3d(&self, x: Tensor<3>, pass: Pass) -> Tensor<3> {
        let [batch, seq_len, d_in] = x.dims();
        let y = self.forward(x.reshape([batch * seq_len, d_in]), pass);
        let [_, d_out] = y.dims();
        y.reshape([batch, seq_len, d_out])
    }

    /// Width of the input.
    pub fn d_in(&self) -> usize {
        self.weight.val().dims()[1]
    }

    /// Whether the payment pass differs from the concept pass here.
    pub fn has_adapter(&self) -> bool {
        self.adapter.is_some()
    }
}
