//! Intermediate results by the names of the reference's outputs: for parity and self-tests.

use crate::between::GoOn;
use crate::error::RunError;
use crate::heads::CONCEPT_HEADS;
use crate::model::{ModelInput, ModelOutput, ServImageModel};
use crate::readback::read;

/// Named results, each flattened.
pub type Trace = Vec<(String, Vec<f32>)>;

impl ServImageModel {
    /// Runs one prompt and reads everything back: `base.*` where the pack carries no head, else `stage1.*` and `stage2.*`.
    ///
    /// # Errors
    /// As [`ServImageModel::evaluate`].
    pub async fn trace(&self, input: &ModelInput) -> Result<Trace, RunError> {
        let mut whole = input.clone();
        whole.prefix_len = 0;
        let passes = self.run(&[&whole], &GoOn).await?;
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
            let table = self.answer_table();
            let hidden = &trace[1].1;
            let last = hidden[hidden.len() - table.d_model()..].to_vec();
            let ids: Vec<u32> = (0..table.n_rows() as u32).collect();
            trace.push(("base.logits_last".to_owned(), table.logits(&last, &ids)?));
            return Ok(trace);
        }
        let Some(output) = self.answer(&passes).await?.pop() else {
            return Ok(trace);
        };
        trace.extend(head_rows(&output));
        if self.has_payment_head() {
            let hidden = read(passes.payment, "hidden states").await?;
            trace.push(("stage2.hidden_states".to_owned(), hidden));
        }
        Ok(trace)
    }
}

/// What the heads say, by the names of the reference's outputs.
pub fn head_rows(output: &ModelOutput) -> Trace {
    let logits = output.concept_logits.iter().flatten();
    let mut rows: Trace = CONCEPT_HEADS
        .iter()
        .zip(logits)
        .map(|((concept, _), logits)| (format!("stage1.{concept}"), logits.to_vec()))
        .collect();
    if output.digit_logits.is_none() {
        rows.push(("stage2.pay_logits".to_owned(), output.pay_logits.to_vec()));
    }
    rows
}
