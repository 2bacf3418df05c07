//! Time per operation pair by subject, one chart per setting.

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Panel, Row as Drawn};
use super::{Basis, Chart, Slugs};
use crate::quantity;
use crate::summary::{Row, Setting, Summary};

/// Widest range of medians that is drawn from zero; beyond, the axis is logarithmic.
const LINEAR_LIMIT: f64 = 12.0;

/// The chart of one setting. `None` when no subject has a time or a failure to show.
pub(super) fn time(
    summary: &Summary,
    setting: &Setting,
    marker: impl Fn(&str) -> Marker,
    slugs: &mut Slugs,
) -> Option<Chart> {
    let rows: Vec<&Row> = summary.rows_of(setting).filter(|row| !row.is_unsupported()).collect();
    let medians: Vec<f64> = rows.iter().filter_map(|row| Some(row.time?.value)).collect();
    if rows.is_empty() {
        return None;
    }
    let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = medians.iter().copied().fold(0.0, f64::max);
    // The axis follows the medians: one disturbed sample must not press all others together.
    let axis = match highest / lowest {
        spread if spread > LINEAR_LIMIT => Axis::log(lowest, highest * 1.2),
        _ => Axis::linear(highest * 1.2),
    };
    let logarithmic = if axis.low > 0.0 { ", logarithmic" } else { "" };
    let label = summary.label(setting);
    let title = format!("Time per operation pair: {label}");
    let counts = super::counts(rows.iter().map(|row| row.times_ns_per_pair.len()), "sample");
    let fastest = rows
        .iter()
        .filter(|row| row.ranked && row.failure.is_none())
        .filter_map(|row| Some((row.time?.value, row.subject.as_str())))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let description = match fastest {
        Some((ns, subject)) => format!(
            "{} subjects on {label}. Lowest median: {subject}, {} ns per pair.",
            rows.len(),
            quantity::figure(ns)
        ),
        None => format!("{} subjects on {label}; none finished.", rows.len()),
    };
    let thinned = match rows.iter().any(|row| row.times_ns_per_pair.len() > MOST_DOTS) {
        true => format!(", {MOST_DOTS} of them drawn"),
        false => String::new(),
    };
    let disturbed = match rows.iter().map(|row| row.disturbed).sum() {
        0 => String::new(),
        some => format!(
            "; {} not calm and count only where fewer than two were",
            quantity::plural(some, "sample was", "samples were")
        ),
    };
    let used = rows.iter().filter_map(|row| Some(row.time?.count));
    let used = super::counts(used, "sample");
    let panel = Panel {
        slug: slugs.next("time", &label),
        title,
        caption: format!(
            "Marker: median. Bar: 95\u{a0}%\u{a0}interval of the median. Dots: {counts} per subject{thinned}{disturbed}. \
             Less is better."
        ),
        description,
        basis: Basis::of_samples(
            "nanoseconds per allocation and free",
            format!("{used} per subject"),
            "the median",
        )
        .if_any(rows.iter().any(|row| row.time.is_some_and(|time| time.interval.is_some()))),
        axis,
        axis_label: format!("nanoseconds per allocation and free{logarithmic}"),
        band: None,
        line: None,
        groups: super::groups(
            &rows,
            |row| row.time.map(|time| time.value),
            |row| draw(row, &marker),
        ),
        legend: Vec::new(),
    };
    Some(panel.draw())
}

fn draw(row: &Row, marker: &impl Fn(&str) -> Marker) -> Drawn {
    let failed = row.failure.is_some() || row.time.is_none();
    Drawn {
        label: row.subject.clone(),
        note: match (&row.failure, &row.time) {
            (None, Some(time)) => quantity::figure(time.value),
            _ => super::failure_note(row),
        },
        hatched: failed,
        dots: thinned(&row.times_ns_per_pair),
        interval: row
            .time
            .filter(|_| !failed)
            .and_then(|time| time.interval)
            .map(|ends| (ends.low, ends.high)),
        points: row
            .time
            .filter(|_| !failed)
            .map(|time| (time.value, marker(&row.subject)))
            .into_iter()
            .collect(),
        ..Drawn::default()
    }
}

/// Most dots of a row: more lie on one another, and a long run would make a page of hundreds of MiB.
const MOST_DOTS: usize = 40;

/// At most [`MOST_DOTS`] of `values`: the lowest, the highest, and what lies evenly between by rank.
fn thinned(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    if sorted.len() > MOST_DOTS {
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        return (0..MOST_DOTS).map(|nth| sorted[nth * last / (MOST_DOTS - 1)]).collect();
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_dots_are_thinned_to_their_whole_range_and_few_are_left_alone() {
        let many: Vec<f64> = (0..1000).rev().map(f64::from).collect();
        let drawn = thinned(&many);
        assert_eq!((drawn.len(), drawn[0], drawn[MOST_DOTS - 1]), (MOST_DOTS, 0.0, 999.0));
        assert_eq!(thinned(&many[..MOST_DOTS]), many[..MOST_DOTS]);
    }
}
