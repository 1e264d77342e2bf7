//! The proxy world: pairs of examples whose truth is known by construction.
//!
//! Both examples of a pair share all but one thing: the damage, the brief, what an edit did, or how far a deliverable
//! keeps to its set.

use crate::brief::{Brief, random_language, random_price};
use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::error::TrainError;
use crate::marks::Mark;
use crate::picture::Picture;
use crate::point::{Facts, Kind, Language, Point};
use crate::sets::Compared;
use crate::source::{CleanPicture, Part};
use crate::truth::{Applied, Truth};
use crate::wear::{Wear, Worn};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use servimage_prompt::Role;

/// Share of pairs of damages whose first example has none.
const FLAWLESS: f64 = 0.2;

/// One picture under one brief, with what is true of it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The candidate first, then what comes with it.
    pub images: Vec<(Role, Picture)>,
    /// Wish and price.
    pub brief: Brief,
    /// What the brief asks for, and whether it is met.
    pub points: Vec<(Point, bool)>,
    /// What is known of the candidate.
    pub facts: Facts,
    /// Damages of the candidate.
    pub applied: Vec<Applied>,
    /// Where its damages show; `None` where a later one moved them.
    pub marks: Option<Vec<Mark>>,
    /// Share of spoiled letters; 0 without a caption.
    pub garbled: f32,
    /// Its style beside the others'; none without others.
    pub compared: Option<Compared>,
    /// Scores.
    pub truth: Truth,
}

/// What the examples of a pair differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairKind {
    /// Damages and garbled letters.
    Damage,
    /// The brief.
    Brief,
    /// What an edit made of the input picture.
    Edit,
    /// How far the candidate keeps to the others.
    Set,
}

/// Where examples come from.
#[derive(Clone, Debug)]
pub struct World {
    /// Clean pictures of the part.
    pub pictures: Vec<CleanPicture>,
    /// Real briefs, of which nothing is known: some examples carry one, and their briefs are not judged.
    pub real_briefs: Vec<String>,
    /// Part of the data: decides figures, words and sentence forms too.
    pub part: Part,
}

/// What a pair is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairPlan {
    /// Width and height of every picture, multiples of 32.
    pub window: [usize; 2],
    /// Most points in a brief.
    pub max_points: usize,
    /// Share of figures among contents.
    pub figures: f64,
    /// How pictures of pairs of damages are worn.
    pub wear: Wear,
}

impl World {
    pub(crate) fn held_out(&self) -> bool {
        self.part == Part::HeldOut
    }

    /// A content: a figure or a view of a clean picture.
    pub fn content(&self, plan: &PairPlan, rng: &mut impl Rng) -> Content {
        match self.pictures.choose(rng) {
            Some(clean) if !rng.random_bool(plan.figures) => Content::view(clean, plan.window, rng),
            _ => Content::figure(self.part, plan.window, rng),
        }
    }

    /// Random things to put over a content, without the caption's garbling.
    pub fn dress(&self, content: &Content, captions: f64, rng: &mut impl Rng) -> Dress {
        Dress {
            mono: rng.random_bool(0.15),
            border: rng.random_bool(0.2).then(|| content.border_colour(rng)),
            caption: rng
                .random_bool(captions)
                .then(|| (content.caption(self.held_out(), rng), 0.0)),
        }
    }

    /// A pair of a kind.
    ///
    /// # Errors
    /// [`TrainError::Jpeg`] from a damage.
    pub fn pair(
        &self,
        kind: PairKind,
        plan: &PairPlan,
        rng: &mut impl Rng,
    ) -> Result<[Example; 2], TrainError> {
        match kind {
            PairKind::Damage => self.damage_pair(plan, rng),
            PairKind::Brief => self.brief_pair(plan, rng),
            PairKind::Edit => crate::edits::edit_pair(self, plan, rng),
            PairKind::Set => crate::sets::set_pair(self, plan, rng),
        }
    }

