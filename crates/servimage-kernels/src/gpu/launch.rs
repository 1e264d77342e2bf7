//! From a WGSL template to a launch on the device of a tensor.

use super::floats::Floats;
use burn::tensor::DType;
use burn_cubecl::CubeDevice;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::ir::metadata::Info;
use burn_cubecl::cubecl::ir::settings::Dim3;
use burn_cubecl::cubecl::ir::{ElemType, Scope, UIntKind};
use burn_cubecl::cubecl::prelude::{
    AddressType, CubeCount, CubeKernel, ExecutionMode, KernelDefinition, KernelId, KernelMetadata,
    KernelSettings, PrecompiledSource,
};
use burn_cubecl::cubecl::server::{KernelArguments, MetadataBindingInfo};
use burn_cubecl::tensor::CubeTensor;
use std::fmt::Debug;
use std::hash::Hash;

/// Most workgroups along one axis of a dispatch (WebGPU default limit).
const MAX_GROUPS: u32 = 65_535;

/// Words of the uniform with a kernel's sizes.
const INFO_WORDS: usize = 16;

/// What the text of a kernel depends on. Equal values share one pipeline, and only the first of them is written out.
pub(super) trait Kernel: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Threads of a workgroup.
    fn threads(&self) -> u32;

    /// The WGSL text, entry point `main`.
    fn source(&self) -> String;
}

/// A template with its `{{NAME}}` places filled.
pub(super) fn fill(template: &str, constants: &[(&str, String)]) -> String {
    constants
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
}

/// A [`Kernel`] as cubecl wants it.
struct Precompiled<K>(K);

impl<K: Kernel> KernelMetadata for Precompiled<K> {
    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
            .cube_dim(Dim3::new_1d(self.0.threads()))
            .info(self.0.clone())
    }

    fn address_type(&self) -> ElemType {
        ElemType::UInt(UIntKind::U32)
    }
}

impl<K: Kernel> CubeKernel for Precompiled<K> {
    fn define(&self) -> KernelDefinition {
        let settings = KernelSettings::new(
            Dim3::new_1d(self.0.threads()),
            ExecutionMode::Unchecked,
            AddressType::U32,
        );
        KernelDefinition {
            body: Scope::root(settings.clone()),
            settings,
            info: Info::default(),
        }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource {
            source: self.0.source(),
            entrypoint_name: "main".to_owned(),
            lang: "wgsl",
        })
    }
}

/// Where a kernel runs.
pub(super) struct Gpu {
    client: Client,
    device: CubeDevice,
}

impl Gpu {
    /// The device of `tensor`.
    pub fn of(tensor: &CubeTensor) -> Self {
        Self {
            client: tensor.client.clone(),
            device: tensor.device.clone(),
        }
    }

    /// A tensor without values yet.
    pub fn empty(&self, shape: &[usize], floats: Floats) -> CubeTensor {
        let n_values: usize = shape.iter().product();
        // Whole words: an odd number of f16 would end inside one, and buffers may not.
        let handle = self
            .client
            .empty((n_values * floats.size_bytes()).next_multiple_of(4));
        CubeTensor::new_contiguous(
            self.client.clone(),
            self.device.clone(),
            shape.to_vec().into(),
            handle,
            floats.dtype(),
        )
    }

    /// Uploads a table of words.
    pub fn upload(&self, words: &[u32]) -> CubeTensor {
        let handle = self.client.create_from_slice(bytemuck::cast_slice(words));
        CubeTensor::new_contiguous(
            self.client.clone(),
            self.device.clone(),
            [words.len()].into(),
            handle,
            DType::U32,
        )
    }

    /// Runs `kernel` over `groups` workgroups; buffers bind in order, `info` behind them as `array<vec4<u32>, 4>`.
    ///
    /// # Panics
    /// Where a tensor is not contiguous: every tensor that reaches a kernel was made by one or uploaded.
    pub fn launch(
        &self,
        kernel: impl Kernel,
        groups: [u32; 3],
        buffers: &[&CubeTensor],
        info: &[u32],
    ) {
        let mut words = [0_u32; INFO_WORDS];
        words[..info.len()].copy_from_slice(info);
        let info = words
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[low, high]| u64::from(*low) | u64::from(*high) << 32)
            .collect();
        let mut arguments = KernelArguments::new().with_info(MetadataBindingInfo::custom(info));
        for tensor in buffers {
            assert!(tensor.is_contiguous(), "a kernel was given a strided view");
            arguments = arguments.with_buffer(tensor.handle.clone().binding());
        }
        let [x, y, z] = groups;
        self.client.launch(
            Box::new(Precompiled(kernel)),
            CubeCount::Static(x, y, z),
            arguments,
        );
    }
}

/// Workgroups of 64 threads for `n` values, folded into rows where one axis is too short: the groups, and threads in a row.
pub(super) fn flat_groups(n: usize) -> ([u32; 3], u32) {
    let n_groups = n.div_ceil(64) as u32;
    let x = n_groups.min(MAX_GROUPS);
    ([x, n_groups.div_ceil(x.max(1)), 1], x * 64)
}
