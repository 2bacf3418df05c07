//! Memory: peak resident set over peak live bytes by subject.

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Panel, Row as Drawn};
use super::{Basis, Chart, Slugs};
use crate::quantity;
use crate::summary::{Row, Setting, Summary};

/// The chart of one setting. `None` when no subject has a memory figure.
pub(super) fn memory(
    summary: &Summary,
    setting: &Setting,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    // A reference without a heap has no memory to show; any other gap is shown as a gap.
    let rows: Vec<&Row> = summary
        .rows_of(setting)
        .filter(|row| row.rss_ratio.is_some() || row.failure.is_some() || row.ranked)
        .filter(|row| !row.is_unsupported())
        .collect();
    let values: Vec<f64> = rows.iter().filter_map(|row| Some(row.rss_ratio?.value)).collect();
    if values.is_empty() {
        return None;
    }
    let least = values.iter().copied().fold(1.0, f64::min);
    let most = values.iter().copied().fold(1.0, f64::max);
    let label = summary.label(setting);
    let counts = super::counts(rows.iter().filter_map(|row| Some(row.rss_ratio?.count)), "sample");
    let live = rows.iter().find_map(|row| row.live_peak_bytes);
    let panel = Panel {
        slug: slugs.next("memory", &label),
        title: format!("Memory overhead: {label}"),
        caption: format!(
            "Marker: median. Bar: 95\u{a0}%\u{a0}interval of the median ({counts} per subject). Line at 1: \
             no overhead{}.",
            live.map(|bytes| format!(", {} live", quantity::bytes(bytes))).unwrap_or_default()
        ),
        description: format!(
            "{} subjects on {label}. Lowest overhead {}, highest {}.",
            rows.len(),
            quantity::figure(values.iter().copied().fold(f64::INFINITY, f64::min)),
            quantity::figure(most)
        ),
        basis: Basis::of_samples(
            "peak resident bytes over peak live bytes",
            format!("{counts} per subject"),
            "the median",
        )
        .if_any(rows.iter().any(|row| row.rss_ratio.is_some_and(|ratio| ratio.interval.is_some()))),
        axis: Axis::log(least, most),
        axis_label: "peak resident set over peak live bytes, logarithmic; less is better"
            .to_owned(),
        band: None,
        line: Some(1.0),
        groups: super::groups(
            &rows,
            |row| row.rss_ratio.map(|ratio| ratio.value),
            |row| draw(row, &marker),
        ),
        legend: Vec::new(),
    };
    Some(panel.draw())
}

fn draw(row: &Row, marker: &impl Fn(&str) -> Marker) -> Drawn {
    let ratio = row.rss_ratio.filter(|_| row.failure.is_none());
    Drawn {
        label: row.subject.clone(),
        note: match (ratio, &row.failure) {
            (Some(ratio), _) => quantity::figure(ratio.value),
            (None, Some(_)) => super::failure_note(row),
            (None, None) => "not measured".to_owned(),
        },
        hatched: ratio.is_none(),
        interval: ratio.and_then(|ratio| ratio.interval).map(|ends| (ends.low, ends.high)),
        points: ratio.map(|ratio| (ratio.value, marker(&row.subject))).into_iter().collect(),
        ..Drawn::default()
    }
}
