//! A comparison as plain tables and as Markdown.

use std::fmt::Write;

use super::{Comparison, Move, OverAll, Row};
use crate::quantity;
use crate::record::Status;
use crate::statistics::Estimate;
use crate::summary::{Table, escape};

impl Comparison {
    /// One line per cell and measure.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("workload", false),
            ("subject", false),
            ("measure", false),
            ("A", true),
            ("B", true),
            ("B/A [95 %]", true),
            ("floor", true),
            ("verdict", false),
        ]);
        table.rows = self.rows.iter().map(line).collect();
        table
    }

    /// One line per subject and measure: geometric means over its cells.
    #[must_use]
    pub fn over_all_table(&self) -> Table {
        let mut table = Table::new(&[
            ("subject", false),
            ("measure", false),
            ("B/A [95 %]", true),
            ("floor", true),
            ("verdict", false),
            ("cells", true),
        ]);
        let line = |one: &OverAll| {
            vec![
                one.subject.clone().unwrap_or_else(|| "all subjects".to_owned()),
                one.measure.title().to_owned(),
                quantity::estimate(&one.ratio),
                floor(one.floor_percent),
                one.word().to_owned(),
                one.cells.to_string(),
            ]
        };
        table.rows = self.over_all.iter().map(line).collect();
        table
    }

    /// One line per cell that failed in either file.
    #[must_use]
    pub fn changes_table(&self) -> Table {
        let columns = ["workload", "subject", "what", "in A", "in B"];
        let mut table = Table::new(&columns.map(|column| (column, false)));
        let side = |failure: &Option<(Status, String)>| match failure {
            Some((status, message)) => format!("{}: {message}", status.word()),
            None => String::new(),
        };
        let line = |one: &super::Change| {
            vec![
                one.case.label(),
                one.subject.clone(),
                one.word().to_owned(),
                side(&one.a),
                side(&one.b),
            ]
        };
        table.rows = self.changes.iter().map(line).collect();
        table
    }

    /// One line per thing that is not compared.
    #[must_use]
    pub fn left_out_table(&self) -> Table {
        let columns = ["workload", "subject", "measure", "why"];
        let mut table = Table::new(&columns.map(|column| (column, false)));
        let line = |one: &super::LeftOut| {
            vec![
                one.case.label(),
                one.subject.clone(),
                one.measure.map_or("all", super::Measure::title).to_owned(),
                one.reason.clone(),
            ]
        };
        table.rows = self.left_out.iter().map(line).collect();
        table
    }

    /// The tables that hold something, each under its title.
    #[must_use]
    pub fn sections(&self) -> Vec<(&'static str, Table)> {
        let mut sections = vec![
            ("Failures", self.changes_table()),
            ("Over all workloads", self.over_all_table()),
            ("By workload", self.table()),
            ("Not compared", self.left_out_table()),
        ];
        sections.retain(|(_, table)| !table.rows.is_empty());
        sections
    }

    /// How many rows moved which way, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let count = |moved: Move| self.rows.iter().filter(|row| row.moved == moved).count();
        let mut text = format!(
            "B beside A: {}, {} better, {} worse, {} equal, {} undecided",
            quantity::plural(self.rows.len(), "figure", "figures"),
            count(Move::Less),
            count(Move::More),
            count(Move::Equal),
            count(Move::Undecided)
        );
        let new = self.changes.iter().filter(|change| change.is_new()).count();
        let _ = write!(text, "; {}", quantity::plural(new, "new failure", "new failures"));
        let left = quantity::count(self.left_out.len() as u64);
        let _ = write!(text, "; {left} not compared.");
        text
    }

    /// The whole comparison in GitHub's Markdown, for a pull request. What moved stands open, the
    /// rest is folded away.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("## Comparison\n\n{}\n", self.sentence());
        for note in &self.notes {
            let _ = write!(text, "\n> {}\n", escape(note));
        }
        let mut moved = self.table();
        moved.rows = self
            .rows
            .iter()
            .filter(|row| matches!(row.moved, Move::Less | Move::More))
            .map(line)
            .collect();
        if !moved.rows.is_empty() {
            let _ = write!(text, "\n### What moved\n\n{}", moved.to_markdown());
        }
        for (title, table) in self.sections() {
            let table = table.to_markdown();
            let _ = match title {
                "Failures" | "Over all workloads" => write!(text, "\n### {title}\n\n{table}"),
                _ => write!(text, "\n<details><summary>{title}</summary>\n\n{table}\n</details>\n"),
            };
        }
        text
    }
}

fn line(row: &Row) -> Vec<String> {
    vec![
        row.case.label(),
        row.subject.clone(),
        row.measure.title().to_owned(),
        row.measure.text(row.a.value),
        row.measure.text(row.b.value),
        row.ratio.as_ref().map(ratio).unwrap_or_default(),
        floor(row.floor_percent),
        row.word().to_owned(),
    ]
}

/// A ratio with its interval; alone where it has none.
fn ratio(ratio: &Estimate) -> String {
    match ratio.interval {
        Some(_) => quantity::estimate(ratio),
        None => quantity::figure(ratio.value),
    }
}

fn floor(percent: Option<f64>) -> String {
    percent.map(|percent| format!("±{}", quantity::percent(percent))).unwrap_or_default()
}
