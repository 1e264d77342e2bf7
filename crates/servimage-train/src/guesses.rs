//! Heads that exist only while training, and what they learn from.
//!
//! They guess damages and where they show, contents and styles from the visual tokens, what is asked for from the brief's last
//! token, which point is met and what differs from the others from the concept's pooled vector, and the concepts from the
//! payment's: a decision alone says little about what it came from.

use crate::batch::{Batch, N_SEVERITIES};
use crate::marks::N_MARKS;
use crate::point::{N_KINDS, N_VALUES};
use crate::sets::{N_ASPECTS, N_STYLES};
use crate::trainee::{binary_each, rows, table};
use crate::truth::N_CONCEPTS;
use burn::module::Module;
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};
use servimage_model::linear::Linear;
use servimage_model::source::ParamSource;
use servimage_model::vision::VisualTokens;
use servimage_model::{LoadError, Pass};

/// Width of the layer between visual tokens and guesses.
const D_GUESS: usize = 128;

/// The heads.
#[derive(Module, Debug)]
pub struct Guesses {
    found: Linear,
    seen: Linear,
    marks: Linear,
    asked: Linear,
    met: Linear,
    style: Linear,
    differs: Linear,
    worth: Linear,
}

impl Guesses {
    /// Builds them.
    ///
    /// # Errors
    /// [`LoadError`] where a tensor has another shape.
    pub async fn load<S: ParamSource>(source: &mut S, d_model: usize) -> Result<Self, LoadError> {
        let n_seen = N_SEVERITIES + N_VALUES;
        Ok(Self {
            found: Linear::load(source, "guess.fc1", [d_model, D_GUESS], true).await?,
            seen: Linear::load(source, "guess.fc2", [D_GUESS, n_seen], true).await?,
            marks: Linear::load(source, "marks", [D_GUESS, N_MARKS], true).await?,
            asked: Linear::load(source, "asked", [d_model, N_VALUES + 1], true).await?,
            met: Linear::load(source, "met", [d_model, N_KINDS], true).await?,
            style: Linear::load(source, "style", [D_GUESS, N_STYLES], true).await?,
            differs: Linear::load(source, "differs", [d_model, N_ASPECTS], true).await?,
            worth: Linear::load(source, "worth", [d_model, N_CONCEPTS], true).await?,
        })
    }

    /// Squared error of the severities and cross-entropy of the contents, guessed from the candidates' visual tokens,
    /// cross-entropy of where damages show and of the styles of sets, `[1]`.
    #[must_use]
    pub fn seen_loss(&self, visual: &VisualTokens, batch: &Batch, device: &Device) -> Tensor<1> {
        let (n_images, [n_tokens, _]) = (batch.grids.len(), visual.tokens.dims());
        let n = batch.candidates.len();
        let n_each = n_tokens / n_images;
        // What each token finds is added up: many damages are only in a part of the picture.
        let each = gelu(self.found.forward(visual.tokens.clone(), Pass::Concepts))
            .reshape([n_images, n_each, D_GUESS]);
        let of_each = each.clone().select(0, rows(&batch.candidates, device));
        let marks = self.marks_loss(of_each, batch, device);
        let found = each.mean_dim(1).reshape([n_images, D_GUESS]);
        let of_candidates = found.clone().select(0, rows(&batch.candidates, device));
        let guess = self.seen.forward(of_candidates, Pass::Concepts);
        let truth = table(&batch.targets.severities, n, device);
        let severities = guess.clone().slice([0..n, 0..N_SEVERITIES]);
        let contents = guess.slice([0..n, N_SEVERITIES..N_SEVERITIES + N_VALUES]);
        let known = table(&batch.targets.known, n, device);
        let facts = binary_each(contents, table(&batch.targets.facts, n, device));
        let loss = ((severities - truth).powi_scalar(2).sum() + (facts * known).sum() * 0.15)
            / n as f64
            + marks;
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

    /// Cross-entropy of how much of each cell each kind of mark changed, `[1]`, from `[batch, cells, D_GUESS]`.
    fn marks_loss(&self, each: Tensor<3>, batch: &Batch, device: &Device) -> Tensor<1> {
        let [n, n_each, _] = each.dims();
        let said = self
            .marks
            .forward(each.reshape([n * n_each, D_GUESS]), Pass::Concepts)
            .reshape([n, n_each * N_MARKS]);
        let loss = binary_each(said, table(&batch.targets.marks, n, device));
        let n_marked = batch.targets.marked.iter().sum::<f32>().max(1.0);
        (loss * table(&batch.targets.marked, n, device)).sum() * 0.5
            / f64::from(n_marked * n_each as f32)
    }

    /// Cross-entropy of what is asked for, and squared error of the price's logarithm, `[1]`, from `[batch, seq_len, d_model]`.
    #[must_use]
    pub fn asked_loss(&self, hidden: &Tensor<3>, batch: &Batch, device: &Device) -> Tensor<1> {
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

    /// Cross-entropy of which points are met, and of what differs from the others of a set, `[1]`, from `[batch, d_model]`.
    #[must_use]
    pub fn met_loss(&self, pooled: &Tensor<2>, batch: &Batch, device: &Device) -> Tensor<1> {
        let (n, targets) = (batch.ids.len(), &batch.targets);
        let judged = table(&targets.judged, n, device);
        let met = self.met.forward(pooled.clone(), Pass::Concepts);
        let met = binary_each(met, table(&targets.met, n, device)) * judged;
        let n_judged = targets.judged.iter().sum::<f32>().max(1.0);
        let compared = table(&targets.compared, n, device);
        let n_compared = targets.compared.iter().sum::<f32>();
        let differs = self.differs.forward(pooled.clone(), Pass::Concepts);
        let differs = binary_each(differs, table(&targets.differs, n, device)) * compared;
        let n_compared = n_compared.max((n * N_ASPECTS) as f32 / 4.0);
        met.sum() / f64::from(n_judged) + differs.sum() / f64::from(n_compared)
    }

    /// Squared error of the scores, 0..=1, of the concepts that apply, summed over them, `[1]`, from `[batch, d_model]`.
    #[must_use]
    pub fn worth_loss(&self, payment: &Tensor<2>, batch: &Batch, device: &Device) -> Tensor<1> {
        let said = self.worth.forward(payment.clone(), Pass::Concepts);
        worth_loss(said, batch, device)
    }
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
