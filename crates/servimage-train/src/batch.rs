//! Examples for training: two copies of one picture under one brief, with what is true of each.
//!
//! A batch is a function of the seed and the step alone, so a resumed run sees what an uninterrupted one would.

use crate::brief::Brief;
use crate::damage::Damage;
use crate::error::TrainError;
use crate::nano::processor;
use crate::picture::Picture;
use crate::source::CleanPicture;
use crate::truth::{Applied, Truth, sigmoid, soft_label};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use servimage_bench::task::{Deliverable, Task};
use servimage_image::{Patches, Rgb8Image, patchify};
use servimage_prompt::{ImageSlot, PromptBuilder, Role};

/// Area at which the network sees a picture.
const SEEN_AREA: f32 = 224.0 * 224.0;

/// Damages of training.
pub const TRAINED_DAMAGES: [Damage; 8] = [
    Damage::Blur,
    Damage::MotionBlur,
    Damage::DownUp,
    Damage::Jpeg,
    Damage::Noise,
    Damage::ColourCast,
    Damage::Exposure,
    Damage::Contrast,
];

/// Examples of one step, all with one image grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// `[batch][seq_len]`, padded at the end.
    pub ids: Vec<Vec<u32>>,
    /// `[batch][seq_len]`
    pub positions: Vec<Vec<[u32; 3]>>,
    /// True lengths.
    pub lengths: Vec<usize>,
    /// `[n_patches, d_patch]`, picture after picture.
    pub patches: Vec<f32>,
    /// One a picture.
    pub grids: Vec<[u32; 3]>,
    /// A `[batch, 5]` soft label for clarity and one for the aesthetic.
    pub concepts: [Vec<f32>; 2],
    /// `[batch, 8]` severity of each damage of training, in the order of [`TRAINED_DAMAGES`].
    pub severities: Vec<f32>,
    /// `[batch]` true probability of payment.
    pub p_pay: Vec<f32>,
    /// `[batch / 2]` true odds, as a probability, that the first copy of a pair is worth more.
    pub p_prefer: Vec<f32>,
}

/// What the data of one step look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchPlan {
    /// Pairs of copies.
    pub n_pairs: usize,
    /// Width and height in pixels, multiples of 32.
    pub window: [usize; 2],
    /// Whether briefs are cut to a few letters, which makes steps cheap.
    pub short_briefs: bool,
    /// Whether only the vision tower learns, by guessing severities.
    pub vision_only: bool,
}

/// What batches are made of.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// Clean pictures of the training part.
    pub pictures: Vec<CleanPicture>,
    /// Wording.
    pub prompts: PromptBuilder,
    /// Real briefs that some examples carry instead of a grammar sentence.
    pub real_briefs: Vec<String>,
    /// Seed of everything.
    pub seed: u64,
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
        let mut batch = Batch::default();
        for _ in 0..plan.n_pairs {
            let clean = self
                .pictures
                .choose(&mut rng)
                .expect("a part is never empty");
            let view = random_view(&clean.picture, plan.window, &mut rng);
            let brief = self.brief(plan.short_briefs, &mut rng);
            let first = if rng.random_bool(0.6) {
                Vec::new()
            } else {
                random_damages(&mut rng)
            };
            let second = random_damages(&mut rng);
            let logits = [first, second].map(|applied| {
                let patches = see(&apply_all(&view, &applied, &mut rng)?);
                batch.severities.extend(severities(&applied));
                batch.push(&self.prompts, &brief, &patches, &Truth::of(&applied))
            });
            let [first, second] = logits;
            batch.p_prefer.push(sigmoid(first? - second?) as f32);
        }
        batch.pad();
        Ok(batch)
    }

    fn brief(&self, short: bool, rng: &mut impl Rng) -> Brief {
        let mut brief = Brief::random(false, rng);
        if short {
            let n_letters = if rng.random_bool(0.7) { 0 } else { 8 };
            brief.requirement = brief.requirement.chars().take(n_letters).collect();
            return brief;
        }
        if rng.random_bool(0.4)
            && let Some(real) = self.real_briefs.choose(rng)
        {
            brief.requirement.clone_from(real);
        }
        brief
    }
}

