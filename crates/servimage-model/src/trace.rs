//! Intermediate results by the names of the reference's outputs: for parity and self-tests.

use crate::error::RunError;
use crate::heads::CONCEPT_HEADS;
use crate::model::{ModelInput, ServImageModel};
use crate::readback::{last_row, read};

/// Named results, each flattened.
pub type Trace = Vec<(String, Vec<f32>)>;

impl ServImageModel {
    /// Runs one prompt and reads everything back: `base.*` where the pack carries no head, else `stage1.*` and `stage2.*`.
    ///
    /// # Errors
    /// As [`ServImageModel::evaluate`].
    pub async fn trace(&self, input: &ModelInput) -> Result<Trace, RunError> {
        let passes = self.run(input)?;
        let stage = if self.has_heads() { "stage1" } else { "base" };
        let mut trace = vec![
            (
                format!("{stage}.vision_embeds"),
                read(passes.visual.clone(), "visual tokens").await?,
            ),
            (
                format!("{stage}.hidden_states"),
                read(passes.concepts.clone(), "hidden states").await?,
            ),
        ];
        if !self.has_heads() {
            let last = read(last_row(passes.concepts), "last hidden state").await?;
            let table = self.answer_table();
            let ids: Vec<u32> = (0..table.n_rows() as u32).collect();
            trace.push(("base.logits_last".to_owned(), table.logits(&last, &ids)?));
            return Ok(trace);
        }
        let output = self.answer(&passes).await?;
        let logits = output.concept_logits.iter().flatten();
        trace.extend(
            CONCEPT_HEADS
                .iter()
                .zip(logits)
                .map(|((concept, _), logits)| (format!("stage1.{concept}"), logits.to_vec())),
        );
        if self.has_payment_head() {
            let hidden = read(passes.payment, "hidden states").await?;
            trace.push(("stage2.hidden_states".to_owned(), hidden));
            trace.push(("stage2.pay_logits".to_owned(), output.pay_logits.to_vec()));
        }
        Ok(trace)
    }
}
