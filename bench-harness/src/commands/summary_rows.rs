//! Prints the figures of a results file as rows: one per cell.

use reports::results::Results;
use reports::summary::{FlatRow, Summary};

use super::print::{self, Rows};
use crate::cli::Format;
use crate::exit::Failure;

/// Prints every cell's figures, and every memcheck count.
pub(crate) fn print(results: &Results, format: Format) -> Result<(), Failure> {
    let summary = Summary::of(results);
    if !summary.rows.is_empty() {
        let cells: Vec<_> = summary.rows.iter().map(FlatRow::from).collect();
        print::rows(&time_rows(&cells, &summary.baseline), format)?;
    }
    if !results.memchecks.is_empty() {
        print::rows(&super::memcheck::rows(&results.memchecks), format)?;
    }
    Ok(())
}

fn time_rows(cells: &[FlatRow], baseline: &str) -> Rows {
    let rows = cells
        .iter()
        .map(|cell| {
            let outcome = match (&cell.failure, &cell.verdict) {
                (Some(failure), _) => failure.clone(),
                (None, Some(verdict)) => verdict.word().to_owned(),
                (None, None) if cell.subject == *baseline => "baseline".to_owned(),
                (None, None) if cell.samples == 0 => "every block verified".to_owned(),
                (None, None) => String::new(),
            };
            vec![
                cell.workload.clone(),
                cell.subject.clone(),
                outcome,
                number(cell.ns_per_pair, 2),
                number(cell.ratio, 3),
                interval(cell.ratio_low, cell.ratio_high),
                number(cell.rss_ratio, 2),
                cell.samples.to_string(),
            ]
        })
        .collect();
    Rows {
        header: vec![
            "workload", "subject", "verdict", "ns/pair", "ratio", "95 %", "RSS/live", "samples",
        ],
        rows,
        text_columns: 3,
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
}

fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{low:.3}-{high:.3}"),
        _ => String::new(),
    }
}
