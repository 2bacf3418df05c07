//! The figures as plain tables, for a terminal, Markdown and CSV.

use super::Programs;
use crate::quantity;
use crate::statistics::Estimate;
use crate::summary::Table;

impl Programs {
    /// One line per program and subject: medians, ratios to the baseline with their intervals at
    /// 95 %, verdicts.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("program", false),
            ("subject", false),
            ("wall", true),
            ("wall ratio [95 %]", true),
            ("verdict", false),
            ("CPU", true),
            ("CPU ratio [95 %]", true),
            ("peak RSS", true),
            ("RSS ratio", true),
            ("page faults", true),
            ("runs", true),
            ("message", false),
        ]);
        let time = |one: Option<Estimate>| one.map(|one| quantity::duration(one.value));
        let ratio = |one: &Option<Estimate>| one.as_ref().map(quantity::estimate);
        table.rows = self
            .rows
            .iter()
            .map(|row| {
                let cells = [
                    Some(row.program.clone()),
                    Some(row.subject.clone()),
                    time(row.wall_ns),
                    ratio(&row.wall_ratio),
                    Some(row.word().to_owned()),
                    time(row.cpu_ns),
                    ratio(&row.cpu_ratio),
                    row.rss_peak_bytes.map(|one| quantity::bytes(one.value)),
                    row.rss_ratio.map(|one| quantity::figure(one.value)),
                    row.page_faults.map(|one| quantity::count(one.value as u64)),
                    row.wall_ns.map(|one| one.count.to_string()),
                    row.failure.as_ref().map(|failure| failure.1.clone()),
                ];
                cells.map(Option::unwrap_or_default).to_vec()
            })
            .collect();
        table
    }

    /// One line per subject: geometric means of the ratios over all programs.
    #[must_use]
    pub fn overall_table(&self) -> Table {
        let mut table = Table::new(&[
            ("subject", false),
            ("wall ratio [95 %]", true),
            ("verdict", false),
            ("CPU ratio [95 %]", true),
            ("RSS ratio [95 %]", true),
            ("programs", true),
        ]);
        let ratio = |one: &Option<Estimate>| one.as_ref().map(quantity::estimate);
        table.rows = self
            .overall
            .iter()
            .map(|one| {
                let cells = [
                    Some(one.subject.clone()),
                    ratio(&one.wall_ratio),
                    Some(one.word().to_owned()),
                    ratio(&one.cpu_ratio),
                    ratio(&one.rss_ratio),
                    Some(format!("{} of {}", one.programs, one.programs + one.missing.len())),
                ];
                cells.map(Option::unwrap_or_default).to_vec()
            })
            .collect();
        table
    }

    /// The rows as CSV with a heading, figures in full. What was not measured is an empty field.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = [
            "program",
            "subject",
            "word",
            "runs",
            "wall_ns",
            "cpu_ns",
            "rss_peak_bytes",
            "page_faults",
            "wall_ratio",
            "wall_ratio_low",
            "wall_ratio_high",
            "cpu_ratio",
            "cpu_ratio_low",
            "cpu_ratio_high",
            "rss_ratio",
            "rss_ratio_low",
            "rss_ratio_high",
            "message",
        ];
        let in_memory = "a line of text always fits a CSV file in memory";
        writer.write_record(head).expect(in_memory);
        for row in &self.rows {
            let value = |one: Option<Estimate>| one.map(|one| one.value.to_string());
            let mut line = vec![
                Some(row.program.clone()),
                Some(row.subject.clone()),
                Some(row.word().to_owned()),
                row.wall_ns.map(|one| one.count.to_string()),
                value(row.wall_ns),
                value(row.cpu_ns),
                value(row.rss_peak_bytes),
                value(row.page_faults),
            ];
            for ratio in [row.wall_ratio, row.cpu_ratio, row.rss_ratio] {
                let ends = ratio.and_then(|ratio| ratio.interval);
                line.push(value(ratio));
                line.push(ends.map(|ends| ends.low.to_string()));
                line.push(ends.map(|ends| ends.high.to_string()));
            }
            line.push(row.failure.as_ref().map(|failure| failure.1.clone()));
            writer.write_record(line.into_iter().map(Option::unwrap_or_default)).expect(in_memory);
        }
        let bytes = writer.into_inner().expect("writing to memory cannot fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
