//! Batches for training: pairs of examples with what is true of each.
//!
//! A batch is a function of the seed, the step and the plan alone, so a resumed run sees what an uninterrupted one would.

use crate::brief::Brief;
use crate::damage::Damage;
use crate::error::TrainError;
use crate::marks;
use crate::nano::processor;
use crate::picture::Picture;
use crate::point::{N_KINDS, N_VALUES};
use crate::sets::{N_ASPECTS, N_STYLES};
use crate::truth::{N_CONCEPTS, sigmoid, soft_label};
use crate::world::{Example, PairKind, PairPlan, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use servimage_bench::task::{Deliverable, Task};
use servimage_image::{Patches, Rgb8Image, patchify};
use servimage_prompt::{ImageSlot, PromptBuilder, Role};

/// Damages of training and the share of spoiled letters.
pub const N_SEVERITIES: usize = 17;

/// Pixels of one colour of one frame of a patch.
pub const PLANE: usize = 16 * 16;

/// Sequences are padded to a multiple of this, so that few shapes occur.
const LENGTH_STEP: usize = 16;

/// Examples of one step, all images with one grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// `[batch][seq_len]`, padded at the end.
    pub ids: Vec<Vec<u32>>,
    /// `[batch][seq_len]`
    pub positions: Vec<Vec<[u32; 3]>>,
    /// True lengths.
    pub lengths: Vec<usize>,
    /// `[batch]` last token before the first image.
    pub brief_ends: Vec<usize>,
    /// `[n_patches, d_patch / 2]`, image after image: the first frame of each patch, of which the second is a copy.
    pub frames: Vec<f32>,
    /// One an image.
    pub grids: Vec<[u32; 3]>,
    /// `[batch]` which image is the candidate.
    pub candidates: Vec<usize>,
    /// What is true.
    pub targets: Targets,
    /// Whether only the vision tower is to learn from it.
    pub vision_only: bool,
}

/// What is true of the examples of a batch, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// A `[batch, 5]` soft label a concept; zeros where it does not apply.
    pub concepts: [Vec<f32>; N_CONCEPTS],
    /// `[batch, N_SEVERITIES]`
    pub severities: Vec<f32>,
    /// `[batch, cells, N_MARKS]` how much of each cell of the candidate each kind of mark changed; a cell is a visual token's.
    pub marks: Vec<f32>,
    /// `[batch]` 1 where the marks are known.
    pub marked: Vec<f32>,
    /// `[batch, N_VALUES]` 1 for what is in the picture.
    pub facts: Vec<f32>,
    /// `[batch, N_VALUES]` 1 for values of known kinds.
    pub known: Vec<f32>,
    /// `[batch, N_VALUES]` 1 for what the brief asks for.
    pub asked: Vec<f32>,
    /// `[batch, N_KINDS]` 1 for kinds whose point is met.
    pub met: Vec<f32>,
    /// `[batch, N_KINDS]` 1 for kinds that the brief asks for.
    pub judged: Vec<f32>,
    /// `[n_images, N_STYLES]` style of the candidates and the others of sets; zeros for other images.
    pub styles: Vec<f32>,
    /// `[batch, N_ASPECTS]` 1 for aspects in which a candidate differs from the others of its set.
    pub differs: Vec<f32>,
    /// `[batch, N_ASPECTS]` 1 where there are others.
    pub compared: Vec<f32>,
    /// `[batch]` `ln(price / 100 USD) / 2`.
    pub prices: Vec<f32>,
    /// `[batch]` true log-odds of payment.
    pub pay_logits: Vec<f32>,
}

/// What the data of one step look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchPlan {
    /// Pairs of examples.
    pub n_pairs: usize,
    /// How pairs are made.
    pub pair: PairPlan,
    /// Share of pairs with more than one picture.
    pub with_others: f64,
    /// Share of sets among those; the rest are edits.
    pub sets: f64,
    /// Share of pairs that differ in the brief, among those with one picture.
    pub briefs: f64,
    /// Whether only the vision tower learns.
    pub vision_only: bool,
}

/// What batches are made of.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// Where examples come from.
    pub world: World,
    /// Wording.
    pub prompts: PromptBuilder,
    /// Seed of everything.
    pub seed: u64,
    /// Gives each example the truth of one of another pair, of which there must be two: what is learned then is chance.
    pub shuffle_labels: bool,
}

