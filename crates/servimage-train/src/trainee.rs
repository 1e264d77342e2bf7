//! The network with its heads as one trainable module, and the loss over a batch.
//!
//! The factor of 100 on the payment logits is the model's, not the head's: the export divides the last layer by it.

use crate::batch::{Batch, TRAINED_DAMAGES};
use crate::nano::{NanoConfig, SPECIAL_IDS};
use crate::weights::{NamedParams, Rounded, Taken, Weights};
use burn::module::{Module, Param};
use burn::tensor::activation::{gelu, log_softmax, softplus};
use burn::tensor::{Device, Int, Tensor, TensorData};
use servimage_model::heads::{AttentionPooling, CONCEPT_HEADS, ConceptHead, PaymentHead};
use servimage_model::linear::Linear;
use servimage_model::network::SequenceLayout;
use servimage_model::source::{ParamKind, ParamSource};
use servimage_model::tokens::EMBEDDING;
use servimage_model::vision::VisualTokens;
use servimage_model::{LoadError, Network, Pass};

/// Concepts that this crate trains, in the order of [`Batch::concepts`].
pub const TRAINED: [&str; 2] = ["veq_clarity", "veq_aesthetic"];

/// Everything that learns.
#[derive(Module, Debug)]
pub struct Trainee {
    embedding: Param<Tensor<2>>,
    network: Network,
    concept_pool: AttentionPooling,
    concept_head: ConceptHead,
    payment_pool: AttentionPooling,
    payment_head: PaymentHead,
    /// Only for training: guesses the severity of each damage from the visual tokens alone.
    guess1: Linear,
    guess2: Linear,
}

/// What the heads say about a batch.
#[derive(Clone, Debug)]
pub struct Answers {
    /// One `[batch, 5]` log-distribution over the scores 1..=5 for each of [`TRAINED`].
    pub concepts: Vec<Tensor<2>>,
    /// `[batch]` log-odds of payment.
    pub pay: Tensor<1>,
    /// `[1]` see [`Trainee::guess_loss`].
    pub guess: Tensor<1>,
}

/// Parts of a loss, each `[1]`.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Cross-entropy of the concepts, summed over them.
    pub concept: Tensor<1>,
    /// Cross-entropy of the payment.
    pub pay: Tensor<1>,
    /// Cross-entropy of which copy of a pair is preferred.
    pub order: Tensor<1>,
}

impl Trainee {
    /// Builds the modules of `weights`, on `rounded` values where there are any, drawing from `seed` what is missing.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor has another shape.
    pub fn build(
        weights: &mut Weights,
        rounded: &Rounded,
        config: &NanoConfig,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, Vec<Taken>), LoadError> {
        let mut source = NamedParams::new(weights, rounded, seed, device);
        let d_model = config.text.d_model;
        let trainee = pollster::block_on(async {
            Ok::<_, LoadError>(Self {
                embedding: source
                    .param(
                        EMBEDDING,
                        [config.text.vocab_size, d_model],
                        ParamKind::Table,
                    )
                    .await?,
                network: Network::load(&mut source, &config.text, &config.vision).await?,
                concept_pool: AttentionPooling::load(&mut source, "stage1", d_model).await?,
                concept_head: ConceptHead::load(&mut source, config.concept_widths).await?,
                payment_pool: AttentionPooling::load(&mut source, "stage2", d_model).await?,
                payment_head: PaymentHead::load(&mut source, config.payment_widths).await?,
                guess1: Linear::load(&mut source, "guess.fc1", [d_model, 64], true).await?,
                guess2: Linear::load(&mut source, "guess.fc2", [64, TRAINED_DAMAGES.len()], true)
                    .await?,
            })
        })?;
        let taken = source.taken;
        Ok((trainee, taken))
    }

    /// The vision tower over the pictures of a batch.
    #[must_use]
    pub fn see(&self, batch: &Batch, device: &Device) -> VisualTokens {
        let n_patches = batch.grids.iter().map(|g| g[0] * g[1] * g[2]).sum::<u32>() as usize;
        let d_patch = batch.patches.len() / n_patches;
        let patches = Tensor::from_data(
            TensorData::new(batch.patches.clone(), [n_patches, d_patch]),
            device,
        );
        self.network.see(patches, &batch.grids, Pass::Concepts)
    }

