//! The network with its heads as one trainable module, and the loss over a batch.
//!
//! The factor of 100 on the payment logits is the model's, not the head's: the export divides the last layer by it.
//! Heads that exist only while training are in [`crate::guesses`].

use crate::batch::{Batch, PLANE, Targets};
use crate::guesses::Guesses;
use crate::nano::{NanoConfig, SPECIAL_IDS};
use crate::truth::N_CONCEPTS;
use crate::weights::{NamedParams, Rounded, Taken, Weights};
use burn::module::{Module, Param};
use burn::tensor::activation::{log_softmax, softplus};
use burn::tensor::{Device, Int, Tensor, TensorData};
use servimage_model::heads::{AttentionPooling, ConceptHead, PaymentHead};
use servimage_model::network::SequenceLayout;
use servimage_model::source::{ParamKind, ParamSource};
use servimage_model::tokens::EMBEDDING;
use servimage_model::vision::VisualTokens;
use servimage_model::{LoadError, Network, Pass};

/// Everything that learns.
#[derive(Module, Debug)]
pub struct Trainee {
    embedding: Param<Tensor<2>>,
    network: Network,
    concept_pool: AttentionPooling,
    concept_head: ConceptHead,
    payment_pool: AttentionPooling,
    payment_head: PaymentHead,
    guesses: Guesses,
}

/// Parts of a loss, each `[1]`.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Squared error of the severities and cross-entropy of contents and styles guessed from the visual tokens.
    pub guess: Tensor<1>,
    /// Cross-entropy of what is asked for, and squared error of the price's logarithm.
    pub asked: Tensor<1>,
    /// Cross-entropy of which points are met, and of what differs from the others of a set.
    pub met: Tensor<1>,
    /// Cross-entropy of the brief's score.
    pub brf: Tensor<1>,
    /// Cross-entropy of the other concepts, summed over them, and squared error of all in the payment's vector.
    pub concept: Tensor<1>,
    /// Cross-entropy of the payment.
    pub pay: Tensor<1>,
    /// Cross-entropy of which example of a pair is preferred.
    pub order: Tensor<1>,
}

impl Losses {
    /// What is learned from.
    #[must_use]
    pub fn total(&self) -> Tensor<1> {
        self.guess.clone() * 2.0
            + self.asked.clone()
            + self.met.clone() * 2.0
            + self.brf.clone() * 1.5
            + self.concept.clone()
            + self.pay.clone()
            + self.order.clone() * 0.5
    }

    /// `[7]` the parts in the order of the fields.
    #[must_use]
    pub fn parts(&self) -> Tensor<1> {
        let parts = [
            &self.guess,
            &self.asked,
            &self.met,
            &self.brf,
            &self.concept,
            &self.pay,
            &self.order,
        ];
        Tensor::cat(parts.map(Clone::clone).to_vec(), 0)
    }
}

