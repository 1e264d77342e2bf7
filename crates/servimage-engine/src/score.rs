//! Images against a deliverable: bytes in, verdicts out.

use crate::attention::attention;
use crate::concepts::{ConceptLogits, concepts, head_logits, p_pay, why_not};
use crate::device::Compute;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::images::{CutImages, cut_images, slots_beside};
use servimage_bench::message::Beside;
use servimage_bench::rules::check_rules;
use servimage_bench::score::{expected_usd, servimage_score};
use servimage_bench::task::Task;
use servimage_bench::verdict::{Attention, CONCEPTS, Provenance, VERDICT_SCHEMA_VERSION, Verdict};
use servimage_image::Limits;
use servimage_model::error::RunError;
use servimage_model::{Between, GoOn, ModelInput, ModelOutput};
use servimage_pack::PackSource;
use servimage_prompt::Prompt;

/// Images that go through the network together on a GPU: on SwiftShader 4 take 685 ms an image, one alone 781 (`cargo xtask bench page`,
/// 2026-11-25).
const GPU_BATCH: usize = 4;

/// The same on the CPU, where it neither gains nor costs (54 to 56 ms each for 1, 2, 4 and 7).
const CPU_BATCH: usize = 4;

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
    /// What may be decoded.
    pub limits: Limits,
    /// Format of the file where a browser decoded it and `image` is what it drew; absent where `image` is the file.
    pub browser_format: Option<&'a str>,
}

impl<'a> ScoreRequest<'a> {
    /// An image alone, within the usual limits and judged by the pack's own threshold; `..` takes the rest from here.
    pub fn new(task: &'a Task, deliverable: u32, image_name: &'a str, image: &'a [u8]) -> Self {
        Self {
            task,
            deliverable,
            image_name,
            image,
            input: None,
            others: &[],
            references: &[],
            threshold: None,
            limits: Limits::default(),
            browser_format: None,
        }
    }
}

/// An image that is decoded, cut and in its place in the prompt: all that is left is the network. Made by [`Engine::read`].
pub struct ReadyImage {
    task: Task,
    deliverable: u32,
    image_name: String,
    threshold: Option<f64>,
    /// Without its patches, which are in `input`.
    images: CutImages,
    input: ModelInput,
}

impl ReadyImage {
    pub(crate) fn input(&self) -> &ModelInput {
        &self.input
    }
}

impl<S: PackSource> Engine<S> {
    /// Scores one image.
    ///
    /// # Errors
    /// [`EngineError`] where an image cannot be read, the task has no such deliverable, or the device fails.
    /// Nothing is kept of a failed image: the next one can be scored at once.
    pub async fn score(&self, request: &ScoreRequest<'_>) -> Result<Verdict, EngineError> {
        let image = self.read(request)?;
        let judged = self.judge_alone(&image, &GoOn).await?;
        Ok(self.verdict(&image, &judged))
    }

    /// Decodes an image and all that comes with it, and writes its prompt. The bytes are not needed any more then.
    ///
    /// # Errors
    /// As [`Engine::score`], but for the device.
    pub fn read(&self, request: &ScoreRequest<'_>) -> Result<ReadyImage, EngineError> {
        let (task, deliverable) = (request.task, request.deliverable);
        if task.deliverable(deliverable).is_none() {
            return Err(EngineError::NoDeliverable {
                task_id: task.task_id.clone(),
                n_deliverables: task.deliverables.len(),
                found: deliverable,
            });
        }
        let mut images = cut_images(request, self.manifest())?;
        let builder = self.prompt_builder();
        let prompt = builder.build(task, deliverable, &images.slots)?;
        if prompt.brief_cut {
            log::warn!(
                "the brief of {} is longer than the model reads and was cut",
                task.task_id
            );
        }
        let patches = std::mem::take(&mut images.patches);
        let input = model_input(prompt, patches, &images);
        Ok(ReadyImage {
            task: task.clone(),
            deliverable,
            image_name: request.image_name.to_owned(),
            threshold: request.threshold,
            images,
            input,
        })
    }

    /// Judges images in their order. Neighbours whose prompts begin alike, as those of one deliverable do, go through the network
    /// together, so give it at most [`Engine::batch_len`] at once. Equal to [`Engine::score`] but for rounding; an image that
    /// fails fails alone.
    pub async fn judge(&self, images: &[ReadyImage]) -> Vec<Result<Verdict, EngineError>> {
        self.judge_between(images, &GoOn).await
    }

    /// [`Engine::judge`] with a stop behind each layer, where all that are under way can be ended: those that are not done then
    /// come out as [`RunError::Stopped`].
    pub async fn judge_between(
        &self,
        images: &[ReadyImage],
        between: &impl Between,
    ) -> Vec<Result<Verdict, EngineError>> {
        let mut results = Vec::with_capacity(images.len());
        for group in images.chunk_by(|a, b| same_prefix(&a.input, &b.input)) {
            match self.judge_together(group, between).await {
                Some(judged) => {
                    let verdicts = group.iter().zip(&judged);
                    results.extend(verdicts.map(|(image, judged)| Ok(self.verdict(image, judged))));
                }
                None => {
                    for image in group {
                        let judged = self.judge_alone(image, between).await;
                        results.push(judged.map(|judged| self.verdict(image, &judged)));
                    }
                }
            }
        }
        results
    }

    /// Images that go through the network together at most.
    pub fn batch_len(&self) -> usize {
        match self.device().compute {
            Compute::Gpu => GPU_BATCH,
            Compute::Cpu => CPU_BATCH,
        }
    }

