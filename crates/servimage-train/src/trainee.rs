//! The network with its heads as one trainable module, and the loss over a batch.
//!
//! The factor of 100 on the payment logits is the model's, not the head's: the export divides the last layer by it.
//! Small heads exist only while training: they guess damages, contents and styles from the visual tokens, what is asked for
//! from the brief's last token, which point is met and what differs from the others from the concept's pooled vector, and the
//! concepts from the payment's: a decision alone says little about what it came from.

use crate::batch::{Batch, N_SEVERITIES, PLANE};
use crate::nano::{NanoConfig, SPECIAL_IDS};
use crate::point::{N_KINDS, N_VALUES};
use crate::sets::{N_ASPECTS, N_STYLES};
use crate::truth::N_CONCEPTS;
use crate::weights::{NamedParams, Rounded, Taken, Weights};
use burn::module::{Module, Param};
use burn::tensor::activation::{gelu, log_softmax, softplus};
use burn::tensor::{Device, Int, Tensor, TensorData};
use servimage_model::heads::{AttentionPooling, ConceptHead, PaymentHead};
use servimage_model::linear::Linear;
use servimage_model::network::SequenceLayout;
use servimage_model::source::{ParamKind, ParamSource};
use servimage_model::tokens::EMBEDDING;
use servimage_model::vision::VisualTokens;
use servimage_model::{LoadError, Network, Pass};

/// Width of the layer between visual tokens and guesses.
const D_GUESS: usize = 128;

/// Everything that learns.
#[derive(Module, Debug)]
pub struct Trainee {
    embedding: Param<Tensor<2>>,
    network: Network,
    concept_pool: AttentionPooling,
    concept_head: ConceptHead,
    payment_pool: AttentionPooling,
    payment_head: PaymentHead,
    guess1: Linear,
    guess2: Linear,
    asked: Linear,
    met: Linear,
    style: Linear,
    differs: Linear,
    worth: Linear,
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
                guess1: Linear::load(&mut source, "guess.fc1", [d_model, D_GUESS], true).await?,
                guess2: Linear::load(
                    &mut source,
                    "guess.fc2",
                    [D_GUESS, N_SEVERITIES + N_VALUES],
                    true,
                )
                .await?,
                asked: Linear::load(&mut source, "asked", [d_model, N_VALUES + 1], true).await?,
                met: Linear::load(&mut source, "met", [d_model, N_KINDS], true).await?,
                style: Linear::load(&mut source, "style", [D_GUESS, N_STYLES], true).await?,
                differs: Linear::load(&mut source, "differs", [d_model, N_ASPECTS], true).await?,
                worth: Linear::load(&mut source, "worth", [d_model, N_CONCEPTS], true).await?,
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

