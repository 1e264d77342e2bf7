//! One image against one deliverable: bytes in, verdict out.

use crate::concepts::{ConceptLogits, concepts, head_logits, p_pay, why_not};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::images::{Prepared, prepare};
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::score::{expected_usd, servimage_score};
use servimage_bench::task::Task;
use servimage_bench::verdict::{CONCEPTS, Provenance, VERDICT_SCHEMA_VERSION, Verdict};
use servimage_image::Decoded;
use servimage_model::ModelInput;
use servimage_pack::PackSource;
use servimage_prompt::Prompt;

/// What one evaluation is made from.
#[derive(Clone, Debug)]
pub struct ScoreRequest<'a> {
    /// Task that the image was made for.
    pub task: &'a Task,
    /// 1-based deliverable of the task.
    pub deliverable: u32,
    /// File name to show.
    pub image_name: &'a str,
    /// File bytes of the image under evaluation.
    pub image: &'a [u8],
    /// File bytes of the task's input image.
    pub input: Option<&'a [u8]>,
    /// File bytes of the other deliverables, sorted by name.
    pub others: &'a [Vec<u8>],
    /// File bytes of the task's reference images, sorted by name.
    pub references: &'a [Vec<u8>],
    /// Decision threshold on P(pay), 0..=1; the pack's own where absent.
    pub threshold: Option<f64>,
}

impl<S: PackSource> Engine<S> {
    /// Scores one image.
    ///
    /// # Errors
    /// [`EngineError`] where an image cannot be read, the task has no such deliverable, or the device fails.
    /// Nothing is kept of a failed image: the next one can be scored at once.
    pub async fn score(&self, request: &ScoreRequest<'_>) -> Result<Verdict, EngineError> {
        let prepared = self.prepare(request)?;
        let judged = self.evaluate(request, &prepared).await?;
        Ok(self.verdict(request, &prepared, &judged))
    }

    fn prepare(&self, request: &ScoreRequest<'_>) -> Result<Prepared, EngineError> {
        if request.task.deliverable(request.deliverable).is_none() {
            return Err(EngineError::NoDeliverable {
                task_id: request.task.task_id.clone(),
                n_deliverables: request.task.deliverables.len(),
                found: request.deliverable,
            });
        }
        prepare(request, self.manifest())
    }

    async fn evaluate(
        &self,
        request: &ScoreRequest<'_>,
        prepared: &Prepared,
    ) -> Result<Judged, EngineError> {
        let (task, deliverable) = (request.task, request.deliverable);
        let builder = self.prompt_builder();
        let prompt = builder.build(task, deliverable, &prepared.slots)?;
        if prompt.brief_cut {
            log::warn!(
                "the brief of {} is longer than the model reads and was cut",
                task.task_id
            );
        }
        let output = self
            .model()
            .evaluate(&model_input(prompt, prepared))
            .await?;
        let mut concepts = head_logits(&output);
        for concept in self.asked_concepts(request, prepared) {
            let prompt = builder.build_asking(task, deliverable, &prepared.slots, concept)?;
            let Some(prompt) = prompt else { continue };
            let answer = self
                .model()
                .evaluate(&model_input(prompt, prepared))
                .await?;
            concepts.extend(answer.digit_logits.map(|digits| (concept, digits)));
        }
        Ok(Judged {
            pay_logits: output.pay_logits,
            concepts,
        })
    }

    /// Concepts that the zero-shot head has to be asked for, one prompt each; none where a concept head answers them all.
    fn asked_concepts(&self, request: &ScoreRequest<'_>, prepared: &Prepared) -> Vec<&'static str> {
        let heads = &self.manifest().heads;
        if heads.payment || !heads.concepts.is_empty() || heads.zero_shot.is_none() {
            return Vec::new();
        }
        let applies = |concept: &&&str| {
            why_not(concept, self.manifest(), request.task, prepared.given()).is_none()
        };
        CONCEPTS.iter().filter(applies).copied().collect()
    }

    fn verdict(&self, request: &ScoreRequest<'_>, prepared: &Prepared, judged: &Judged) -> Verdict {
        let manifest = self.manifest();
        let task = request.task;
        let concepts = concepts(&judged.concepts, manifest, task, prepared.given());
        let p_pay = p_pay(judged.pay_logits, &manifest.calibration);
        let threshold = request.threshold.unwrap_or(manifest.threshold);
        let price_usd = task
            .deliverable(request.deliverable)
            .and_then(|deliverable| deliverable.price_usd);
        Verdict {
            schema_version: VERDICT_SCHEMA_VERSION,
            image: request.image_name.to_owned(),
            task_id: task.task_id.clone(),
            deliverable: request.deliverable,
            p_pay,
            pay: p_pay >= threshold,
            threshold,
            price_usd,
            expected_usd: expected_usd(p_pay, price_usd),
            servimage_score: servimage_score(&concepts, &manifest.score_weights),
            concepts,
            rules: check_rules(task, request.deliverable, &facts(&prepared.candidate)),
            provenance: self.provenance(task),
        }
    }

    fn provenance(&self, task: &Task) -> Provenance {
        let manifest = self.manifest();
        Provenance {
            pack_sha256: self.pack_sha256().to_owned(),
            pack_name: manifest.name.clone(),
            labels: manifest.labels.clone(),
            quant: manifest.quant.as_str().to_owned(),
            calibration: manifest.calibration.method.clone(),
            task_version: task.version(),
            device: self.device_name().to_owned(),
            decoder: "rust".to_owned(),
            build: format!(
                "servimage {} ({})",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::ARCH
            ),
        }
    }
}

/// What the network says of one image.
struct Judged {
    /// Logits of reject and accept.
    pay_logits: [f32; 2],
    concepts: ConceptLogits,
}

fn model_input(prompt: Prompt, prepared: &Prepared) -> ModelInput {
    ModelInput {
        ids: prompt.ids,
        positions: prompt.positions,
        patches: prepared.patches.clone(),
        grids: prepared.slots.iter().map(|slot| slot.grid).collect(),
        prefix_len: prompt.prefix_len,
    }
}

/// What the hard rules need to know of the image.
fn facts(candidate: &Decoded) -> ImageFacts {
    let facts = &candidate.facts;
    ImageFacts {
        file_type: facts.format.name().to_owned(),
        width: facts.width,
        height: facts.height,
        dpi: facts.dpi,
        has_alpha: facts.has_alpha,
        background_rgb: facts.background_rgb,
    }
}
