//! f32 and f16 in the kernels' text.

use crate::Storage;
use crate::storage::F16_MAX;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

/// Type of a buffer's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Floats {
    F32,
    F16,
}

impl Floats {
    /// Those of a tensor.
    ///
    /// # Panics
    /// Where it holds something else.
    pub fn of(tensor: &CubeTensor) -> Self {
        match tensor.dtype {
            DType::F32 => Self::F32,
            DType::F16 => Self::F16,
            other => panic!("a kernel reads f32 or f16, not {other:?}"),
        }
    }

    /// Name in WGSL.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
        }
    }

    pub fn size_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// The head of a module that reads `from` and writes these: `stored` and `stored4`, by which it writes. A value that is too
    /// large for f16 would become infinite and is held at the largest one.
    pub fn head(self, from: Self) -> String {
        let has_f16 = self == Self::F16 || from == Self::F16;
        let enable = if has_f16 { "enable f16;\n" } else { "" };
        let name = self.name();
        let (bound, bound4) = match self {
            Self::F32 => ("x".to_owned(), "x".to_owned()),
            Self::F16 => (
                format!("clamp(x, -{F16_MAX:?}, {F16_MAX:?})"),
                format!("clamp(x, vec4<f32>(-{F16_MAX:?}), vec4<f32>({F16_MAX:?}))"),
            ),
        };
        format!(
            "{enable}fn stored(x: f32) -> {name} {{\n    return {name}({bound});\n}}\n\
             fn stored4(x: vec4<f32>) -> vec4<{name}> {{\n    return vec4<{name}>({bound4});\n}}"
        )
    }
}

impl From<Storage> for Floats {
    fn from(storage: Storage) -> Self {
        match storage {
            Storage::F32 => Self::F32,
            Storage::F16 | Storage::F16Sixteenths => Self::F16,
        }
    }
}
