//! Norms over a row.

use crate::error::LoadError;
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use servimage_kernels::Storage;

/// RMSNorm: `x / sqrt(mean(x^2) + epsilon) * gamma`.
#[derive(Module, Debug)]
pub struct RmsNorm {
    /// `[d]`
    gamma: Param<Tensor<1>>,
    epsilon: f64,
    #[module(skip)]
    out: Storage,
}

impl RmsNorm {
    /// Takes `NAME.weight`.
    ///
    /// # Errors
    /// [`LoadError`] where it is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        name: &str,
        d: usize,
        epsilon: f64,
    ) -> Result<Self, LoadError> {
        let gamma = source
            .param(&format!("{name}.weight"), [d], ParamKind::Ones)
            .await?;
        let out = source.storage();
        Ok(Self {
            gamma,
            epsilon,
            out,
        })
    }

    /// The same with a result in f32, for what no layer reads.
    #[must_use]
    pub fn into_f32(mut self) -> Self {
        self.out = Storage::F32;
        self
    }

    /// # Shapes
    /// - `x` and the result: `[rows, d]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        servimage_kernels::rms_norm(x, &self.gamma.val(), self.epsilon, self.out)
    }

    /// Gain `[d]` and epsilon.
    pub fn parts(&self) -> (Tensor<1>, f64) {
        (self.gamma.val(), self.epsilon)
    }
}

/// LayerNorm: `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `[d]`
    gamma: Param<Tensor<1>>,
    /// `[d]`
    beta: Param<Tensor<1>>,
    epsilon: f64,
    #[module(skip)]
    out: Storage,
}

impl LayerNorm {
    /// Takes `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// [`LoadError`] where one is missing or has another shape.
    pub async fn load(
        source: &mut impl ParamSource,
        name: &str,
        d: usize,
        epsilon: f64,
    ) -> Result<Self, LoadError> {
        let gamma = source
            .param(&format!("{name}.weight"), [d], ParamKind::Ones)
            .await?;
        let beta = source
            .param(&format!("{name}.bias"), [d], ParamKind::Zeros)
            .await?;
        let out = source.storage();
        Ok(Self {
            gamma,
            beta,
            epsilon,
            out,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[rows, d]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        servimage_kernels::layer_norm(x, &gamma, &beta, self.epsilon, self.out)
    }
}
