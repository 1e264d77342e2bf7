//! Golden `a` as it lies in the shared reference, and editable copies of it.

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folder of golden `a`.
pub fn golden() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("SERVIMAGE_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join("golden/a")
}

/// A tensor of a safetensors file: element type, shape, bytes.
pub type Tensor = (Dtype, Vec<usize>, Vec<u8>);

/// A copy of golden `a` in a folder of its own.
pub struct Copy {
    pub folder: tempfile::TempDir,
}

impl Copy {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&golden(), folder.path());
        Self { folder }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Changes a JSON file.
    pub fn edit_json(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_slice(&std::fs::read(self.path(file)).unwrap()).unwrap();
        edit(&mut value);
        std::fs::write(self.path(file), serde_json::to_vec(&value).unwrap()).unwrap();
    }

    pub fn read_tensors(&self, file: &str) -> BTreeMap<String, Tensor> {
        let bytes = std::fs::read(self.path(file)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        file.iter()
            .map(|(name, view)| {
                (
                    name.to_owned(),
                    (view.dtype(), view.shape().to_vec(), view.data().to_vec()),
                )
            })
            .collect()
    }

    pub fn write_tensors(&self, file: &str, tensors: &BTreeMap<String, Tensor>) {
        let view = |(dtype, shape, bytes): &'_ Tensor| (*dtype, shape.clone(), bytes.clone());
        let owned: Vec<(String, Tensor)> = tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), view(tensor)))
            .collect();
        let views = owned.iter().map(|(name, (dtype, shape, bytes))| {
            (
                name.clone(),
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
        serialize_to_file(views, None, &self.path(file)).unwrap();
    }

    /// Changes the tensors of a safetensors file.
    pub fn edit_tensors(&self, file: &str, edit: impl FnOnce(&mut BTreeMap<String, Tensor>)) {
        let mut tensors = self.read_tensors(file);
        edit(&mut tensors);
        self.write_tensors(file, &tensors);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            // Read and written, not copied: the reference is read-only, the copy is not.
            std::fs::write(target, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// An f32 tensor.
pub fn f32_tensor(shape: &[usize], values: &[f32]) -> Tensor {
    (
        Dtype::F32,
        shape.to_vec(),
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    )
}