impl Batch {
    /// Adds one example; returns its true log-odds of payment.
    ///
    /// # Errors
    /// [`TrainError::Prompt`].
    pub fn push(
        &mut self,
        prompts: &PromptBuilder,
        brief: &Brief,
        patches: &Patches,
        truth: &Truth,
    ) -> Result<f64, TrainError> {
        let slot = ImageSlot {
            role: Role::Candidate,
            grid: patches.grid,
        };
        let prompt = prompts.build(&task_of(brief), 1, &[slot])?;
        let logit = truth.pay_logit(brief.price_usd);
        self.lengths.push(prompt.ids.len());
        self.ids.push(prompt.ids);
        self.positions.push(prompt.positions);
        self.patches.extend_from_slice(&patches.rows);
        self.grids.push(patches.grid);
        self.concepts[0].extend(soft_label(truth.clarity));
        self.concepts[1].extend(soft_label(truth.aesthetic));
        self.p_pay.push(sigmoid(logit) as f32);
        Ok(logit)
    }

    /// Pads all sequences to the longest with end-of-text tokens.
    pub fn pad(&mut self) {
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        self.ids.iter_mut().for_each(|ids| ids.resize(longest, 0));
        self.positions
            .iter_mut()
            .for_each(|positions| positions.resize(longest, [0; 3]));
    }
}

/// Severity of each damage, 0 where it was not applied.
fn severities(applied: &[Applied]) -> [f32; 8] {
    TRAINED_DAMAGES.map(|wanted| {
        let kept: f32 = applied
            .iter()
            .filter(|(damage, _)| *damage == wanted)
            .map(|(_, severity)| 1.0 - severity)
            .product();
        1.0 - kept
    })
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

/// All damages one after the other: light and colour first, as a camera would.
///
/// # Errors
/// [`TrainError::Jpeg`].
pub fn apply_all(
    picture: &Picture,
    applied: &[Applied],
    rng: &mut impl Rng,
) -> Result<Picture, TrainError> {
    applied
        .iter()
        .try_fold(picture.clone(), |copy, (damage, severity)| {
            damage.apply(&copy, *severity, rng)
        })
}

/// A window of the picture at about the scale at which the network sees it whole, sometimes mirrored.
fn random_view(picture: &Picture, [width, height]: [usize; 2], rng: &mut impl Rng) -> Picture {
    let area = (picture.width * picture.height) as f32;
    let wanted = (SEEN_AREA * rng.random_range(0.9..1.7) / area)
        .sqrt()
        .min(1.0);
    let fits = (width as f32 / picture.width as f32).max(height as f32 / picture.height as f32);
    let scale = wanted.max(fits);
    let side =
        |length: usize, most: usize| ((length as f32 / scale).round() as usize).clamp(1, most);
    let (w, h) = (side(width, picture.width), side(height, picture.height));
    let (left, top) = (
        rng.random_range(0..=picture.width - w),
        rng.random_range(0..=picture.height - h),
    );
    let view = picture.cropped(left, top, w, h).resized(width, height);
    if rng.random() { view.mirrored() } else { view }
}

/// One or two damages of training with random severities.
pub fn random_damages(rng: &mut impl Rng) -> Vec<Applied> {
    let one = |damages: &[Damage], rng: &mut dyn rand::RngCore| {
        (
            *damages.choose(rng).expect("damages exist"),
            rng.random_range(0.03..1.0_f32),
        )
    };
    match rng.random_range(0..20) {
        0..9 => vec![one(&Damage::CLARITY, rng)],
        9..15 => vec![one(&Damage::AESTHETIC, rng)],
        15..18 => vec![one(&Damage::AESTHETIC, rng), one(&Damage::CLARITY, rng)],
        _ => vec![one(&Damage::CLARITY, rng), one(&Damage::CLARITY, rng)],
    }
}