    /// Squared error of the severities guessed from the visual tokens, summed over damages, `[1]`.
    #[must_use]
    pub fn guess_loss(&self, visual: &VisualTokens, batch: &Batch, device: &Device) -> Tensor<1> {
        let (n, [n_tokens, d_model]) = (batch.grids.len(), visual.tokens.dims());
        let pooled = visual
            .tokens
            .clone()
            .reshape([n, n_tokens / n, d_model])
            .mean_dim(1)
            .reshape([n, d_model]);
        let guess = self.guess2.forward(
            gelu(self.guess1.forward(pooled, Pass::Concepts)),
            Pass::Concepts,
        );
        let truth = Tensor::<2>::from_data(
            TensorData::new(batch.severities.clone(), [n, TRAINED_DAMAGES.len()]),
            device,
        );
        (guess - truth).powi_scalar(2).sum() / n as f64
    }

    /// [`Trainee::guess_loss`] of a batch, without the text tower.
    #[must_use]
    pub fn vision_loss(&self, batch: &Batch, device: &Device) -> Tensor<1> {
        self.guess_loss(&self.see(batch, device), batch, device)
    }

    /// Last hidden states of a batch: `[batch, seq_len, d_model]`.
    fn hidden(&self, visual: &VisualTokens, batch: &Batch, device: &Device) -> Tensor<3> {
        let text: Vec<i32> = batch
            .ids
            .iter()
            .flatten()
            .filter(|&&id| id != SPECIAL_IDS.image)
            .map(|&id| id as i32)
            .collect();
        let n_text = text.len();
        let rows = self.embedding.val().select(
            0,
            Tensor::<1, Int>::from_data(TensorData::new(text, [n_text]), device),
        );
        let mut layout = SequenceLayout::default();
        for (ids, positions) in batch.ids.iter().zip(&batch.positions) {
            layout.push(ids, positions, SPECIAL_IDS.image);
        }
        let hidden = self
            .network
            .read(&rows, Some(visual), &layout, &[], Pass::Concepts);
        let [n_rows, d_model] = hidden.dims();
        let n = batch.ids.len();
        hidden.reshape([n, n_rows / n, d_model])
    }

    /// Pooled vectors of the concept and the payment head, each `[batch, d_model]`.
    #[must_use]
    pub fn pooled(&self, batch: &Batch, device: &Device) -> [Tensor<2>; 2] {
        let hidden = self.hidden(&self.see(batch, device), batch, device);
        [&self.concept_pool, &self.payment_pool]
            .map(|pool| pool.forward(hidden.clone(), &batch.lengths).vector)
    }

    /// Runs a batch.
    #[must_use]
    pub fn forward(&self, batch: &Batch, device: &Device) -> Answers {
        let visual = self.see(batch, device);
        let guess = self.guess_loss(&visual, batch, device);
        let hidden = self.hidden(&visual, batch, device);
        let pooled = self
            .concept_pool
            .forward(hidden.clone(), &batch.lengths)
            .vector;
        let logits = self.concept_head.forward(pooled);
        let trained = CONCEPT_HEADS
            .iter()
            .zip(logits)
            .filter(|((name, _), _)| TRAINED.contains(name));
        let concepts = trained.map(|(_, logits)| scores_only(logits)).collect();
        let pay = self
            .payment_head
            .forward(self.payment_pool.forward(hidden, &batch.lengths).vector);
        let n = batch.ids.len();
        let pay = (pay.clone().slice([0..n, 1..2]) - pay.slice([0..n, 0..1])).reshape([n]);
        Answers {
            concepts,
            pay,
            guess,
        }
    }
}

/// Log-distribution over the scores, the class N/A left out.
fn scores_only(logits: Tensor<2>) -> Tensor<2> {
    let [n, _] = logits.dims();
    log_softmax(logits.slice([0..n, 0..5]), 1)
}

/// Losses of a batch whose rows `2 i` and `2 i + 1` are two copies of one picture under one brief.
#[must_use]
pub fn losses(answers: &Answers, batch: &Batch, device: &Device) -> Losses {
    let n = batch.ids.len();
    let column = |values: &[f32]| {
        Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
    };
    let mut concept = Tensor::<1>::zeros([1], device);
    for (log_scores, labels) in answers.concepts.iter().zip(&batch.concepts) {
        let labels = Tensor::<2>::from_data(TensorData::new(labels.clone(), [n, 5]), device);
        concept = concept - (log_scores.clone() * labels).sum() / n as f64;
    }
    let pay = binary(answers.pay.clone(), column(&batch.p_pay));
    let pairs = answers.pay.clone().reshape([n / 2, 2]);
    let first = pairs.clone().slice([0..n / 2, 0..1]);
    let margin = (first - pairs.slice([0..n / 2, 1..2])).reshape([n / 2]);
    let order = binary(margin, column(&batch.p_prefer));
    Losses {
        concept,
        pay,
        order,
    }
}

/// Mean cross-entropy of log-odds against probabilities.
fn binary(logits: Tensor<1>, targets: Tensor<1>) -> Tensor<1> {
    (softplus(logits.clone(), 1.0) - logits * targets).mean()
}
