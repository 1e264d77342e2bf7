//! How activations lie on a GPU between two kernels.

/// Largest finite f16.
pub(crate) const F16_MAX: f32 = 65_504.0;

/// What a kernel leaves for the next one. Sums, norms' statistics, softmax and the residual stream are f32 whatever this says.
///
/// f16 halves what is moved and is for GPUs with `shader-f16`. A value that f16 cannot hold becomes its largest one, 65,504: a wrong
/// value of bounded size, never an infinity that turns the whole row into NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// f32; everywhere, and the only one on a CPU.
    #[default]
    F32,
    /// f16, for rows that a norm or a softmax keeps small.
    F16,
    /// A sixteenth of the value as f16, for hidden rows of feed-forward blocks: their outliers reach 1e5, and 1,048,064 still fits.
    /// What is lost lies at the other end: f16 is exact to 11 bits down to 6e-5, so these are down to 1e-3.
    F16Sixteenths,
}

impl Storage {
    /// The same for hidden rows of a feed-forward block.
    #[must_use]
    pub fn hidden(self) -> Self {
        match self {
            Self::F32 => Self::F32,
            Self::F16 | Self::F16Sixteenths => Self::F16Sixteenths,
        }
    }

    /// What a value is multiplied by before it is stored.
    pub(crate) fn scale(self) -> f32 {
        match self {
            Self::F32 | Self::F16 => 1.0,
            Self::F16Sixteenths => 1.0 / 16.0,
        }
    }
}
