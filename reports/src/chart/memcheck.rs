//! Valgrind errors by subject and ownership strategy, one chart per workload.

use std::collections::BTreeSet;

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Group, Panel, Row as Drawn};
use super::{Basis, Chart, Slugs};
use crate::quantity;
use crate::record::{Memcheck, Status};

/// The chart of one workload, from its records. `None` when there is none.
///
/// `kinds` are the kinds of error of the whole run, so that a kind has the same marker in every
/// chart.
pub(super) fn memcheck(
    workload: &str,
    records: &[&Memcheck],
    kinds: &[&str],
    slugs: &mut Slugs,
) -> Option<Chart> {
    let most = records.iter().filter_map(|record| record.errors).max().unwrap_or(0);
    let shown: BTreeSet<&str> = records
        .iter()
        .flat_map(|record| record.errors_by_kind.keys().map(String::as_str))
        .collect();
    let marker = |kind: &str| {
        // Ink is kept for rows without errors.
        Marker::nth(1 + kinds.iter().position(|known| *known == kind).unwrap_or(kinds.len()))
    };
    if records.is_empty() {
        return None;
    }
    let clean = records.iter().filter(|record| record.errors == Some(0)).count();
    let panel = Panel {
        slug: slugs.next("memcheck", workload),
        title: format!("Valgrind errors: {workload}"),
        caption: "One run under memcheck per subject, so no interval. Every occurrence counts. \
                  Right: all kinds together."
            .to_owned(),
        description: format!(
            "{} subjects on {workload} under memcheck. {clean} without an error, at most {}.",
            records.len(),
            quantity::count(most)
        ),
        basis: Basis::without_interval(
            "number of errors",
            "1\u{a0}run per subject".to_owned(),
            "errors are counted, not timed",
        ),
        axis: Axis::count(most as f64),
        axis_label: "errors reported, logarithmic above 1".to_owned(),
        band: None,
        line: None,
        groups: vec![Group {
            heading: String::new(),
            rows: records.iter().map(|record| draw(record, &marker)).collect(),
        }],
        legend: shown.iter().map(|kind| (marker(kind), (*kind).to_owned())).collect(),
    };
    Some(panel.draw())
}

fn draw(record: &Memcheck, marker: &impl Fn(&str) -> Marker) -> Drawn {
    let counted = record.errors.filter(|_| record.status == Status::Ok);
    let points = match counted {
        Some(0) => vec![(0.0, Marker::nth(0))],
        Some(errors) if record.errors_by_kind.is_empty() => vec![(errors as f64, Marker::nth(0))],
        Some(_) => record
            .errors_by_kind
            .iter()
            .map(|(kind, count)| (*count as f64, marker(kind)))
            .collect(),
        None => Vec::new(),
    };
    Drawn {
        label: record.subject.clone(),
        sublabel: sublabel(record),
        note: counted.map_or_else(|| record.status.word().to_owned(), quantity::count),
        hatched: counted.is_none(),
        points,
        ..Drawn::default()
    }
}

/// Strategy and variant, as far as there are any.
fn sublabel(record: &Memcheck) -> String {
    let words = record.ownership.iter().cloned().chain([record.variant()]);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}
