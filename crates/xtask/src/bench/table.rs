//! Markdown tables, and their places in `benches/README.md`.

use anyhow::{Result, ensure};

/// A Markdown table: text on the left, figures on the right.
pub struct Table {
    lines: Vec<String>,
    n_columns: usize,
}

impl Table {
    /// The columns' names; all columns but the first hold figures.
    pub fn new(names: &[&str]) -> Self {
        let rule = format!("|---|{}", "---:|".repeat(names.len() - 1));
        Self {
            lines: vec![row_of(names.iter()), rule],
            n_columns: names.len(),
        }
    }

    /// Adds a row; missing cells at its end stay empty.
    pub fn row(&mut self, cells: &[String]) {
        let empty = std::iter::repeat_n(String::new(), self.n_columns.saturating_sub(cells.len()));
        let cells: Vec<String> = cells.iter().cloned().chain(empty).collect();
        self.lines.push(row_of(cells.iter()));
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.lines.join("\n"))
    }
}

fn row_of<S: AsRef<str>>(cells: impl Iterator<Item = S>) -> String {
    let cells: Vec<String> = cells
        // A line break or a bar of an error message would end the cell.
        .map(|cell| cell.as_ref().replace('|', "/").replace('\n', " "))
        .collect();
    format!("| {} |", cells.join(" | "))
}

/// The text with another content between the marks of a part; what stands around them is kept.
pub fn replace_part(text: &str, part: &str, content: &str) -> Result<String> {
    let [open, close] = [
        format!("<!-- bench:{part} -->"),
        format!("<!-- /bench:{part} -->"),
    ];
    let start = text.find(&open).map(|at| at + open.len());
    let end = start.and_then(|start| Some(start + text[start..].find(&close)?));
    let (Some(start), Some(end)) = (start, end) else {
        anyhow::bail!("the marks `{open}` and `{close}` are missing");
    };
    ensure!(
        !content.contains("<!-- "),
        "the tables of {part} hold a mark themselves"
    );
    Ok(format!(
        "{}\n{}\n{}",
        &text[..start],
        content.trim_end(),
        &text[end..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_around_the_tables_stays() -> Result<()> {
        let text = "before <!-- bench:a -->\nold\n<!-- /bench:a --> after <!-- bench:b -->\nkept\n<!-- /bench:b -->";
        let new = replace_part(text, "a", "new\n\n")?;
        assert_eq!(new, text.replace("old", "new"));
        assert_eq!(
            replace_part(&new, "a", "new")?,
            new,
            "a second time changes nothing"
        );
        Ok(())
    }

    #[test]
    fn a_part_without_a_place_is_an_error() {
        assert!(replace_part("text", "a", "new").is_err());
        assert!(replace_part("<!-- bench:a -->", "a", "new").is_err());
    }

    #[test]
    fn a_cell_cannot_break_its_row() {
        let mut table = Table::new(&["a", "b", "c"]);
        table.row(&["x|y\nz".to_owned(), "1".to_owned()]);
        assert_eq!(
            table.to_string(),
            "| a | b | c |\n|---|---:|---:|\n| x/y z | 1 |  |\n"
        );
    }
}
