//! What a run starts on: pictures' answers to waves, the weights of another run, or those of a pack.

use super::{Run, State};
use crate::about::{Evaluation, TrainingFacts, read_json};
use crate::batch::{Batch, BatchPlan, Sampler};
use crate::deeper::deepen;
use crate::error::TrainError;
use crate::export::{is_packed, unscaled};
use crate::filters::start_filters;
use crate::trainee::Trainee;
use crate::weights::{Rounded, Values, Weights};
use burn::tensor::Device;
use servimage_pack::{Pack, PackSource};
use std::path::Path;

impl Run {
    /// Whether nothing can be put in place of its weights any more; a run may end without a step.
    fn has_begun(&self) -> bool {
        self.state.step > 0 || self.state.finished
    }

    /// Starts on the weights of another run that has ended; nothing where this one has begun. Where its schedule is that of one
    /// that goes on from a pack ([`alone_share`](crate::schedule::Schedule::alone_share)), on those that packs hold. Layers that the
    /// vision tower lacks begin as ones that change nothing.
    ///
    /// # Errors
    /// [`TrainError`] where its files are missing or damaged, or it has not ended, or its vision tower cannot become one of this
    /// schedule's depth.
    pub fn go_on_from(&mut self, other: &Path) -> Result<(), TrainError> {
        if self.has_begun() {
            return Ok(());
        }
        let state: State = read_json(&other.join("state.json"))?;
        if !state.finished {
            return Err(TrainError::Unfinished(other.to_path_buf()));
        }
        self.weights = Weights::read(&other.join("weights.safetensors"))?;
        if self.schedule.alone_share > 0.0 {
            self.weights.tensors.retain(|name, _| is_packed(name));
        }
        deepen(&mut self.weights, self.schedule.vision_layers)?;
        self.state.from = Some(Box::new(TrainingFacts::read(other)?));
        self.state.heads_started = true;
        Ok(())
    }

    /// Starts on the weights of a pack, as they are after rounding, its vision tower as deep as the schedule has it; nothing where this
    /// run has begun. `evaluation` is of that pack
    /// and says how it was trained; `training_heads` are what its run had beside ([`crate::export::training_heads`]), if they are known.
    ///
    /// # Errors
    /// [`TrainError::OtherPack`] where the evaluation is of another pack, [`TrainError::NoPast`] where it does not say how it was
    /// trained, [`TrainError::Pack`] where the pack is damaged, [`TrainError::OtherHeads`] where one of the heads is not among
    /// those given, [`TrainError::OtherDepth`] where its vision tower cannot become one of this schedule's depth.
    pub fn go_on_from_pack<S: PackSource>(
        &mut self,
        pack: &Pack<S>,
        evaluation: &Evaluation,
        training_heads: Option<Weights>,
    ) -> Result<(), TrainError> {
        if self.has_begun() {
            return Ok(());
        }
        if evaluation.pack.sha256 != pack.sha256() {
            return Err(TrainError::OtherPack {
                expected: pack.sha256().to_owned(),
                found: evaluation.pack.sha256.clone(),
            });
        }
        let past = evaluation.past()?.clone();
        let mut weights = Weights::default();
        for entry in &pack.manifest().tensors {
            if !is_packed(&entry.name) {
                continue;
            }
            let data = pollster::block_on(pack.read_tensor(&entry.name))?.to_f32()?;
            let shape = entry.shape.clone();
            weights
                .tensors
                .insert(entry.name.clone(), Values { shape, data });
        }
        deepen(&mut weights, self.schedule.vision_layers)?;
        self.weights = unscaled(weights);
        if let Some(heads) = training_heads {
            let heads = crate::export::training_heads(heads);
            self.weights.tensors.extend(heads.tensors);
            let (_, drawn) = self.unrounded(&Device::flex())?;
            if let Some(name) = drawn.tensors.into_keys().next() {
                return Err(TrainError::OtherHeads { name });
            }
        }
        self.state.from = Some(Box::new(past));
        self.state.heads_started = true;
        Ok(())
    }

    /// The network on plain weights, and those of them that were drawn as they were missing.
    pub(super) fn unrounded(&self, device: &Device) -> Result<(Trainee, Weights), TrainError> {
        let (trainee, _, drawn) = Trainee::build(
            &self.weights,
            &Rounded::new(),
            &self.config,
            self.schedule.seed,
            device,
        )?;
        Ok((trainee, drawn))
    }

    /// A batch of no step, to start weights on.
    fn start_batch(
        &self,
        sampler: &Sampler,
        number: u64,
        vision_only: bool,
    ) -> Result<Batch, TrainError> {
        let mut plan = self.schedule.plan(
            0,
            if vision_only {
                0.0
            } else {
                self.schedule.vision_share
            },
        );
        plan = BatchPlan {
            n_pairs: plan.n_pairs.max(8),
            vision_only,
            ..plan
        };
        sampler.batch(number, &plan)
    }

    /// Puts waves of all frequencies into the patch embedding, scaled by how training pictures answer to them.
    pub(super) fn start_filters(&mut self, sampler: &Sampler) -> Result<(), TrainError> {
        let batch = self.start_batch(sampler, u64::MAX / 3, true)?;
        start_filters(&mut self.weights, &self.config, &batch);
        Ok(())
    }

    /// Shifts and scales the first layer of each head so that it sees how pooled vectors differ, not what they share.
    ///
    /// Pooled vectors of a fresh network are nearly equal; without this the heads spend a thousand steps on that.
    pub(super) fn start_heads(&mut self, sampler: &Sampler) -> Result<(), TrainError> {
        let batch = self.start_batch(sampler, u64::MAX / 2, false)?;
        let plain = self.device.clone().without_autodiff();
        let (trainee, _) = self.unrounded(&plain)?;
        let layers = ["stage1.shared_encoder.0", "stage2.fc1"];
        for (layer, pooled) in layers.iter().zip(trainee.pooled(&batch, &plain)) {
            let [n, d_model] = pooled.dims();
            let pooled: Vec<f32> = pooled.into_data().iter::<f32>().collect();
            self.weights.centre(layer, &pooled, [n, d_model]);
        }
        self.state.heads_started = true;
        Ok(())
    }
}