    fn damage_pair(&self, plan: &PairPlan, rng: &mut impl Rng) -> Result<[Example; 2], TrainError> {
        let content = self.content(plan, rng);
        let dress = self.dress(&content, 0.45, rng);
        let first = match rng.random_bool(FLAWLESS) {
            true => Vec::new(),
            false => plan.wear.damages(rng),
        };
        let applied = [first, plan.wear.damages(rng)];
        let garbled = [0.5, 0.6].map(|share| {
            if rng.random_bool(share) {
                rng.random_range(0.1..1.0_f32)
            } else {
                0.0
            }
        });
        let moved = applied.each_ref().map(|applied| moves(applied));
        // Both are judged by what is known of both.
        let dressed = content.dressed(&dress, Garbling::Glyphs);
        let known = sure(dressed.facts, moved[0] || moved[1]);
        let whole = dressed.picture;
        let wish = self.wish(&known, plan, rng);
        let mut make = |i: usize| {
            let mut dress = dress.clone();
            let text = dress.caption.as_mut().map(|caption| {
                caption.1 = garbled[i];
                garbled[i]
            });
            let mut dressed = content.dressed(&dress, Garbling::Glyphs);
            dressed.facts = sure(dressed.facts, moved[i]);
            let worn = Worn::visibly(&dressed.picture, &applied[i], rng)?;
            let mut example = judged(&dressed, &wish, worn, text);
            if let Some(marks) = example.marks.as_mut().filter(|_| text.is_some()) {
                marks.push(Mark::of_letters(&whole, &dressed.picture));
            }
            Ok::<_, TrainError>(example)
        };
        Ok([make(0)?, make(1)?])
    }

    fn brief_pair(&self, plan: &PairPlan, rng: &mut impl Rng) -> Result<[Example; 2], TrainError> {
        let content = self.content(plan, rng);
        let mut content = content.dressed(&self.dress(&content, 0.0, rng), Garbling::Glyphs);
        let applied = Wear::UNDER_BRIEFS.damages(rng);
        content.facts = sure(content.facts, moves(&applied));
        let points = some_points(&content.facts, plan.max_points, rng);
        let price_usd = random_price(rng);
        let wish = Wish::asking(&points, self.held_out(), price_usd, rng);
        let worn = Worn::visibly(&content.picture, &applied, rng)?;
        let clean = judged(&content, &wish, worn, None);
        let mut flipped: Vec<bool> = points.iter().map(|_| rng.random_bool(0.7)).collect();
        if let Some(first) = flipped.first_mut().filter(|_| rng.random_bool(0.8)) {
            *first = true;
        }
        let chosen = points.iter().zip(flipped);
        let others: Vec<Point> = chosen
            .map(|(point, flip)| if flip { point.other(rng) } else { *point })
            .collect();
        let other = clean.under(&Wish::asking(&others, self.held_out(), price_usd, rng));
        Ok(if rng.random() {
            [clean, other]
        } else {
            [other, clean]
        })
    }

    /// A wish about a content: some of its points met, some not, or a real brief.
    pub(crate) fn wish(&self, facts: &Facts, plan: &PairPlan, rng: &mut impl Rng) -> Wish {
        let price_usd = random_price(rng);
        if rng.random_bool(0.12)
            && let Some(real) = self.real_briefs.choose(rng)
        {
            let brief = Brief {
                requirement: real.clone(),
                price_usd,
            };
            return Wish {
                brief,
                points: Vec::new(),
            };
        }
        let met = [0.5, 0.8, 1.0][rng.random_range(0..3)];
        let points: Vec<Point> = some_points(facts, plan.max_points, rng)
            .into_iter()
            .map(|point| {
                if rng.random_bool(met) {
                    point
                } else {
                    point.other(rng)
                }
            })
            .collect();
        Wish::asking(&points, self.held_out(), price_usd, rng)
    }
}

/// A brief and the points that it asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// In words.
    pub brief: Brief,
    /// Asked for.
    pub points: Vec<Point>,
}

impl Wish {
    /// Words for points in a random language.
    pub fn asking(points: &[Point], held_out: bool, price_usd: f64, rng: &mut impl Rng) -> Self {
        Self::asking_in(random_language(rng), points, held_out, price_usd, rng)
    }

