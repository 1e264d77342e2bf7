//! What a visitor takes away: every settled card as JSON Lines or as a table.

use super::Session;
use super::port::WorkerPort;
use super::queue::{Card, CardState};
use serde::Serialize;
use serde_json::Value;
use servimage_bench::verdict::{CONCEPTS, FailedImage, VerdictRow};

/// A settled card with what the visitor added on the page.
struct PageRow {
    row: VerdictRow,
    /// The visitor's decision, made blind.
    vote: Option<bool>,
    /// A tick for each of the task's soft rules; absent where none was set.
    checklist: Option<Vec<bool>>,
}

impl<P: WorkerPort> Session<P> {
    /// One [`VerdictRow`] a line with the page's own fields, in the order of the queue, decided at the
    /// threshold of the moment. Waiting cards and hidden verdicts are left out.
    pub fn export_jsonl(&self) -> String {
        let mut text = String::new();
        for PageRow {
            row,
            vote,
            checklist,
        } in self.rows()
        {
            let mut line = json(&row);
            if let Some(vote) = vote {
                line["vote"] = vote.into();
            }
            if let Some(checklist) = checklist {
                line["checklist"] = checklist.into();
            }
            text += &line.to_string();
            text.push('\n');
        }
        text
    }

    /// A table with a header; failed images keep their place with the reason.
    pub fn export_csv(&self) -> String {
        let mut text = csv_line(&header());
        for row in self.rows() {
            text.push_str(&csv_line(&fields(&row)));
        }
        text
    }

    fn rows(&self) -> impl Iterator<Item = PageRow> {
        self.queue.iter().filter_map(|card| self.row(card))
    }

    fn row(&self, card: &Card<P::File>) -> Option<PageRow> {
        let row = match &card.state {
            CardState::Done { verdict, .. } if self.is_open(card) => {
                VerdictRow::Verdict(self.decided(verdict))
            }
            CardState::Failed(error) => VerdictRow::Failed(FailedImage {
                image: card.name.clone(),
                error: error.clone(),
            }),
            _ => return None,
        };
        let ticked = || (0..card.task.points.len()).map(|idx| card.ticks.has(idx));
        Some(PageRow {
            row,
            vote: card.vote,
            checklist: (card.ticks.count() > 0 && !card.task.points.is_empty())
                .then(|| ticked().collect()),
        })
    }
}

/// As a JSON value: whatever is written from it then needs no code of its own for verdicts.
pub fn json(row: &impl Serialize) -> Value {
    // A verdict has only string keys and finite numbers.
    serde_json::to_value(row).unwrap_or_default()
}

fn header() -> Vec<String> {
    let mut names: Vec<String> = [
        "image",
        "task_id",
        "deliverable",
        "pay",
        "p_pay",
        "threshold",
        "price_usd",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend(["expected_usd", "servimage_score"].map(str::to_owned));
    names.extend(CONCEPTS.map(str::to_owned));
    names.extend(
        [
            "labels",
            "pack_sha256",
            "device",
            "self_test",
            "vote",
            "ticked",
            "error",
        ]
        .map(str::to_owned),
    );
    names
}

fn fields(row: &PageRow) -> Vec<String> {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    match &row.row {
        VerdictRow::Failed(failed) => {
            let mut fields = vec![String::new(); header().len()];
            fields[0].clone_from(&failed.image);
            if let Some(last) = fields.last_mut() {
                *last = format!("{}: {}", failed.error.code, failed.error.message);
            }
            fields
        }
        VerdictRow::Verdict(verdict) => {
            let mut fields = vec![
                verdict.image.clone(),
                verdict.task_id.clone(),
                verdict.deliverable.to_string(),
                verdict.pay.to_string(),
                verdict.p_pay.to_string(),
                verdict.threshold.to_string(),
                number(verdict.price_usd),
                number(verdict.expected_usd),
                number(verdict.servimage_score),
            ];
            fields.extend(
                CONCEPTS
                    .map(|id| number(verdict.concepts.get(id).and_then(|concept| concept.score))),
            );
            let made_by = &verdict.provenance;
            fields.extend([
                made_by.labels.clone(),
                made_by.pack_sha256.clone(),
                made_by.device.clone(),
                made_by.self_test.clone(),
                row.vote.map(|vote| vote.to_string()).unwrap_or_default(),
                row.checklist.as_deref().map(ticked_of).unwrap_or_default(),
                String::new(),
            ]);
            fields
        }
    }
}

/// `3 of 7`: a bare `3/7` would be a date to a spreadsheet.
fn ticked_of(checklist: &[bool]) -> String {
    let n_ticked = checklist.iter().filter(|ticked| **ticked).count();
    format!("{n_ticked} of {}", checklist.len())
}

/// Quotes where needed, and keeps a spreadsheet from taking a file name for a formula.
fn csv_line(fields: &[String]) -> String {
    let quoted: Vec<String> = fields
        .iter()
        .map(|field| {
            let is_formula =
                field.starts_with(['=', '+', '@', '-']) && field.parse::<f64>().is_err();
            let field = if is_formula {
                format!("'{field}")
            } else {
                field.clone()
            };
            if field.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        })
        .collect();
    format!("{}\r\n", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{judged_session, verdict};

    #[test]
    fn jsonl_gives_back_every_settled_card() {
        let session = judged_session();
        let rows: Vec<VerdictRow> = session
            .export_jsonl()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a row"))
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], VerdictRow::Verdict(verdict("good.png", 0.75)));
        assert!(matches!(&rows[1], VerdictRow::Failed(failed) if failed.image == "bad.png"));
    }

    #[test]
    fn csv_has_as_many_fields_as_its_header_in_every_row() {
        let session = judged_session();
        let csv = session.export_csv();
        let widths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(widths, vec![header().len(); 3]);
        assert!(csv.contains("good.png") && csv.contains("0.75"));
    }

    #[test]
    fn csv_quotes_commas_and_disarms_formulas() {
        let line = csv_line(&["a,\"b\"".into(), "=1+1".into(), "-0.5".into()]);
        assert_eq!(line, "\"a,\"\"b\"\"\",'=1+1,-0.5\r\n");
    }
}