    /// Squared error of the severities and cross-entropy of the contents, guessed from the candidates' visual tokens, and
    /// cross-entropy of the styles of sets, `[1]`.
    #[must_use]
    pub fn guess_loss(&self, visual: &VisualTokens, batch: &Batch, device: &Device) -> Tensor<1> {
        let (n_images, [n_tokens, _]) = (batch.grids.len(), visual.tokens.dims());
        let n = batch.candidates.len();
        let n_each = n_tokens / n_images;
        // What each token finds is added up: many damages are only in a part of the picture.
        let found = gelu(self.guess1.forward(visual.tokens.clone(), Pass::Concepts))
            .reshape([n_images, n_each, D_GUESS])
            .mean_dim(1)
            .reshape([n_images, D_GUESS]);
        let of_candidates = found.clone().select(0, rows(&batch.candidates, device));
        let guess = self.guess2.forward(of_candidates, Pass::Concepts);
        let truth = table(&batch.targets.severities, n, device);
        let severities = guess.clone().slice([0..n, 0..N_SEVERITIES]);
        let contents = guess.slice([0..n, N_SEVERITIES..N_SEVERITIES + N_VALUES]);
        let known = table(&batch.targets.known, n, device);
        let facts = binary_each(contents, table(&batch.targets.facts, n, device));
        let loss =
            ((severities - truth).powi_scalar(2).sum() + (facts * known).sum() * 0.15) / n as f64;
        let styles = batch.targets.styles.chunks_exact(N_STYLES);
        let styled = (0..n_images).zip(styles);
        let (images, styles): (Vec<usize>, Vec<&[f32]>) = styled
            .filter(|(_, style)| style.iter().any(|value| *value > 0.0))
            .unzip();
        if images.is_empty() {
            return loss;
        }
        let said = self
            .style
            .forward(found.select(0, rows(&images, device)), Pass::Concepts);
        let truth = table(&styles.concat(), images.len(), device);
        loss + binary_each(said, truth).sum() * 0.15 / images.len().max(n / 4) as f64
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

    /// Losses of a batch whose rows `2 i` and `2 i + 1` are a pair.
    #[must_use]
    pub fn losses(&self, batch: &Batch, device: &Device) -> Losses {
        let visual = self.see(batch, device);
        let guess = self.guess_loss(&visual, batch, device);
        let hidden = self.hidden(&visual, batch, device);
        let asked = self.asked_loss(&hidden, batch, device);
        let pooled = self.concept_pool.forward(hidden.clone(), &batch.lengths);
        let pooled = pooled.vector;
        let n = batch.ids.len();
        let judged = table(&batch.targets.judged, n, device);
        let met = self.met.forward(pooled.clone(), Pass::Concepts);
        let met = binary_each(met, table(&batch.targets.met, n, device)) * judged;
        let n_judged = batch.targets.judged.iter().sum::<f32>().max(1.0);
        let compared = table(&batch.targets.compared, n, device);
        let n_compared = batch.targets.compared.iter().sum::<f32>();
        let differs = self.differs.forward(pooled.clone(), Pass::Concepts);
        let differs = binary_each(differs, table(&batch.targets.differs, n, device)) * compared;
        let differs = differs.sum() / f64::from(n_compared.max((n * N_ASPECTS) as f32 / 4.0));
        let [brf, concept] = concept_losses(&self.concept_head.forward(pooled), batch, device);
        let payment = self.payment_pool.forward(hidden, &batch.lengths).vector;
        let worth = self.worth.forward(payment.clone(), Pass::Concepts);
        let worth = worth_loss(worth, batch, device);
        let pay = self.payment_head.forward(payment);
        let pay = (pay.clone().slice([0..n, 1..2]) - pay.slice([0..n, 0..1])).reshape([n]);
        let pairs = pay.clone().reshape([n / 2, 2]);
        let first = pairs.clone().slice([0..n / 2, 0..1]);
        let margin = (first - pairs.slice([0..n / 2, 1..2])).reshape([n / 2]);
        Losses {
            guess,
            asked,
            met: met.sum() / f64::from(n_judged) + differs,
            brf,
            concept: concept + worth,
            pay: binary(pay, column(&batch.targets.p_pay(), device)),
            order: binary(margin, column(&batch.targets.p_prefer(), device)),
        }
    }

    fn asked_loss(&self, hidden: &Tensor<3>, batch: &Batch, device: &Device) -> Tensor<1> {
        let [n, seq_len, d_model] = hidden.dims();
        let ends: Vec<usize> = (0..n).map(|i| i * seq_len + batch.brief_ends[i]).collect();
        let last = hidden
            .clone()
            .reshape([n * seq_len, d_model])
            .select(0, rows(&ends, device));
        let said = self.asked.forward(last, Pass::Concepts);
        let asked = table(&batch.targets.asked, n, device);
        let points = binary_each(said.clone().slice([0..n, 0..N_VALUES]), asked);
        // Briefs without known points may ask for anything.
        let n_points: Vec<f32> = batch
            .targets
            .judged
            .chunks_exact(N_KINDS)
            .map(|judged| {
                if judged.iter().any(|j| *j > 0.0) {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        let price =
            said.slice([0..n, N_VALUES..N_VALUES + 1]) - table(&batch.targets.prices, n, device);
        ((points * table(&n_points, n, device)).sum() * 0.3 + price.powi_scalar(2).sum() * 0.3)
            / n as f64
    }
}

/// Cross-entropy of the brief's score, and of the other concepts, each over the examples to which it applies.
fn concept_losses(logits: &[Tensor<2>], batch: &Batch, device: &Device) -> [Tensor<1>; 2] {
    let n = batch.ids.len();
    let mut losses = [
        Tensor::<1>::zeros([1], device),
        Tensor::<1>::zeros([1], device),
    ];
    for i in 0..N_CONCEPTS {
        let labels = &batch.targets.concepts[i];
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

/// Squared error of `[batch, N_CONCEPTS]` guesses of the scores, 0..=1, of those that apply, summed over them.
fn worth_loss(said: Tensor<2>, batch: &Batch, device: &Device) -> Tensor<1> {
    let n = batch.ids.len();
    let (mut truth, mut applies) = (Vec::new(), Vec::new());
    for i in 0..n {
        for labels in &batch.targets.concepts {
            let label = &labels[5 * i..5 * i + 5];
            let mean: f32 = label
                .iter()
                .zip(0_u8..)
                .map(|(p, class)| p * f32::from(class))
                .sum();
            truth.push(mean / 4.0);
            applies.push(label.iter().sum::<f32>());
        }
    }
    let error = (said - table(&truth, n, device)) * table(&applies, n, device);
    error.powi_scalar(2).sum() * 2.0 / n as f64
}

fn rows(indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i32> = indices.iter().map(|&i| i as i32).collect();
    let n = indices.len();
    Tensor::from_data(TensorData::new(indices, [n]), device)
}

fn table(values: &[f32], n: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [n, values.len() / n]),
        device,
    )
}

pub(crate) fn column(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Cross-entropy of log-odds against probabilities, value by value.
fn binary_each(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    softplus(logits.clone(), 1.0) - logits * targets
}

/// Mean cross-entropy of log-odds against probabilities.
pub(crate) fn binary(logits: Tensor<1>, targets: Tensor<1>) -> Tensor<1> {
    (softplus(logits.clone(), 1.0) - logits * targets).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::soft_label;

    #[test]
    fn only_concepts_that_apply_count_towards_the_worth() {
        let device = Device::flex();
        let mut batch = Batch {
            ids: vec![Vec::new(); 2],
            ..Batch::default()
        };
        for (i, labels) in batch.targets.concepts.iter_mut().enumerate() {
            let label = if i < 2 { soft_label(3.0) } else { [0.0; 5] };
            labels.extend([label, label].concat());
        }
        let loss = |off: f32| {
            // 3 of 1..=5 is half of the way; what is said where nothing applies is nonsense.
            let said = [0.5 + off, 0.5, 9.0, -9.0, 9.0, -9.0, 9.0].repeat(2);
            let loss = worth_loss(table(&said, 2, &device), &batch, &device);
            loss.into_data().iter::<f32>().sum::<f32>()
        };
        assert_eq!(loss(0.0), 0.0);
        assert!((loss(0.1) - 0.02).abs() < 1e-6, "{}", loss(0.1));
    }
}
