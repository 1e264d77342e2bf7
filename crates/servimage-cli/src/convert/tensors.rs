//! Where each tensor of a pack comes from, merged and written one at a time.

use super::checkpoint::Checkpoint;
use super::error::ConvertError;
use super::lora::LowRank;
use super::{Stage, StageLora};
use servimage_pack::manifest::{Layout, Manifest, VisionDims};
use servimage_pack::{ExpectedTensor, PackSink, PackWriter};
use std::collections::HashSet;

/// The only weight whose shape in the checkpoint (a convolution's) is not the pack's (a matrix).
const PATCH_EMBED: &str = "model.visual.patch_embed.proj.weight";

/// Most names in one warning.
const MAX_NAMES: usize = 5;

/// Everything that a conversion reads tensors from.
pub(super) struct Sources<'a> {
    pub base: &'a Checkpoint,
    pub stage1: Option<&'a Stage>,
    pub stage2: Option<&'a Stage>,
}

impl Sources<'_> {
    /// Reads, merges and writes one tensor, then its payment adapter, so that a reader finds them in one shard.
    pub fn write<K: PackSink>(
        &self,
        tensor: &ExpectedTensor,
        manifest: &Manifest,
        writer: &mut PackWriter<K>,
    ) -> Result<(), ConvertError> {
        let layout = if tensor.quantized {
            manifest.quant
        } else {
            Layout::F32
        };
        let mut values = self.read(tensor, &manifest.vision)?;
        let target = tensor.name.strip_suffix(".weight").unwrap_or(&tensor.name);
        if let Some(low_rank) = low_rank(self.stage1, target) {
            low_rank.merge_into(&mut values, tensor.shape[1]);
        }
        writer.push(&tensor.name, &tensor.shape, layout, &values)?;
        drop(values);
        if let Some(low_rank) = low_rank(self.stage2, target) {
            let [d_out, d_in] = [tensor.shape[0], tensor.shape[1]];
            let (a, b) = (&low_rank.a, low_rank.scaled_b());
            writer.push(
                &format!("{target}.lora_a"),
                &[low_rank.rank, d_in],
                Layout::F32,
                a,
            )?;
            writer.push(
                &format!("{target}.lora_b"),
                &[d_out, low_rank.rank],
                Layout::F32,
                &b,
            )?;
        }
        Ok(())
    }

    fn read(&self, tensor: &ExpectedTensor, vision: &VisionDims) -> Result<Vec<f32>, ConvertError> {
        let (checkpoint, name) = self.place(&tensor.name);
        if tensor.name == PATCH_EMBED {
            let (temporal, patch) = (vision.temporal_patch_size, vision.patch_size);
            return checkpoint.read(
                name,
                &[vision.d_model, vision.in_channels, temporal, patch, patch],
            );
        }
        checkpoint.read(name, &tensor.shape)
    }

    /// Checkpoint and name there of a pack's tensor.
    fn place<'n>(&self, name: &'n str) -> (&Checkpoint, &'n str) {
        let heads = [(self.stage1, "stage1."), (self.stage2, "stage2.")];
        for (stage, prefix) in heads {
            if let (Some(stage), Some(name)) = (stage, name.strip_prefix(prefix)) {
                return (&stage.head, name);
            }
        }
        (self.base, name)
    }

    /// Warnings about tensors that the pack leaves out.
    pub fn unused(&self, expected: &[ExpectedTensor], tied: bool) -> Vec<String> {
        let used: HashSet<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        let heads = [("stage1.", self.stage1), ("stage2.", self.stage2)];
        let heads = heads
            .into_iter()
            .filter_map(|(prefix, stage)| Some((prefix, &stage?.head)));
        let mut warnings = Vec::new();
        for (prefix, checkpoint) in std::iter::once(("", self.base)).chain(heads) {
            let is_unused = |name: &&str| {
                let tied_twin = tied && prefix.is_empty() && *name == "lm_head.weight";
                !tied_twin && !used.contains(format!("{prefix}{name}").as_str())
            };
            let names: Vec<&str> = checkpoint.names().filter(is_unused).collect();
            if !names.is_empty() {
                let more = if names.len() > MAX_NAMES { ", ..." } else { "" };
                let listed = names[..names.len().min(MAX_NAMES)].join("`, `");
                let file = checkpoint.path.display();
                warnings.push(format!(
                    "`{file}`: {} tensors are not part of the network: `{listed}`{more}",
                    names.len()
                ));
            }
        }
        warnings
    }
}

fn low_rank<'a>(stage: Option<&'a Stage>, target: &str) -> Option<&'a LowRank> {
    let lora: &StageLora = &stage?.lora;
    lora.get(target)
}
