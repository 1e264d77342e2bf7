//! The token embedding, kept as it lies in the pack: rows are dequantized on lookup.
//!
//! On a 2B the table is the largest tensor by far; a prompt needs a few hundred of its rows.

use crate::error::{LoadError, RunError};
use crate::source::read_shaped;
use servimage_pack::{Pack, PackSource, TensorBytes};

/// Name of the table in the checkpoint.
pub const EMBEDDING: &str = "model.language_model.embed_tokens.weight";

/// Name of the LM head where it is not tied to the embedding.
pub const LM_HEAD: &str = "lm_head.weight";

/// Rows of a matrix `[n_rows, d_model]` in the pack's layout.
#[derive(Clone, Debug)]
pub struct TokenTable {
    table: TensorBytes,
    n_rows: usize,
    d_model: usize,
}

impl TokenTable {
    /// Takes the matrix `name`.
    ///
    /// # Errors
    /// [`LoadError`] where it is missing or is not `[n_rows, d_model]`.
    pub async fn load(
        pack: &Pack<impl PackSource>,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Self, LoadError> {
        let table = read_shaped(pack, name, &shape).await?;
        Ok(Self {
            table,
            n_rows: shape[0],
            d_model: shape[1],
        })
    }

    /// The rows of `ids` as `[ids, d_model]`, row-major.
    ///
    /// # Errors
    /// [`RunError::Input`] for an id outside the vocabulary.
    pub fn rows(&self, ids: impl Iterator<Item = u32>) -> Result<Vec<f32>, RunError> {
        let mut values = Vec::new();
        for id in ids {
            if id as usize >= self.n_rows {
                return Err(RunError::Input {
                    what: "token id",
                    expected: format!("below {}", self.n_rows),
                    found: id.to_string(),
                });
            }
            let row = self
                .table
                .rows_to_f32(id as usize..id as usize + 1)
                .map_err(|error| RunError::Input {
                    what: "token embedding",
                    expected: "a readable row".to_owned(),
                    found: error.to_string(),
                })?;
            values.extend_from_slice(&row);
        }
        Ok(values)
    }

    /// Dot product of `hidden` (`[d_model]`) with the row of each id: LM logits of those tokens alone.
    ///
    /// # Errors
    /// As [`TokenTable::rows`].
    pub fn logits(&self, hidden: &[f32], ids: &[u32]) -> Result<Vec<f32>, RunError> {
        let rows = self.rows(ids.iter().copied())?;
        Ok(rows
            .chunks_exact(self.d_model)
            .map(|row| row.iter().zip(hidden).map(|(a, b)| a * b).sum())
            .collect())
    }

    /// Values of a row.
    pub fn d_model(&self) -> usize {
        self.d_model
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }
}
