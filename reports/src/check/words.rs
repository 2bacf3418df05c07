//! A check as a table, Markdown, CSV and JSON.

use serde_json::{Value, json};

use super::Check;
use super::row::{Row, Ruling};
use crate::quantity;
use crate::summary::Table;

/// Schema of [`Check::to_json`].
const SCHEMA: &str = "arenabench.check/1";

impl Check {
    /// What moved, or could not be judged; with `all`, what did not as well. The worst first.
    #[must_use]
    pub fn table(&self, all: bool) -> Table {
        let mut table = Table::new(&[
            ("ruling", false),
            ("rule", false),
            ("workload", false),
            ("subject", false),
            ("before", true),
            ("after", true),
            ("change", true),
            ("counts from", false),
            ("why", false),
        ]);
        let mut rows: Vec<&Row> =
            self.rows.iter().filter(|row| all || row.ruling != Ruling::Good).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.ruling));
        table.rows = rows.into_iter().map(line).collect();
        table
    }

    /// The outcome in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let count = |ruling| self.rows.iter().filter(|row| row.ruling == ruling).count();
        let rulings = quantity::plural(self.rows.len(), "ruling", "rulings");
        let parts = [Ruling::Regression, Ruling::Failed, Ruling::Undecided, Ruling::Better];
        let moved: Vec<String> = parts
            .into_iter()
            .filter(|ruling| count(*ruling) > 0)
            .map(|ruling| format!("{} {}", count(ruling), ruling.word()))
            .collect();
        let moved = if moved.is_empty() { "all good".to_owned() } else { quantity::list(&moved) };
        format!("{rulings}: {moved}")
    }

    /// Outcome, notes and what moved, in GitHub's Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("**{}**: {}\n", self.outcome().word(), self.sentence());
        for note in &self.notes {
            text += &format!("\n* {}", crate::summary::escape(note));
        }
        let table = self.table(false);
        if !table.rows.is_empty() {
            text += &format!("\n{}", table.to_markdown());
        }
        text
    }

    /// Every ruling as CSV with a heading, figures in full.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let head = [
            "rule",
            "workload",
            "subject",
            "part",
            "before",
            "after",
            "ratio",
            "ratio_low",
            "ratio_high",
            "threshold",
            "ruling",
            "note",
        ];
        writer.write_record(head).expect("writing to memory cannot fail");
        for row in &self.rows {
            let line = [
                row.rule.name().to_owned(),
                row.workload.clone(),
                row.subject.clone(),
                row.part.clone().unwrap_or_default(),
                number(row.before),
                number(row.after),
                number(row.ratio()),
                number(row.interval.map(|ends| ends.low)),
                number(row.interval.map(|ends| ends.high)),
                row.threshold.clone(),
                row.ruling.word().to_lowercase(),
                row.note.clone().unwrap_or_default(),
            ];
            writer.write_record(line).expect("writing to memory cannot fail");
        }
        let bytes = writer.into_inner().expect("writing to memory cannot fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// An object with the outcome, notes and every ruling; what is not known is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let mut value = json!({
                "rule": row.rule.name(), "workload": row.workload, "subject": row.subject,
                "part": row.part, "before": row.before, "after": row.after, "ratio": row.ratio(),
                "ratio_low": row.interval.map(|ends| ends.low),
                "ratio_high": row.interval.map(|ends| ends.high),
                "threshold": row.threshold, "ruling": row.ruling, "note": row.note,
            });
            if let Some(keys) = value.as_object_mut() {
                keys.retain(|_, value| !value.is_null());
            }
            value
        });
        json!({
            "schema": SCHEMA, "outcome": self.outcome(), "notes": self.notes,
            "rulings": rows.collect::<Vec<_>>(),
        })
    }
}

fn line(row: &Row) -> Vec<String> {
    let name = row.rule.name();
    let rule = row.part.as_ref().map_or_else(|| name.to_owned(), |part| format!("{name}: {part}"));
    let why = match (&row.note, row.ruling) {
        (note, Ruling::Better) => {
            let note = note.as_ref().map(|note| format!("{note}; ")).unwrap_or_default();
            format!("{note}if nothing was meant to get better: what is not done any more?")
        }
        (Some(note), Ruling::Regression) => format!("{note}; {}", row.rule.why()),
        (Some(note), _) => note.clone(),
        (None, _) => row.rule.why().to_owned(),
    };
    vec![
        row.ruling.word().to_owned(),
        rule,
        row.workload.clone(),
        row.subject.clone(),
        row.figure(row.before),
        row.figure(row.after),
        row.change(),
        row.threshold.clone(),
        why,
    ]
}
