//! Norms over a row.

use crate::error::LoadError;
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// RMSNorm: `x / sqrt(mean(x^2) + epsilon) * gamma`.
#[derive(Module, Debug)]
pub struct RmsNorm {
    /// `[d]`
    gamma: Param<Tensor<1>>,
    epsilon: f64,
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
        Ok(Self { gamma, epsilon })
    }

    /// # Shapes
    /// - `x` and the result: `[rows, d]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        servimage_kernels::rms_norm(x, &self.gamma.val(), self.epsilon)
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
        Ok(Self {
            gamma,
            beta,
            epsilon,
        })
    }

    /// # Shapes
    /// - `x` and the result: `[rows, d]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        servimage_kernels::layer_norm(x, &self.gamma.val(), &self.beta.val(), self.epsilon)
    }
}