impl Trainee {
    /// Builds the modules of `weights`, on `rounded` values where there are any, drawing from `seed` what is missing; that
    /// comes back as the third.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor has another shape.
    pub fn build(
        weights: &Weights,
        rounded: &Rounded,
        config: &NanoConfig,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, Vec<Taken>, Weights), LoadError> {
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
                guesses: Guesses::load(&mut source, d_model).await?,
            })
        })?;
        Ok((trainee, source.taken, source.started))
    }

    /// The vision tower over the images of a batch.
    #[must_use]
    pub fn see(&self, batch: &Batch, device: &Device) -> VisualTokens {
        let n_patches = batch.frames.len() / (3 * PLANE);
        let frames = TensorData::new(batch.frames.clone(), [n_patches, 3, 1, PLANE]);
        let patches = Tensor::<4>::from_data(frames, device)
            .repeat_dim(2, 2)
            .reshape([n_patches, 6 * PLANE]);
        self.network.see(patches, &batch.grids, Pass::Concepts)
    }

    /// [`Guesses::seen_loss`] of a batch, without the text tower.
    #[must_use]
    pub fn vision_loss(&self, batch: &Batch, device: &Device) -> Tensor<1> {
        self.guesses
            .seen_loss(&self.see(batch, device), batch, device)
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

    /// Losses of a batch whose rows `2 i` and `2 i + 1` are a pair.
    #[must_use]
    pub fn losses(&self, batch: &Batch, device: &Device) -> Losses {
        let visual = self.see(batch, device);
        let guess = self.guesses.seen_loss(&visual, batch, device);
        let hidden = self.hidden(&visual, batch, device);
        let asked = self.guesses.asked_loss(&hidden, batch, device);
        let pooled = self.concept_pool.forward(hidden.clone(), &batch.lengths);
        let pooled = pooled.vector;
        let met = self.guesses.met_loss(&pooled, batch, device);
        let concepts = self.concept_head.forward(pooled);
        let [brf, concept] = concept_losses(&concepts, &batch.targets, device);
        let payment = self.payment_pool.forward(hidden, &batch.lengths).vector;
        let worth = self.guesses.worth_loss(&payment, batch, device);
        let said = self.payment_head.forward(payment);
        let [pay, order] = payment_losses(said, &batch.targets, device);
        Losses {
            guess,
            asked,
            met,
            brf,
            concept: concept + worth,
            pay,
            order,
        }
    }
}

/// Cross-entropy of the brief's score, and of the other concepts, each over the examples to which it applies.
fn concept_losses(logits: &[Tensor<2>], targets: &Targets, device: &Device) -> [Tensor<1>; 2] {
    let n = targets.pay_logits.len();
    let mut losses = [
        Tensor::<1>::zeros([1], device),
        Tensor::<1>::zeros([1], device),
    ];
    for i in 0..N_CONCEPTS {
        let labels = &targets.concepts[i];
        let n_applicable = labels.iter().sum::<f32>();
        if n_applicable == 0.0 {
            continue;
        }
        let log_scores = log_softmax(logits[i].clone().slice([0..n, 0..5]), 1);
        let loss = (log_scores * table(labels, n, device)).sum()
            / f64::from(-n_applicable.max(n as f32 / 4.0));
        let part = &mut losses[usize::from(i > 0)];
        *part = part.clone() + loss;
    }
    losses
}

/// Log-odds of payment, `[n]`, of the logits of reject and accept, `[n, 2]`.
pub(crate) fn log_odds(said: Tensor<2>) -> Tensor<1> {
    let [n, _] = said.dims();
    (said.clone().slice([0..n, 1..2]) - said.slice([0..n, 0..1])).reshape([n])
}

/// Cross-entropy of the payment, and of which example of a pair is preferred, from the `[batch, 2]` that a payment head says.
pub(crate) fn payment_losses(
    said: Tensor<2>,
    targets: &Targets,
    device: &Device,
) -> [Tensor<1>; 2] {
    let n = targets.pay_logits.len();
    let pay = log_odds(said);
    let pairs = pay.clone().reshape([n / 2, 2]);
    let first = pairs.clone().slice([0..n / 2, 0..1]);
    let margin = (first - pairs.slice([0..n / 2, 1..2])).reshape([n / 2]);
    [
        binary(pay, column(&targets.p_pay(), device)),
        binary(margin, column(&targets.p_prefer(), device)),
    ]
}

pub(crate) fn rows(indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i32> = indices.iter().map(|&i| i as i32).collect();
    let n = indices.len();
    Tensor::from_data(TensorData::new(indices, [n]), device)
}

pub(crate) fn table(values: &[f32], n: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [n, values.len() / n]),
        device,
    )
}

pub(crate) fn column(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Cross-entropy of log-odds against probabilities, value by value.
pub(crate) fn binary_each(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    softplus(logits.clone(), 1.0) - logits * targets
}

/// Mean cross-entropy of log-odds against probabilities.
pub(crate) fn binary(logits: Tensor<1>, targets: Tensor<1>) -> Tensor<1> {
    (softplus(logits.clone(), 1.0) - logits * targets).mean()
}
