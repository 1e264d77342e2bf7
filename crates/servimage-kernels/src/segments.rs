//! Which rows belong together, and on a GPU the table that its attention reads: made once for all layers.

use crate::{Segment, gpu};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// Segments of some rows on a device.
#[derive(Clone, Debug)]
pub struct Segments {
    list: Vec<Segment>,
    /// Work of each workgroup; on a GPU only.
    tiles: Option<Tensor<1, Int>>,
}

impl Segments {
    /// `list` for tensors on `device`; no segment may be empty.
    pub fn new(list: Vec<Segment>, device: &Device) -> Self {
        let on_gpu = *device != Device::flex() && !device.is_autodiff();
        let tiles = on_gpu.then(|| {
            let words: Vec<i32> = gpu::tiles(&list).into_iter().map(|n| n as i32).collect();
            let n = words.len();
            Tensor::from_data(TensorData::new(words, [n]), (device, DType::I32))
        });
        Self { list, tiles }
    }

    pub(crate) fn list(&self) -> &[Segment] {
        &self.list
    }

    pub(crate) fn tiles(&self) -> Option<&Tensor<1, Int>> {
        self.tiles.as_ref()
    }
}
