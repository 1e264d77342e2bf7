//! A pack as the page uses it: pictures and a brief in, seven scores and the payment's log-odds out.

use crate::batch::{see, task_of};
use crate::brief::Brief;
use crate::error::TrainError;
use crate::picture::Picture;
use crate::truth::N_CONCEPTS;
use burn::tensor::Device;
use servimage_bench::task::Task;
use servimage_model::{ModelInput, ServImageModel, Trace};
use servimage_pack::manifest::Manifest;
use servimage_pack::{Pack, PackSource};
use servimage_prompt::{ImageSlot, PromptBuilder, Role, Tokenizer};

/// What a pack says of one candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Expected score of each concept, 1..=5, whether it applies or not.
    pub concepts: [f64; N_CONCEPTS],
    /// Log-odds of payment before the calibration.
    pub pay_logit: f64,
}

/// A loaded pack.
pub struct Scorer {
    model: ServImageModel,
    prompts: PromptBuilder,
    /// The pack's manifest.
    pub manifest: Manifest,
}

impl Scorer {
    /// Loads a pack onto a device.
    ///
    /// # Errors
    /// [`TrainError::Load`] or [`TrainError::Pack`] where the pack is damaged.
    pub fn load<S: PackSource>(pack: &Pack<S>, device: &Device) -> Result<Self, TrainError> {
        let tokenizer = Tokenizer::from_json(&pollster::block_on(pack.tokenizer_json())?)?;
        let prompts = PromptBuilder::new(tokenizer, pack.manifest())?;
        let model = pollster::block_on(ServImageModel::load(pack, device, &mut |_| ()))?;
        Ok(Self {
            model,
            prompts,
            manifest: pack.manifest().clone(),
        })
    }

    /// The network's input for a candidate and what comes with it.
    ///
    /// # Errors
    /// [`TrainError::Prompt`].
    pub fn input(
        &self,
        images: &[(Role, Picture)],
        brief: &Brief,
    ) -> Result<ModelInput, TrainError> {
        let patches: Vec<_> = images.iter().map(|(_, picture)| see(picture)).collect();
        let slots: Vec<_> = images
            .iter()
            .zip(&patches)
            .map(|((role, _), patches)| ImageSlot {
                role: *role,
                grid: patches.grid,
            })
            .collect();
        let prompt = self.prompts.build(&task_of(brief), 1, &slots)?;
        Ok(ModelInput {
            ids: prompt.ids,
            positions: prompt.positions,
            grids: patches.iter().map(|patches| patches.grid).collect(),
            patches: patches
                .into_iter()
                .flat_map(|patches| patches.rows)
                .collect(),
            prefix_len: prompt.prefix_len,
        })
    }

    /// The network's input for one deliverable of a task, alone.
    ///
    /// # Errors
    /// [`TrainError::Prompt`].
    pub fn input_of(
        &self,
        task: &Task,
        deliverable: u32,
        picture: &Picture,
    ) -> Result<ModelInput, TrainError> {
        let patches = see(picture);
        let slot = ImageSlot {
            role: Role::Candidate,
            grid: patches.grid,
        };
        let prompt = self.prompts.build(task, deliverable, &[slot])?;
        Ok(ModelInput {
            ids: prompt.ids,
            positions: prompt.positions,
            grids: vec![patches.grid],
            patches: patches.rows,
            prefix_len: prompt.prefix_len,
        })
    }

    /// Scores a candidate.
    ///
    /// # Errors
    /// [`TrainError::Run`] where the device fails.
    pub fn score(&self, images: &[(Role, Picture)], brief: &Brief) -> Result<Score, TrainError> {
        let output = pollster::block_on(self.model.evaluate(&self.input(images, brief)?))?;
        let logits = output.concept_logits.unwrap_or_default();
        let [reject, accept] = output.pay_logits.map(f64::from);
        Ok(Score {
            concepts: logits.map(|logits| expectation(&logits[..5])),
            pay_logit: accept - reject,
        })
    }

    /// Intermediate results, for the pack's self-test.
    ///
    /// # Errors
    /// [`TrainError::Run`] where the device fails.
    pub fn trace(&self, input: &ModelInput) -> Result<Trace, TrainError> {
        Ok(pollster::block_on(self.model.trace(input))?)
    }
}

/// Mean score of logits over the classes 1..=5.
fn expectation(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let weights: Vec<f64> = logits
        .iter()
        .map(|z| f64::from(z - largest).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    weights
        .iter()
        .zip(1..)
        .map(|(w, score)| w * f64::from(score))
        .sum::<f64>()
        / total
}
