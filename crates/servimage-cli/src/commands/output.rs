//! Verdicts as a table, JSON lines or CSV.

use clap::ValueEnum;
use servimage_bench::verdict::{CONCEPTS, RuleOutcome, Verdict, VerdictRow};
use std::io::Write;

/// How verdicts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for people
    Table,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
}

impl Format {
    /// Prints to stdout.
    pub fn print(self, rows: &[VerdictRow]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match self {
            Self::Table => table(&mut out, rows)?,
            Self::Jsonl => {
                for row in rows {
                    writeln!(out, "{}", serde_json::to_string(row)?)?;
                }
            }
            Self::Csv => csv_rows(&mut out, rows)?,
        }
        Ok(())
    }
}

fn table(out: &mut impl Write, rows: &[VerdictRow]) -> anyhow::Result<()> {
    writeln!(
        out,
        "{:<28} {:>4} {:>7} {:>5} {:>10} {:>6}  concepts",
        "image", "no.", "P(pay)", "pay", "expected", "score"
    )?;
    for row in rows {
        match row {
            VerdictRow::Verdict(verdict) => writeln!(out, "{}", table_row(verdict))?,
            VerdictRow::Failed(failed) => writeln!(
                out,
                "{:<28} {}: {}",
                failed.image, failed.error.code, failed.error.message
            )?,
        }
    }
    let verdict = rows.iter().find_map(|row| match row {
        VerdictRow::Verdict(verdict) => Some(verdict),
        VerdictRow::Failed(_) => None,
    });
    if let Some(Verdict {
        provenance,
        threshold,
        ..
    }) = verdict
    {
        let digest = provenance.pack_sha256.get(..12).unwrap_or_default();
        let (name, quant, device) = (&provenance.pack_name, &provenance.quant, &provenance.device);
        writeln!(
            out,
            "\npay from {threshold} up; pack {name} ({quant}, {digest}) on {device}; {}",
            provenance.labels
        )?;
    }
    Ok(())
}

fn table_row(verdict: &Verdict) -> String {
    let dollars = verdict
        .expected_usd
        .map_or("-".to_owned(), |usd| format!("${usd:.2}"));
    let score = verdict
        .servimage_score
        .map_or("-".to_owned(), |score| format!("{score:.1}"));
    let concepts = CONCEPTS
        .iter()
        .filter_map(|name| Some(format!("{name} {:.2}", verdict.concepts.get(*name)?.score?)));
    let missed = verdict
        .rules
        .iter()
        .filter(|rule| rule.outcome == RuleOutcome::Fail)
        .map(|rule| format!("misses {}", rule.rule));
    let notes = concepts.chain(missed).collect::<Vec<_>>().join(", ");
    let pay = if verdict.pay { "yes" } else { "no" };
    format!(
        "{:<28} {:>4} {:>7.4} {pay:>5} {dollars:>10} {score:>6}  {notes}",
        verdict.image, verdict.deliverable, verdict.p_pay
    )
}

fn csv_rows(out: &mut impl Write, rows: &[VerdictRow]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let first = [
        "image",
        "task_id",
        "deliverable",
        "p_pay",
        "pay",
        "threshold",
        "price_usd",
        "expected_usd",
        "servimage_score",
    ];
    let last = [
        "rules_failed",
        "pack_sha256",
        "quant",
        "device",
        "self_test",
        "error_code",
        "error",
    ];
    writer.write_record(first.iter().chain(&CONCEPTS).chain(&last))?;
    for row in rows {
        writer.write_record(csv_row(row))?;
    }
    writer.flush()?;
    Ok(())
}

fn csv_row(row: &VerdictRow) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    match row {
        VerdictRow::Verdict(verdict) => {
            let Verdict {
                image,
                task_id,
                deliverable,
                p_pay,
                pay,
                threshold,
                provenance,
                ..
            } = verdict;
            let mut cells = vec![
                image.clone(),
                task_id.clone(),
                deliverable.to_string(),
                p_pay.to_string(),
            ];
            cells.extend([pay.to_string(), threshold.to_string()]);
            cells.extend(
                [
                    verdict.price_usd,
                    verdict.expected_usd,
                    verdict.servimage_score,
                ]
                .map(number),
            );
            cells.extend(
                CONCEPTS.map(|name| {
                    number(verdict.concepts.get(name).and_then(|concept| concept.score))
                }),
            );
            let failed = verdict
                .rules
                .iter()
                .filter(|rule| rule.outcome == RuleOutcome::Fail)
                .map(|rule| rule.rule.as_str());
            cells.push(failed.collect::<Vec<_>>().join(" "));
            cells.extend(
                [
                    &provenance.pack_sha256,
                    &provenance.quant,
                    &provenance.device,
                    &provenance.self_test,
                ]
                .map(Clone::clone),
            );
            cells.extend([String::new(), String::new()]);
            cells
        }
        VerdictRow::Failed(failed) => {
            let mut cells = vec![failed.image.clone()];
            cells.resize(8 + 1 + CONCEPTS.len() + 5, String::new());
            cells.extend([failed.error.code.clone(), failed.error.message.clone()]);
            cells
        }
    }
}
