//! A pack as the page uses it: one picture and one brief in, two scores and the payment's log-odds out.

use crate::batch::{see, task_of};
use crate::brief::Brief;
use crate::error::TrainError;
use crate::picture::Picture;
use crate::trainee::TRAINED;
use burn::tensor::Device;
use servimage_model::heads::CONCEPT_HEADS;
use servimage_model::{ModelInput, ServImageModel, Trace};
use servimage_pack::manifest::Manifest;
use servimage_pack::{Pack, PackSource};
use servimage_prompt::{ImageSlot, PromptBuilder, Role, Tokenizer};

/// What a pack says of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Expected clarity, 1..=5.
    pub clarity: f64,
    /// Expected aesthetic, 1..=5.
    pub aesthetic: f64,
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

    /// The network's input for a picture.
    ///
    /// # Errors
    /// [`TrainError::Prompt`].
    pub fn input(&self, picture: &Picture, brief: &Brief) -> Result<ModelInput, TrainError> {
        let patches = see(picture);
        let slot = ImageSlot {
            role: Role::Candidate,
            grid: patches.grid,
        };
        let prompt = self.prompts.build(&task_of(brief), 1, &[slot])?;
        Ok(ModelInput {
            ids: prompt.ids,
            positions: prompt.positions,
            patches: patches.rows,
            grids: vec![patches.grid],
            prefix_len: prompt.prefix_len,
        })
    }

    /// Scores a picture.
    ///
    /// # Errors
    /// [`TrainError::Run`] where the device fails.
    pub fn score(&self, picture: &Picture, brief: &Brief) -> Result<Score, TrainError> {
        let output = pollster::block_on(self.model.evaluate(&self.input(picture, brief)?))?;
        let concepts = output.concept_logits.unwrap_or_default();
        let expected = |wanted: &str| {
            let at = CONCEPT_HEADS
                .iter()
                .position(|(name, _)| *name == wanted)
                .unwrap_or_default();
            expectation(&concepts[at][..5])
        };
        let [reject, accept] = output.pay_logits.map(f64::from);
        Ok(Score {
            clarity: expected(TRAINED[0]),
            aesthetic: expected(TRAINED[1]),
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