impl Sampler {
    /// The batch of a step.
    ///
    /// # Errors
    /// [`TrainError`] from a damage or the prompt.
    pub fn batch(&self, step: u64, plan: &BatchPlan) -> Result<Batch, TrainError> {
        let mut rng = SmallRng::seed_from_u64(
            self.seed
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .wrapping_add(step),
        );
        let mut examples = Vec::with_capacity(2 * plan.n_pairs);
        for _ in 0..plan.n_pairs {
            let kind = pair_kind(plan, &mut rng);
            examples.extend(self.world.pair(kind, &plan.pair, &mut rng)?);
        }
        // Another pair's, as a pair's examples share too much: one truth in twelve that stayed would be learned.
        let turn = match self.shuffle_labels {
            true => 2 * rng.random_range(1..plan.n_pairs.max(2)),
            false => 0,
        };
        let truths = examples.iter().cycle().skip(turn);
        let mut batch = Batch {
            vision_only: plan.vision_only,
            ..Batch::default()
        };
        for (example, truth_of) in examples.iter().zip(truths) {
            batch.push(&self.prompts, example)?;
            let grid = batch.grids[batch.grids.len() - 1];
            batch.targets.push(truth_of, grid);
        }
        batch.pad();
        Ok(batch)
    }
}

fn pair_kind(plan: &BatchPlan, rng: &mut impl Rng) -> PairKind {
    if plan.vision_only {
        return PairKind::Damage;
    }
    if rng.random_bool(plan.with_others) {
        return if rng.random_bool(plan.sets) {
            PairKind::Set
        } else {
            PairKind::Edit
        };
    }
    if rng.random_bool(plan.briefs) {
        PairKind::Brief
    } else {
        PairKind::Damage
    }
}

impl Batch {
    /// Adds the inputs of one example.
    ///
    /// # Errors
    /// [`TrainError::Prompt`].
    pub fn push(&mut self, prompts: &PromptBuilder, example: &Example) -> Result<(), TrainError> {
        let mut slots = Vec::with_capacity(example.images.len());
        self.candidates.push(self.grids.len());
        for (role, picture) in &example.images {
            let patches = see(picture);
            slots.push(ImageSlot {
                role: *role,
                grid: patches.grid,
            });
            // A row holds, for each colour, both frames.
            let planes = patches.rows.chunks_exact(2 * PLANE);
            self.frames.extend(planes.flat_map(|both| &both[..PLANE]));
            self.grids.push(patches.grid);
        }
        let prompt = prompts.build(&task_of(&example.brief), 1, &slots)?;
        self.lengths.push(prompt.ids.len());
        self.brief_ends.push(prompt.prefix_len.saturating_sub(1));
        self.ids.push(prompt.ids);
        self.positions.push(prompt.positions);
        Ok(())
    }

    /// Pads all sequences to one length with end-of-text tokens.
    pub fn pad(&mut self) {
        let longest = self
            .lengths
            .iter()
            .copied()
            .max()
            .unwrap_or(0)
            .next_multiple_of(LENGTH_STEP);
        self.ids.iter_mut().for_each(|ids| ids.resize(longest, 0));
        self.positions
            .iter_mut()
            .for_each(|positions| positions.resize(longest, [0; 3]));
    }
}

impl Targets {
    /// Adds what is true of an example whose images have a grid.
    pub fn push(&mut self, example: &Example, [_, rows, columns]: [u32; 3]) {
        for (labels, score) in self.concepts.iter_mut().zip(example.truth.scores) {
            labels.extend(score.map_or([0.0; 5], soft_label));
        }
        self.severities.extend(severities(example));
        // A token is merged from two times two patches.
        let known = example.marks.as_deref();
        let marks = known.unwrap_or_default();
        self.marks.extend(marks::shares(
            marks,
            rows as usize / 2,
            columns as usize / 2,
        ));
        self.marked.push(if known.is_some() { 1.0 } else { 0.0 });
        let (mut facts, mut known) = ([0.0; N_VALUES], [0.0; N_VALUES]);
        for point in example.facts.points() {
            facts[point.index()] = 1.0;
            let first = point.kind.first_value();
            known[first..first + usize::from(point.kind.n_values())].fill(1.0);
        }
        self.facts.extend(facts);
        self.known.extend(known);
        let (mut asked, mut met, mut judged) = ([0.0; N_VALUES], [0.0; N_KINDS], [0.0; N_KINDS]);
        for (point, is_met) in &example.points {
            asked[point.index()] = 1.0;
            judged[point.kind as usize] = 1.0;
            met[point.kind as usize] = if *is_met { 1.0 } else { 0.0 };
        }
        self.asked.extend(asked);
        self.met.extend(met);
        self.judged.extend(judged);
        for (role, _) in &example.images {
            let style = example.compared.map(|compared| match role {
                Role::Others => compared.others,
                _ => compared.own,
            });
            self.styles
                .extend(style.map_or([0.0; N_STYLES], |style| style.values()));
        }
        let one = |yes: bool| if yes { 1.0 } else { 0.0 };
        let differs = example.compared.map(|compared| compared.differs().map(one));
        self.differs.extend(differs.unwrap_or_default());
        let is_compared = one(example.compared.is_some());
        self.compared.extend([is_compared; N_ASPECTS]);
        let price_usd = example.brief.price_usd;
        self.prices.push(((price_usd / 100.0).ln() / 2.0) as f32);
        self.pay_logits
            .push(example.truth.pay_logit(price_usd) as f32);
    }

