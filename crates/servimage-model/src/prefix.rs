//! The prefix cache: what the network makes of the text that all images of a deliverable share.
//!
//! Kept are each layer's keys and values on the device and, on the CPU, the pooling softmax's share of the prefix: its largest
//! score, its sum and its weighted sum. A later prompt with the same first tokens runs over the rest alone.

use crate::error::RunError;
use crate::linear::Pass;
use crate::model::ServImageModel;
use crate::network::{PrefixKeys, SequenceLayout};
use crate::readback::read;
use burn::tensor::Tensor;
use servimage_kernels::{Pooled, Pooler, Segment};
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens kept at most, over all prefixes; the last one used stays whatever its length. A 2B keeps 230 KB a token and pass.
const MAX_TOKENS: usize = 2048;

/// One prefix.
#[derive(Debug)]
pub(crate) struct Prefix {
    pub ids: Vec<u32>,
    positions: Vec<[u32; 3]>,
    concept_keys: PrefixKeys,
    /// Absent where the heads share one pass.
    payment_keys: Option<PrefixKeys>,
    pub concept_pooled: Option<Pooled>,
    pub payment_pooled: Option<Pooled>,
}

impl Prefix {
    /// Keys and values of one pass.
    pub fn keys(&self, pass: Pass) -> &[Tensor<2>] {
        match (pass, &self.payment_keys) {
            (Pass::Payment, Some(keys)) => keys,
            _ => &self.concept_keys,
        }
    }
}

/// Prefixes last used, the latest first.
#[derive(Debug, Default)]
pub(crate) struct PrefixCache(Mutex<Vec<Arc<Prefix>>>);

impl PrefixCache {
    pub fn get(&self, ids: &[u32], positions: &[[u32; 3]]) -> Option<Arc<Prefix>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .position(|prefix| prefix.ids == ids && prefix.positions == positions)?;
        let prefix = kept.remove(at);
        kept.insert(0, Arc::clone(&prefix));
        Some(prefix)
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub fn put(&self, prefix: Arc<Prefix>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, prefix);
        while kept.len() > 1 && kept.iter().map(|p| p.ids.len()).sum::<usize>() > MAX_TOKENS {
            kept.pop();
        }
    }
}

impl ServImageModel {
    /// Reads the text that prompts to come begin with, unless it is kept already. They then cost what lies behind it.
    ///
    /// # Shapes
    /// - `ids`: text alone; none leaves everything as it is
    /// - `positions`: one a token
    ///
    /// # Errors
    /// [`RunError`] where ids and positions do not belong together, an id is none of the vocabulary or the device fails.
    pub async fn prepare(&self, ids: &[u32], positions: &[[u32; 3]]) -> Result<(), RunError> {
        let n_images = ids.iter().filter(|&&id| id == self.image_token()).count();
        let rules = [
            ("positions of the prefix", ids.len(), positions.len()),
            ("image pads in the prefix", 0, n_images),
        ];
        if let Some((what, expected, found)) = rules.into_iter().find(|(_, a, b)| a != b) {
            let (expected, found) = (expected.to_string(), found.to_string());
            return Err(RunError::Input {
                what,
                expected,
                found,
            });
        }
        if !ids.is_empty() {
            self.keep_prefix(ids, positions).await?;
        }
        Ok(())
    }

    /// The prefix from the cache, or computed now.
    pub(crate) async fn keep_prefix(
        &self,
        ids: &[u32],
        positions: &[[u32; 3]],
    ) -> Result<Arc<Prefix>, RunError> {
        if let Some(prefix) = self.prefixes().get(ids, positions) {
            return Ok(prefix);
        }
        let prefix = Arc::new(self.compute_prefix(ids, positions).await?);
        self.prefixes().put(Arc::clone(&prefix));
        Ok(prefix)
    }

    /// Number of prefixes that are kept.
    pub fn n_prefixes(&self) -> usize {
        self.prefixes().len()
    }

    /// Frees the prefixes that are kept; the next prompt computes its own.
    pub fn forget_prefixes(&self) {
        self.prefixes().clear();
    }

    /// Runs the text tower over a prefix, a pass a stage.
    async fn compute_prefix(
        &self,
        ids: &[u32],
        positions: &[[u32; 3]],
    ) -> Result<Prefix, RunError> {
        let mut layout = SequenceLayout::default();
        layout.push(ids, positions, self.image_token());
        let text_rows = self.embed(ids.iter().copied())?;
        let read_pass = |pass| self.network().read_prefix(&text_rows, &layout, pass);
        let (concepts, concept_keys) = read_pass(Pass::Concepts);
        let (payment, payment_keys) = match self.has_payment_pass() {
            true => {
                let (hidden, keys) = read_pass(Pass::Payment);
                (hidden, Some(keys))
            }
            false => (concepts.clone(), None),
        };
        let [d, rows] = [concepts.dims()[1], ids.len()];
        let [concept_pool, payment_pool] = self.pools();
        let pools = [(concept_pool, &concepts), (payment_pool, &payment)];
        let n_pools = pools.iter().filter(|(pool, _)| pool.is_some()).count();
        let mut pooler = Pooler::new(n_pools * Pooler::record_len(d, rows), self.device());
        for (pool, hidden) in pools {
            if let Some(pool) = pool {
                pooler.pool(
                    hidden,
                    &pool.query(),
                    Segment {
                        start: 0,
                        len: rows,
                    },
                );
            }
        }
        let values = match pooler.into_tensor() {
            Some(tensor) => read(tensor, "pooled prefix").await?,
            None => Vec::new(),
        };
        let mut rest = values.as_slice();
        let mut take = |there: bool| {
            there.then(|| {
                let (pooled, behind) = Pooled::read(rest, d, rows);
                rest = behind;
                pooled
            })
        };
        Ok(Prefix {
            ids: ids.to_vec(),
            positions: positions.to_vec(),
            concept_keys,
            payment_keys,
            concept_pooled: take(concept_pool.is_some()),
            payment_pooled: take(payment_pool.is_some()),
        })
    }
}
