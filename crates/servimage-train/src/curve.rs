//! The curve of a run: a line of figures a step, and a picture of them.

use crate::run::StepReport;
use std::fmt::Write as _;
use std::path::Path;

const HEADER: &str =
    "step,done,learning_rate,guess,asked,met,brf,concept,pay,order,gradient_norm,off_grid\n";

/// Names and colours of the parts of the loss, in the order of [`StepReport::parts`].
const PARTS: [(&str, &str); 7] = [
    ("guess", "#888888"),
    ("asked", "#b58900"),
    ("met", "#2aa198"),
    ("brf", "#dc322f"),
    ("concept", "#268bd2"),
    ("pay", "#6c71c4"),
    ("order", "#859900"),
];

/// Figures of all steps so far, as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    csv: String,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            csv: HEADER.to_owned(),
        }
    }
}

impl Curve {
    /// The curve of a file; an empty one where there is none.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        std::fs::read_to_string(path).map_or_else(|_| Self::default(), |csv| Self { csv })
    }

    /// Adds a step.
    pub fn push(&mut self, step: u64, rate: f32, report: &StepReport) {
        write!(self.csv, "{step},{:.5},{rate:.6}", report.done)
            .expect("writing to a string cannot fail");
        for part in report.parts {
            write!(self.csv, ",{part:.4}").expect("writing to a string cannot fail");
        }
        writeln!(self.csv, ",{:.3},{:.5}", report.norm, report.off_grid)
            .expect("writing to a string cannot fail");
    }

    /// As comma-separated values.
    #[must_use]
    pub fn csv(&self) -> &str {
        &self.csv
    }

    /// As a picture: each part of the loss, smoothed, over the steps.
    #[must_use]
    pub fn svg(&self) -> String {
        let rows: Vec<Vec<f32>> = self
            .csv
            .lines()
            .skip(1)
            .map(|line| {
                line.split(',')
                    .filter_map(|field| field.parse().ok())
                    .collect()
            })
            .filter(|row: &Vec<f32>| row.len() == 12)
            .collect();
        let (width, height) = (760.0, 340.0);
        let chunk = rows.len().div_ceil(200).max(1);
        let chunks: Vec<&[Vec<f32>]> = rows.chunks(chunk).collect();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        for (part, (name, colour)) in PARTS.iter().enumerate() {
            let means: Vec<f32> = chunks
                .iter()
                .map(|rows| rows.iter().map(|row| row[3 + part]).sum::<f32>() / rows.len() as f32)
                .collect();
            let most = means.iter().copied().fold(1e-6, f32::max);
            let points: Vec<String> = means
                .iter()
                .enumerate()
                .map(|(i, mean)| {
                    let x = 20.0 + (width - 140.0) * i as f32 / (means.len().max(2) - 1) as f32;
                    format!(
                        "{x:.1},{:.1}",
                        height - 30.0 - (height - 50.0) * mean / most
                    )
                })
                .collect();
            let y = 30.0 + 22.0 * part as f32;
            writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>\n<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{name} (top {most:.2})</text>",
                points.join(" "),
                width - 115.0
            )
            .expect("writing to a string cannot fail");
        }
        writeln!(
            svg,
            "<text x=\"20\" y=\"{}\">{} steps, each part from 0 to its highest</text>\n</svg>",
            height - 8.0,
            rows.len()
        )
        .expect("writing to a string cannot fail");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_draws_a_line_a_part_and_survives_its_file() -> std::io::Result<()> {
        let mut curve = Curve::default();
        for step in 1..=500 {
            let report = StepReport {
                parts: [1.0 / step as f32; 7],
                ..StepReport::default()
            };
            curve.push(step, 1e-3, &report);
        }
        let svg = curve.svg();
        assert_eq!(svg.matches("<polyline").count(), 7);
        assert!(svg.contains("500 steps"));
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("curve.csv"), curve.csv())?;
        assert_eq!(Curve::read(&folder.path().join("curve.csv")), curve);
        Ok(())
    }
}
