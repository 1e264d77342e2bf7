//! Which concept would have to rise for an image to cross the threshold, going by the images judged here.
//!
//! The payment head reads pixels and words, not the concepts, so nothing follows from a concept alone. What can be told is a pattern:
//! over the judged images a line is fitted to logit P(pay) against each concept's score (least squares), and the concept that goes
//! along with P(pay) most closely says how far an image is from the line's crossing.

use super::Session;
use super::port::WorkerPort;
use super::queue::{CardId, CardState};
use super::verdict_view::concept_rows;
use crate::text::Key;
use servimage_bench::verdict::Verdict;

/// Judged images from which on a line is fitted.
pub const LEAST_IMAGES: usize = 8;

/// A concept that explains less of P(pay) than this correlation is not named.
const LEAST_CORRELATION: f64 = 0.5;

/// What keeps an image below the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rise {
    /// Too little is known, or no concept goes along: its lowest one, and that one's score.
    Lowest(Key, f64),
    /// This concept would have to rise.
    By {
        /// Its title.
        concept: Key,
        /// How far, in points of its scale of 1 to 5.
        points: f64,
        /// Images that the line is fitted to.
        n: usize,
        /// Correlation of that concept's score with logit P(pay) among them, 0..=1.
        correlation: f64,
    },
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

/// Slope and correlation of y over x; `None` where one of them is constant.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x0, y0) = (mean(|point| point.0), mean(|point| point.1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - x0) * (x - x0);
        yy += (y - y0) * (y - y0);
        xy += (x - x0) * (y - y0);
    }
    (xx > 1e-9 && yy > 1e-9).then(|| (xy / xx, xy / (xx * yy).sqrt()))
}

/// Score of a concept, where it applies.
fn score(verdict: &Verdict, id: &str) -> Option<f64> {
    let concept = verdict.concepts.get(id)?;
    concept.score.filter(|_| concept.applicable)
}

impl<P: WorkerPort> Session<P> {
    /// What keeps a judged image below the threshold; `None` for one that reaches it, or has no concepts.
    pub fn rise(&self, id: CardId) -> Option<Rise> {
        let threshold = self.threshold();
        let verdict_of = |id| match &self.queue.get(id)?.state {
            CardState::Done { verdict, .. } => Some(verdict),
            _ => None,
        };
        let here = verdict_of(id).filter(|verdict| verdict.p_pay < threshold)?;
        let judged: Vec<_> = self.reported().into_iter().filter_map(verdict_of).collect();
        let missing = logit(threshold) - logit(here.p_pay);
        let (mut lowest, mut closest): (Option<(Key, f64)>, Option<Rise>) = (None, None);
        let mut least = LEAST_CORRELATION;
        for row in concept_rows(here) {
            let Some(from) = score(here, row.id) else {
                continue;
            };
            if lowest.is_none_or(|(_, known)| from < known) {
                lowest = Some((row.title, from));
            }
            let both = judged
                .iter()
                .filter_map(|v| Some((score(v, row.id)?, logit(v.p_pay))));
            let both: Vec<(f64, f64)> = both.collect();
            let Some((slope, correlation)) = line(&both) else {
                continue;
            };
            let points = missing / slope;
            if both.len() >= LEAST_IMAGES && correlation >= least && from + points <= 5.0 {
                least = correlation;
                closest = Some(Rise::By {
                    concept: row.title,
                    points,
                    n: both.len(),
                    correlation,
                });
            }
        }
        closest.or(lowest.map(|(title, score)| Rise::Lowest(title, score)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{drop_images, ready_session, verdict};
    use servimage_bench::message::Response;
    use servimage_bench::verdict::ConceptScore;

    fn answer(job_id: u32, p_pay: f64, scores: [f64; 2]) -> Response {
        let mut verdict = verdict("x", p_pay);
        for (id, score) in ["veq_clarity", "veq_realism"].into_iter().zip(scores) {
            let concept = ConceptScore {
                applicable: true,
                why_not: None,
                score: Some(score),
                distribution: None,
            };
            verdict.concepts.insert(id.to_owned(), concept);
        }
        verdict.concepts.remove("brf");
        Response::JobDone {
            job_id,
            verdict: Box::new(verdict),
            work_millis: 1.0,
        }
    }

    /// A probability whose logit is `x`.
    fn p_of(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    #[test]
    fn the_concept_that_goes_along_says_how_far_it_would_have_to_rise() {
        let mut session = ready_session();
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let ids = drop_images(&mut session, &names);
        // logit P(pay) = 2 x (clarity - 3); realism goes its own ways.
        for (job_id, realism) in (1..=8).zip([4.0, 1.0, 3.0, 2.0, 2.0, 3.0, 1.0, 4.0]) {
            let clarity = 1.0 + f64::from(job_id) * 0.4;
            session.on_response(answer(
                job_id,
                p_of(2.0 * (clarity - 3.0)),
                [clarity, realism],
            ));
        }
        let Some(Rise::By {
            concept,
            points,
            n,
            correlation,
        }) = session.rise(ids[0])
        else {
            panic!("{:?}", session.rise(ids[0]));
        };
        assert_eq!((concept, n), (Key::ConceptClarity, 8));
        assert!(
            (points - 1.6).abs() < 1e-6,
            "from 1.4 to 3.0 at 50 %: {points}"
        );
        assert!((correlation - 1.0).abs() < 1e-6);
        session.set_threshold(Some(0.9));
        let Some(Rise::By { points, .. }) = session.rise(ids[0]) else {
            panic!("still within the scale");
        };
        assert!(points > 2.6);
        session.set_threshold(Some(0.99));
        assert_eq!(
            session.rise(ids[0]),
            Some(Rise::Lowest(Key::ConceptClarity, 1.4)),
            "5 is the end of the scale"
        );
    }

    #[test]
    fn of_a_few_images_only_the_lowest_concept_is_named() {
        let mut session = ready_session();
        let ids = drop_images(&mut session, &["a", "b"]);
        session.on_response(answer(1, 0.3, [4.0, 2.5]));
        session.on_response(answer(2, 0.9, [4.5, 4.5]));
        assert_eq!(
            session.rise(ids[0]),
            Some(Rise::Lowest(Key::ConceptRealism, 2.5))
        );
        assert_eq!(session.rise(ids[1]), None, "it would be paid");
    }
}