    /// `[batch]` true probability of payment.
    #[must_use]
    pub fn p_pay(&self) -> Vec<f32> {
        self.pay_logits
            .iter()
            .map(|logit| sigmoid(f64::from(*logit)) as f32)
            .collect()
    }

    /// `[batch / 2]` true odds, as a probability, that the first of a pair is worth more.
    #[must_use]
    pub fn p_prefer(&self) -> Vec<f32> {
        let pairs = self.pay_logits.chunks_exact(2);
        pairs
            .map(|pair| sigmoid(f64::from(pair[0] - pair[1])) as f32)
            .collect()
    }
}

/// Severity of each damage of training, 0 where it was not applied, and the share of spoiled letters.
fn severities(example: &Example) -> Vec<f32> {
    let mut severities: Vec<f32> = Damage::trained()
        .into_iter()
        .map(|wanted| {
            let charged = example
                .applied
                .iter()
                .filter(|(damage, _)| *damage == wanted);
            1.0 - charged.map(|(_, severity)| 1.0 - severity).product::<f32>()
        })
        .collect();
    severities.push(example.garbled);
    severities
}

/// A task that says only what nano's wording shows.
#[must_use]
pub fn task_of(brief: &Brief) -> Task {
    Task {
        requirement: brief.requirement.clone(),
        price_usd: Some(brief.price_usd),
        output_quantity: 1,
        deliverables: vec![Deliverable {
            index: 1,
            name: "subtask_1".to_owned(),
            ..Deliverable::default()
        }],
        ..Task::default()
    }
}

/// Rows of patches of a picture, as at inference.
#[must_use]
pub fn see(picture: &Picture) -> Patches {
    let image = picture.to_rgb8();
    let (width, height) = image.dimensions();
    patchify(
        &Rgb8Image {
            width,
            height,
            pixels: image.into_raw(),
        },
        &processor(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::nano::{prompt_builder, tokenizer_json};
    use crate::source::{Part, scenes};

    /// Over two rendered scenes.
    pub(crate) fn sampler() -> Result<Sampler, TrainError> {
        Ok(Sampler {
            world: World {
                pictures: scenes(Part::Train, 2).collect(),
                real_briefs: Vec::new(),
                part: Part::Train,
            },
            prompts: prompt_builder(&tokenizer_json()?)?,
            seed: 1,
            shuffle_labels: false,
        })
    }

    #[test]
    fn marks_are_told_and_styles_of_every_picture_of_a_set_and_of_no_other()
    -> Result<(), TrainError> {
        let sampler = sampler()?;
        let mut plan = BatchPlan {
            n_pairs: 3,
            pair: PairPlan {
                window: [64, 64],
                max_points: 1,
                figures: 0.5,
                wear: crate::wear::Wear::ALONE,
            },
            with_others: 1.0,
            sets: 1.0,
            briefs: 0.0,
            vision_only: false,
        };
        for (sets, expected) in [(1.0, 1.0), (0.0, 0.0)] {
            plan.sets = sets;
            let batch = sampler.batch(5, &plan)?;
            let targets = &batch.targets;
            let styles: Vec<f32> = targets
                .styles
                .chunks_exact(N_STYLES)
                .map(|style| style.iter().sum())
                .collect();
            // A cell for each of the candidates' visual tokens.
            let [_, rows, columns] = batch.grids[0];
            let n_cells = (rows * columns / 4) as usize;
            assert_eq!(targets.marks.len(), 6 * n_cells * marks::N_MARKS);
            // Nothing beside others is moved, so all is known of where it is damaged.
            assert_eq!(targets.marked, [1.0; 6]);
            assert!(targets.marks.iter().any(|share| *share > 0.0));
            // A colour, a place and a frame each.
            assert_eq!(styles, vec![3.0 * expected; batch.grids.len()]);
            assert!(batch.grids.len() >= 12, "a candidate and what is beside it");
            assert_eq!(targets.compared, vec![expected; 6 * N_ASPECTS]);
            assert_eq!(targets.differs.iter().any(|one| *one > 0.0), sets > 0.0);
        }
        Ok(())
    }
}
