//! The rows as a plain table, for a terminal, Markdown, CSV and JSON.

use serde_json::Value;

use super::{FlatRow, Row, Summary};
use crate::quantity;
use crate::statistics::Estimate;

/// A table of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Column headings, units included.
    pub head: Vec<String>,
    /// Whether a column holds figures and is aligned to the right.
    pub right: Vec<bool>,
    /// Rows, each as long as `head`.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table from headings and whether their columns hold figures.
    pub(crate) fn new(columns: &[(&str, bool)]) -> Self {
        Self {
            head: columns.iter().map(|column| column.0.to_owned()).collect(),
            right: columns.iter().map(|column| column.1).collect(),
            rows: Vec::new(),
        }
    }

    /// The table in GitHub's Markdown. Letters that would break a cell are escaped.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rules = self.right.iter().map(|right| if *right { "--:" } else { ":--" });
        let mut text = line(&self.head);
        text += &format!("| {} |\n", rules.collect::<Vec<_>>().join(" | "));
        for row in &self.rows {
            text += &line(row);
        }
        text
    }
}

/// Text that Markdown shows as it is: in a table cell, or anywhere else in a line.
pub(crate) fn escape(text: &str) -> String {
    // Brackets make a link only when a target follows; intervals keep theirs as they are.
    let may_link = text.contains("](") || text.contains("][");
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '[' | ']' if !may_link => escaped.push(letter),
            '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

impl Summary {
    /// One line per cell: medians with their intervals at 95 %, verdicts, memory and how the
    /// children ended.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("workload", false),
            ("subject", false),
            ("ns/pair", true),
            ("95 %", true),
            ("ratio", true),
            ("95 %", true),
            ("verdict", false),
            ("RSS/live", true),
            ("samples", true),
            ("status", false),
        ]);
        table.rows = self.rows.iter().map(|row| self.line(row)).collect();
        table
    }

    fn line(&self, row: &Row) -> Vec<String> {
        let value = |estimate: Option<Estimate>| {
            estimate.map(|one| quantity::figure(one.value)).unwrap_or_default()
        };
        let ends = |estimate: Option<Estimate>| {
            estimate.and_then(|one| one.interval).map(quantity::interval).unwrap_or_default()
        };
        vec![
            self.label(&row.setting),
            row.subject.clone(),
            value(row.time),
            ends(row.time),
            value(row.ratio),
            ends(row.ratio),
            row.word().to_owned(),
            value(row.rss_ratio),
            row.times_ns_per_pair.len().to_string(),
            super::row::status_list(&row.statuses),
        ]
    }

    /// The rows with flat keys.
    pub fn flat_rows(&self) -> impl Iterator<Item = FlatRow> {
        self.rows.iter().map(FlatRow::from)
    }

    /// The rows as a JSON array of flat objects. What was not measured is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let object = |row: FlatRow| {
            let mut value = serde_json::to_value(row).unwrap_or_default();
            if let Some(keys) = value.as_object_mut() {
                keys.retain(|_, value| !value.is_null());
            }
            value
        };
        Value::Array(self.flat_rows().map(object).collect())
    }

    /// The rows as CSV with a heading. What was not measured is an empty field.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in self.flat_rows() {
            writer.serialize(row).expect("a flat row always fits a CSV line in memory");
        }
        let bytes = writer.into_inner().expect("writing to memory cannot fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_cells_cannot_break_the_table() {
        let mut table = Table::new(&[("a", false), ("b", true)]);
        table.rows.push(vec!["x|y\nz".to_owned(), "<b>".to_owned()]);
        assert_eq!(table.to_markdown(), "| a | b |\n| :-- | --: |\n| x\\|y z | \\<b> |\n");
        assert_eq!(escape("[0.9, 1.1]"), "[0.9, 1.1]");
        assert_eq!(escape("[a](b)"), "\\[a\\](b)");
    }
}