    /// Words for points in a language.
    pub fn asking_in(
        language: Language,
        points: &[Point],
        held_out: bool,
        price_usd: f64,
        rng: &mut impl Rng,
    ) -> Self {
        let requirement = Brief::asking(points, false, language, held_out, rng);
        Self {
            brief: Brief {
                requirement,
                price_usd,
            },
            points: points.to_vec(),
        }
    }
}

impl Example {
    /// The same picture under another wish.
    #[must_use]
    pub fn under(&self, wish: &Wish) -> Self {
        let mut other = self.clone();
        other.brief = wish.brief.clone();
        other.points = checked(&self.facts, &wish.points);
        let met: Vec<bool> = other.points.iter().map(|(_, met)| *met).collect();
        other.truth = other.truth.with_points(&met);
        other
    }
}

/// An example of a dressed content, worn, under a wish.
#[must_use]
pub fn judged(content: &Content, wish: &Wish, worn: Worn, garbled: Option<f32>) -> Example {
    let points = checked(&content.facts, &wish.points);
    let met: Vec<bool> = points.iter().map(|(_, met)| *met).collect();
    let mut truth = Truth::of(&worn.applied).with_points(&met);
    if let Some(garbled) = garbled {
        truth = truth.with_text(garbled);
    }
    Example {
        images: vec![(Role::Candidate, worn.picture)],
        brief: wish.brief.clone(),
        points,
        facts: content.facts,
        applied: worn.applied,
        marks: worn.marks,
        garbled: garbled.unwrap_or(0.0),
        compared: None,
        truth,
    }
}

/// Points with whether they are met; those of unknown kinds are left out.
pub(crate) fn checked(facts: &Facts, points: &[Point]) -> Vec<(Point, bool)> {
    points
        .iter()
        .filter_map(|point| Some((*point, facts.holds(*point)?)))
        .collect()
}

/// One to `most` true points, fewer more often.
pub(crate) fn some_points(facts: &Facts, most: usize, rng: &mut impl Rng) -> Vec<Point> {
    let mut points = facts.points();
    points.shuffle(rng);
    let n = rng
        .random_range(1..=most.max(1))
        .min(rng.random_range(1..=most.max(1)) + 1);
    points.truncate(n.min(most.max(1)));
    points
}

/// Whether a damage moves what is in the picture.
pub(crate) fn moves(applied: &[Applied]) -> bool {
    applied.iter().any(|(damage, _)| damage.moves())
}

/// Facts that remain when something was moved.
pub(crate) fn sure(mut facts: Facts, moved: bool) -> Facts {
    if moved {
        for kind in [
            Kind::Count,
            Kind::Place,
            Kind::Border,
            Kind::Caption,
            Kind::Background,
        ] {
            facts.forget(kind);
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::concept;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn the_examples_of_a_pair_share_all_but_one_thing() -> Result<(), TrainError> {
        use PairKind::{Brief, Damage, Edit, Set};
        let world = World {
            pictures: crate::source::scenes(Part::Train, 2).collect(),
            real_briefs: Vec::new(),
            part: Part::Train,
        };
        let plan = PairPlan {
            window: [64, 64],
            max_points: 2,
            figures: 0.5,
            wear: Wear::ALONE,
        };
        for (seed, kind) in (0..40).zip([Damage, Brief, Edit, Set].into_iter().cycle()) {
            let [a, b] = world.pair(kind, &plan, &mut SmallRng::seed_from_u64(seed))?;
            assert_eq!(a.brief.price_usd, b.brief.price_usd, "{kind:?}");
            assert_eq!(a.brief == b.brief, kind != Brief, "{kind:?}");
            assert_eq!(a.images == b.images, kind == Brief, "{kind:?}");
            assert_eq!(a.images[1..], b.images[1..], "{kind:?}");
            for example in [a, b] {
                let scores = example.truth.scores;
                assert_eq!(scores[concept::EDIT].is_some(), kind == Edit);
                assert_eq!(scores[concept::SET].is_some(), kind == Set);
                assert_eq!(example.compared.is_some(), kind == Set);
                assert_eq!(example.marks.is_none(), moves(&example.applied));
            }
        }
        Ok(())
    }
}
