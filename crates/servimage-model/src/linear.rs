//! Linear layer: `y = x W^T + b`, in the payment pass `+ (x A^T) B^T` where the pack keeps a low-rank adapter.
//!
//! Weights keep the checkpoint's orientation `[d_out, d_in]`: quantization blocks run along the input. Layers that read
//! the same input are one layer here, with their weights below each other: one matmul instead of three.

use crate::error::LoadError;
use crate::source::{ParamKind, ParamSource};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use servimage_kernels::{Activation, PackedWeight, Storage};

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
    /// `[d_out, d_in]` as it lies in a pack.
    #[module(skip)]
    packed: Option<PackedWeight>,
    /// The same as parameters that learn, where there is no pack: the parts below each other.
    weights: Vec<Param<Tensor<2>>>,
    /// `[d_out]`
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    adapter: Option<LowRank>,
    /// How `x` and the result are stored.
    #[module(skip)]
    stored: [Storage; 2],
}

/// Low-rank adapter of the payment pass; the scale `alpha / r` is already in `b`.
#[derive(Clone, Debug)]
pub struct LowRank {
    /// `[rank, d_in]`
    pub a: PackedWeight,
    /// `[d_out, rank]`
    pub b: PackedWeight,
}

/// What a source gives for a linear layer.
#[derive(Debug)]
pub enum LinearWeight {
    /// The weights of all parts, as they lie in a pack.
    Packed(Box<PackedWeight>),
    /// A parameter a part, to learn.
    Float(Vec<Param<Tensor<2>>>),
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
        let mut layer = Self::load_joined(source, &[(name.to_owned(), d_out)], d_in).await?;
        if has_bias {
            let bias = format!("{name}.bias");
            layer.bias = Some(source.param(&bias, [d_out], ParamKind::Zeros).await?);
        }
        Ok(layer)
    }

    /// Layers without bias that read the same input, as one: names and widths in the order of the result's columns.
    ///
    /// # Errors
    /// As [`Linear::load`].
    pub async fn load_joined(
        source: &mut impl ParamSource,
        parts: &[(String, usize)],
        d_in: usize,
    ) -> Result<Self, LoadError> {
        let (packed, weights) = match source.linear(parts, d_in).await? {
            LinearWeight::Packed(weight) => (Some(*weight), Vec::new()),
            LinearWeight::Float(weights) => (None, weights),
        };
        let adapter = source.adapter(parts, d_in).await?;
        Ok(Self {
            packed,
            weights,
            bias: None,
            adapter,
            stored: [source.storage(); 2],
        })
    }

    /// Reads rows that are stored so, instead of as the source says.
    #[must_use]
    pub fn reading(mut self, storage: Storage) -> Self {
        self.stored[0] = storage;
        self
    }

    /// Stores its result so, instead of as the source says: f32 where it joins the residual stream.
    #[must_use]
    pub fn writing(mut self, storage: Storage) -> Self {
        self.stored[1] = storage;
        self
    }

    /// # Shapes
    /// - `x`: `[rows, d_in]`
    /// - the result: `[rows, d_out]`
    pub fn forward(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        self.forward_into(x, pass, None, Activation::None)
    }

    /// `activation(x W^T + b + addend)` in one step.
    ///
    /// # Shapes
    /// - `x`: `[rows, d_in]`
    /// - `addend` and the result: `[rows, d_out]`
    pub fn forward_into(
        &self,
        x: Tensor<2>,
        pass: Pass,
        addend: Option<Tensor<2>>,
        activation: Activation,
    ) -> Tensor<2> {
        let addend = match (pass, &self.adapter) {
            (Pass::Payment, Some(adapter)) => {
                Some(adapter.forward(x.clone(), self.stored[0], addend))
            }
            _ => addend,
        };
        let bias = self.bias.as_ref().map(Param::val);
        match &self.packed {
            Some(weight) => servimage_kernels::linear_stored(
                x,
                weight,
                bias.as_ref(),
                addend.as_ref(),
                activation,
                self.stored,
            ),
            None => self.forward_float(x, bias, addend, activation),
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn forward_float(
        &self,
        x: Tensor<2>,
        bias: Option<Tensor<1>>,
        addend: Option<Tensor<2>>,
        activation: Activation,
    ) -> Tensor<2> {
        let weight = Tensor::cat(self.weights.iter().map(Param::val).collect(), 0);
        servimage_kernels::linear_float(x, weight, bias, addend, activation)
    }

    /// In a browser every weight comes from a pack.
    #[cfg(target_family = "wasm")]
    fn forward_float(
        &self,
        _x: Tensor<2>,
        _bias: Option<Tensor<1>>,
        _addend: Option<Tensor<2>>,
        _activation: Activation,
    ) -> Tensor<2> {
        unreachable!("weights that learn exist in native builds only")
    }

    /// Width of the input.
    pub fn d_in(&self) -> usize {
        match &self.packed {
            Some(weight) => weight.d_in(),
            None => self.weights.first().map_or(0, |part| part.val().dims()[1]),
        }
    }

    /// Whether the payment pass differs from the concept pass here.
    pub fn has_adapter(&self) -> bool {
        self.adapter.is_some()
    }
}

impl LowRank {
    /// In f32 from `x`, which is stored as `from`.
    fn forward(&self, x: Tensor<2>, from: Storage, addend: Option<Tensor<2>>) -> Tensor<2> {
        let stored = [from, Storage::F32];
        let low =
            servimage_kernels::linear_stored(x, &self.a, None, None, Activation::None, stored);
        servimage_kernels::linear(low, &self.b, None, addend.as_ref(), Activation::None)
    }
}
