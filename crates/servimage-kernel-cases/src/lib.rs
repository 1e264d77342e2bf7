//! Every kernel at sizes that fill no tile, as cases that run natively and in a browser alike.
//!
//! A [`Case`] is one operation on made-up values. It runs on any device, and two runs are compared: natively the GPU and the CPU
//! against burn's own operations (`tests/native.rs`), in a browser the GPU against the CPU twin (`main.rs`, driven by
//! `tests/e2e/kernels.test.mjs`). Cases with f16 activations are for GPUs that have `shader-f16`.

mod attention;
mod compare;
mod contest;
mod device;
mod half;
mod linear;
mod made_up;
mod pooling;
mod rows;

pub use compare::{Difference, F16_TOLERANCE, TOLERANCE, compare};
pub use contest::{CONTESTANTS, Contest, Contestant};
pub use device::open_with_default_limits;

use burn::tensor::{Device, Tensor};
use servimage_kernels::{ReadError, read};

/// What an operation makes of made-up values on a device, flat.
type Operation = Box<dyn Fn(&Device) -> Tensor<1>>;

/// From what was read back to what is compared.
type Finish = Box<dyn Fn(Vec<f32>) -> Vec<f32>>;

/// One operation at one size.
pub struct Case {
    name: String,
    operation: Operation,
    finish: Finish,
    definition: Option<Vec<f32>>,
    has_f16: bool,
}

impl Case {
    fn new(name: impl Into<String>, operation: impl Fn(&Device) -> Tensor<1> + 'static) -> Self {
        Self {
            name: name.into(),
            operation: Box::new(operation),
            finish: Box::new(|values| values),
            definition: None,
            has_f16: false,
        }
    }

    /// Whether it needs a GPU with f16.
    pub fn has_f16(&self) -> bool {
        self.has_f16
    }

    /// How far its results on two devices may lie apart.
    pub fn tolerance(&self) -> f32 {
        if self.has_f16 {
            F16_TOLERANCE
        } else {
            TOLERANCE
        }
    }

    /// Kernel and sizes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs it on `device`.
    ///
    /// # Errors
    /// [`ReadError`] where the device does not give its values.
    pub async fn run(&self, device: &Device) -> Result<Vec<f32>, ReadError> {
        read((self.operation)(device)).await.map(&self.finish)
    }

    /// What it should give by its definition, where burn has no such operation.
    pub fn definition(&self) -> Option<&[f32]> {
        self.definition.as_deref()
    }

    /// What it should give: by its definition, where burn has no such operation, else by burn's own operations.
    ///
    /// # Errors
    /// As [`Case::run`].
    #[cfg(not(target_family = "wasm"))]
    pub async fn reference(&self) -> Result<Vec<f32>, ReadError> {
        match self.definition() {
            Some(values) => Ok(values.to_vec()),
            None => {
                let device = Device::flex().autodiff();
                let result = servimage_kernels::by_burn(|| (self.operation)(&device));
                read(result).await.map(&self.finish)
            }
        }
    }
}

/// All cases that a GPU can run, kernel after kernel; with `has_f16` those with f16 activations too.
pub fn cases_for(has_f16: bool) -> Vec<Case> {
    let mut cases = cases();
    cases.retain(|case| has_f16 || !case.has_f16);
    cases
}

/// All cases, kernel after kernel.
pub fn cases() -> Vec<Case> {
    let mut cases = linear::cases();
    cases.extend(rows::cases());
    cases.extend(attention::cases());
    cases.extend(pooling::cases());
    cases.extend(half::cases());
    cases
}