    /// Reads the text that all images of a deliverable share, unless it is kept from before: the first one then costs
    /// no more than a later one.
    ///
    /// # Errors
    /// [`EngineError`] where the task has no such deliverable, its prompt cannot be written or the device fails.
    pub async fn prepare(
        &self,
        task: &Task,
        deliverable: u32,
        beside: Beside,
    ) -> Result<(), EngineError> {
        let slots = slots_beside(beside, self.manifest());
        let prompt = self.prompt_builder().build(task, deliverable, &slots)?;
        let len = prompt.prefix_len;
        let (ids, positions) = (&prompt.ids[..len], &prompt.positions[..len]);
        Ok(self.model().prepare(ids, positions).await?)
    }

    /// One pass for all; absent where that has no use or fails, so that each is tried by itself and has its own error.
    async fn judge_together(
        &self,
        images: &[ReadyImage],
        between: &impl Between,
    ) -> Option<Vec<Judged>> {
        if images.len() < 2 || self.is_zero_shot() {
            return None;
        }
        let inputs: Vec<&ModelInput> = images.iter().map(|image| &image.input).collect();
        match self.model().evaluate_batch_between(&inputs, between).await {
            Ok(outputs) => {
                let both = images.iter().zip(&outputs);
                Some(
                    both.map(|(image, output)| self.judged(image, output))
                        .collect(),
                )
            }
            // Each by itself stops at its first layer.
            Err(RunError::Stopped) => None,
            Err(error) => {
                let n = images.len();
                log::warn!("{n} images failed together and are tried one by one: {error}");
                None
            }
        }
    }

    async fn judge_alone(
        &self,
        image: &ReadyImage,
        between: &impl Between,
    ) -> Result<Judged, EngineError> {
        let output = self.model().evaluate_between(&image.input, between).await?;
        let mut judged = self.judged(image, &output);
        for concept in self.asked_concepts(image) {
            let (task, slots) = (&image.task, &image.images.slots);
            let builder = self.prompt_builder();
            let prompt = builder.build_asking(task, image.deliverable, slots, concept)?;
            let Some(prompt) = prompt else { continue };
            let input = model_input(prompt, image.input.patches.clone(), &image.images);
            let answer = self.model().evaluate_between(&input, between).await?;
            let digits = answer.digit_logits.map(|digits| (concept, digits));
            judged.concepts.extend(digits);
        }
        Ok(judged)
    }

    /// Concepts that the zero-shot head has to be asked for, one prompt each; none where a concept head answers them all.
    fn asked_concepts(&self, image: &ReadyImage) -> Vec<&'static str> {
        if !self.is_zero_shot() {
            return Vec::new();
        }
        let applies = |concept: &&&str| {
            why_not(concept, self.manifest(), &image.task, image.images.given()).is_none()
        };
        CONCEPTS.iter().filter(applies).copied().collect()
    }

    /// Whether the pack answers with digits instead of trained heads.
    fn is_zero_shot(&self) -> bool {
        let heads = &self.manifest().heads;
        !heads.payment && heads.concepts.is_empty() && heads.zero_shot.is_some()
    }

    fn judged(&self, image: &ReadyImage, output: &ModelOutput) -> Judged {
        let manifest = self.manifest();
        let (token, merge) = (
            manifest.special_tokens.image,
            manifest.vision.spatial_merge_size,
        );
        let map = || attention(output, &image.input, token, merge);
        Judged {
            pay_logits: output.pay_logits,
            concepts: head_logits(output),
            attention: manifest.heads.payment.then(map).flatten(),
        }
    }

    fn verdict(&self, image: &ReadyImage, judged: &Judged) -> Verdict {
        let manifest = self.manifest();
        let (task, deliverable) = (&image.task, image.deliverable);
        let concepts = concepts(&judged.concepts, manifest, task, image.images.given());
        let p_pay = p_pay(judged.pay_logits, &manifest.calibration);
        let threshold = image.threshold.unwrap_or(manifest.threshold);
        let price_usd = task
            .deliverable(deliverable)
            .and_then(|deliverable| deliverable.price_usd);
        Verdict {
            schema_version: VERDICT_SCHEMA_VERSION,
            image: image.image_name.clone(),
            task_id: task.task_id.clone(),
            deliverable,
            p_pay,
            pay: p_pay >= threshold,
            threshold,
            price_usd,
            expected_usd: expected_usd(p_pay, price_usd),
            servimage_score: servimage_score(&concepts, &manifest.score_weights),
            concepts,
            rules: check_rules(task, deliverable, &image.images.facts),
            image_notes: image.images.notes.clone(),
            attention: judged.attention.clone(),
            provenance: self.provenance(task, image.images.decoder),
        }
    }

    fn provenance(&self, task: &Task, decoder: &str) -> Provenance {
        let manifest = self.manifest();
        Provenance {
            pack_sha256: self.pack_sha256().to_owned(),
            pack_name: manifest.name.clone(),
            labels: manifest.labels.clone(),
            quant: manifest.quant.as_str().to_owned(),
            calibration: manifest.calibration.method.clone(),
            task_version: task.version(),
            device: self.device_name().to_owned(),
            self_test: self.self_test().words(),
            decoder: decoder.to_owned(),
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
    attention: Option<Attention>,
}

fn same_prefix(a: &ModelInput, b: &ModelInput) -> bool {
    a.prefix_len == b.prefix_len
        && a.ids[..a.prefix_len] == b.ids[..b.prefix_len]
        && a.positions[..a.prefix_len] == b.positions[..b.prefix_len]
}

fn model_input(prompt: Prompt, patches: Vec<f32>, images: &CutImages) -> ModelInput {
    ModelInput {
        ids: prompt.ids,
        positions: prompt.positions,
        patches,
        grids: images.slots.iter().map(|slot| slot.grid).collect(),
        prefix_len: prompt.prefix_len,
    }
}
