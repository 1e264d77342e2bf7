//! Where each tensor of a pack comes from; merged, encoded and written some rows at a time.

use super::checkpoint::Checkpoint;
use super::error::ConvertError;
use super::lora::LowRank;
use super::parallel::in_order;
use super::values::Values;
use super::{Progress, Stage, StageLora};
use servimage_pack::layout::encode_rows;
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
    /// Values that a core holds at once.
    pub piece_values: usize,
}

impl Sources<'_> {
    /// Writes all of `expected`; the number of their values.
    pub fn write_all<K: PackSink>(
        &self,
        expected: &[ExpectedTensor],
        manifest: &Manifest,
        writer: &mut PackWriter<K>,
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> Result<u64, ConvertError> {
        let count = |tensor: &ExpectedTensor| -> u64 {
            tensor.shape.iter().map(|&dim| dim as u64).product()
        };
        let total = expected.iter().map(count).sum();
        let mut done = 0;
        for tensor in expected {
            self.write(tensor, manifest, writer, |n_values| {
                done += n_values;
                on_progress(Progress {
                    tensor: &tensor.name,
                    done,
                    total,
                });
            })?;
        }
        Ok(total)
    }

    /// Reads, merges and writes one tensor, then its payment adapter, so that a reader finds them in one shard.
    ///
    /// `on_values` hears of the values written, piece by piece.
    fn write<K: PackSink>(
        &self,
        tensor: &ExpectedTensor,
        manifest: &Manifest,
        writer: &mut PackWriter<K>,
        on_values: impl FnMut(u64),
    ) -> Result<(), ConvertError> {
        let layout = tensor.layout(manifest.quant);
        self.write_rows(tensor, layout, &manifest.vision, writer, on_values)?;
        let target = tensor.name.strip_suffix(".weight").unwrap_or(&tensor.name);
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

    /// Writes the tensor by rows: each core reads, merges and encodes some of them, so that no tensor stands whole in memory.
    fn write_rows<K: PackSink>(
        &self,
        tensor: &ExpectedTensor,
        layout: Layout,
        vision: &VisionDims,
        writer: &mut PackWriter<K>,
        mut on_values: impl FnMut(u64),
    ) -> Result<(), ConvertError> {
        let values = self.values(tensor, vision)?;
        let target = tensor.name.strip_suffix(".weight").unwrap_or(&tensor.name);
        let low_rank = low_rank(self.stage1, target);
        let d_in = tensor.shape.last().copied().unwrap_or(1).max(1);
        let n_rows = tensor.shape.iter().product::<usize>() / d_in;
        let rows_at_once = (self.piece_values / d_in).max(1);
        let rows_of = |piece: usize| {
            let first = piece * rows_at_once;
            first..(first + rows_at_once).min(n_rows)
        };
        let encode = |piece: usize| -> Result<_, ConvertError> {
            let rows = rows_of(piece);
            let mut values = values.read(rows.start * d_in..rows.end * d_in)?;
            if let Some(low_rank) = low_rank {
                low_rank.merge_into(&mut values, d_in, rows.start);
            }
            let first_row = rows.start;
            Ok(encode_rows(&tensor.name, layout, &values, d_in, first_row)?)
        };
        let mut written = writer.tensor(&tensor.name, &tensor.shape, layout)?;
        in_order(n_rows.div_ceil(rows_at_once), encode, |piece, rows| {
            on_values((rows_of(piece).len() * d_in) as u64);
            Ok(written.append(&rows)?)
        })?;
        Ok(written.end()?)
    }

    fn values(&self, tensor: &ExpectedTensor, vision: &VisionDims) -> Result<Values, ConvertError> {
        let (checkpoint, name) = self.place(&tensor.name);
        if tensor.name == PATCH_EMBED {
            let (temporal, patch) = (vision.temporal_patch_size, vision.patch_size);
            let shape = [vision.d_model, vision.in_channels, temporal, patch, patch];
            return checkpoint.values(name, &shape);
        }
        checkpoint.values(name, &tensor.shape)
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
