//! From hidden states to what the heads say: pooling on the device, one readback, heads on the CPU.

use crate::error::RunError;
use crate::heads::{CONCEPT_HEADS, N_CLASSES, PAY_LOGIT_SCALE};
use crate::model::{ModelOutput, Passes, ServImageModel};
use crate::prefix::Prefix;
use crate::readback::{matrix, pair, read};
use servimage_kernels::{Pooled, Pooler};

/// What is read back of one prompt, prefix included.
struct Vectors {
    concept: Option<Pooled>,
    payment: Option<Pooled>,
    last: Vec<f32>,
}

impl ServImageModel {
    /// What the heads say of both passes' hidden states, a sequence each.
    pub(crate) async fn answer(&self, passes: &Passes) -> Result<Vec<ModelOutput>, RunError> {
        let vectors = self.read_out(passes).await?;
        let rows = |of: fn(&Vectors) -> &Option<Pooled>| {
            let rows = vectors.iter().filter_map(|v| of(v).as_ref());
            matrix(&rows.map(Pooled::vector).collect::<Vec<_>>())
        };
        let concepts = match &self.concept_head {
            Some(head) => {
                let mut all = Vec::with_capacity(CONCEPT_HEADS.len());
                for logits in head.forward(rows(|v| &v.concept)) {
                    all.push(read(logits, "concept logits").await?);
                }
                Some(all)
            }
            None => None,
        };
        let pay = match &self.payment_head {
            Some(head) => {
                let logits = head.forward(rows(|v| &v.payment));
                Some(read(logits, "payment logits").await?)
            }
            None => None,
        };
        let mut outputs = Vec::with_capacity(vectors.len());
        for (i, one) in vectors.into_iter().enumerate() {
            let (pay_logits, digit_logits) = match &pay {
                Some(pay) => (
                    pair(&pay[2 * i..]).map(|logit| logit * PAY_LOGIT_SCALE as f32),
                    None,
                ),
                None => self.zero_shot_logits(&one.last)?,
            };
            let pooled = one.payment.or(one.concept);
            outputs.push(ModelOutput {
                concept_logits: concepts.as_ref().map(|logits| concept_rows(logits, i)),
                pay_logits,
                digit_logits,
                pooling_weights: pooled.map_or_else(Vec::new, |pooled| pooled.weights()),
            });
        }
        Ok(outputs)
    }

    /// One readback of everything that the heads need.
    async fn read_out(&self, passes: &Passes) -> Result<Vec<Vectors>, RunError> {
        let d = self.tokens.d_model();
        let segments = &passes.layout.segments;
        let wants_last = self.zero_shot.is_some() && self.payment_head.is_none();
        let [concept, payment] = self.pools();
        let pools = [(concept, &passes.concepts), (payment, &passes.payment)];
        let n_pools = pools.iter().filter(|(pool, _)| pool.is_some()).count();
        let n_values: usize = segments
            .iter()
            .map(|s| n_pools * Pooler::record_len(d, s.len) + usize::from(wants_last) * d)
            .sum();
        let mut pooler = Pooler::new(n_values, self.device());
        for segment in segments {
            for (pool, hidden) in pools {
                if let Some(pool) = pool {
                    pooler.pool(hidden, &pool.query(), *segment);
                }
            }
            if wants_last {
                pooler.row(&passes.payment, segment.start + segment.len - 1);
            }
        }
        let values = match pooler.into_tensor() {
            Some(tensor) => read(tensor, "pooled vectors").await?,
            None => Vec::new(),
        };
        let mut rest = values.as_slice();
        let mut all = Vec::with_capacity(segments.len());
        for segment in segments {
            let mut take = |there: bool| {
                there.then(|| {
                    let (pooled, behind) = Pooled::read(rest, d, segment.len);
                    rest = behind;
                    pooled
                })
            };
            let (concept, payment) = (take(concept.is_some()), take(payment.is_some()));
            let last = if wants_last {
                rest[..d].to_vec()
            } else {
                Vec::new()
            };
            rest = &rest[last.len()..];
            all.push(with_prefix(
                Vectors {
                    concept,
                    payment,
                    last,
                },
                passes.prefix.as_deref(),
            ));
        }
        Ok(all)
    }

    fn zero_shot_logits(&self, last: &[f32]) -> Result<([f32; 2], Option<[f32; 5]>), RunError> {
        let Some(answers) = &self.zero_shot else {
            return Err(RunError::Input {
                what: "heads of the pack",
                expected: "a payment head or the answer tokens of the zero-shot head".to_owned(),
                found: "neither".to_owned(),
            });
        };
        let table = self.answer_table();
        let pay = table.logits(last, &[answers.reject, answers.accept])?;
        let digits = table.logits(last, &answers.digits)?;
        let mut digit_logits = [0.0; 5];
        digit_logits.copy_from_slice(&digits);
        Ok((pair(&pay), Some(digit_logits)))
    }
}

/// Adds what the prefix contributes to the pooled vectors.
fn with_prefix(mut vectors: Vectors, prefix: Option<&Prefix>) -> Vectors {
    if let Some(prefix) = prefix {
        let join = |before: &Option<Pooled>, own: Option<Pooled>| match (before, own) {
            (Some(before), Some(own)) => Some(before.merge(&own)),
            (_, own) => own,
        };
        vectors.concept = join(&prefix.concept_pooled, vectors.concept);
        vectors.payment = join(&prefix.payment_pooled, vectors.payment);
    }
    vectors
}

/// Row `i` of each concept's `[batch, 6]` logits.
fn concept_rows(logits: &[Vec<f32>], i: usize) -> [[f32; N_CLASSES]; 7] {
    let mut rows = [[0.0; N_CLASSES]; 7];
    for (row, logits) in rows.iter_mut().zip(logits) {
        row.copy_from_slice(&logits[i * N_CLASSES..(i + 1) * N_CLASSES]);
    }
    rows
}
