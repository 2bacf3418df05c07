//! Times of single calls by subject, one chart per workload: a line from the median to the slowest
//! call, with a marker at every percentile between.

use super::axis::Axis;
use super::marker::Marker;
use super::panel::{Group, Panel, Row as Drawn};
use super::{Basis, Chart, Slugs, counts};
use crate::quantity;
use crate::record::TailRow;
use crate::tails::{TailCell, TailTable};

/// The chart of one workload. `None` when nothing was timed.
pub(super) fn tails(table: &TailTable<'_>, slugs: &mut Slugs) -> Option<Chart> {
    let timed: Vec<&TailCell<'_>> =
        table.cells.iter().filter(|cell| cell.overall.is_some()).collect();
    let resolution_ns = timed.iter().map(|cell| cell.resolution_ns).fold(1.0, f64::max);
    let values = || timed.iter().filter_map(|cell| cell.overall).flatten();
    let high = values().reduce(f64::max)?;
    let drawn =
        table.cells.iter().filter(|cell| cell.overall.is_some() || cell.status.is_failure());
    let rounds = counts(timed.iter().map(|cell| cell.rounds), "round");
    let calls = quantity::count(timed.iter().map(|cell| cell.calls).max().unwrap_or(0));
    let panel = Panel {
        slug: slugs.next("tails", table.workload),
        title: format!("Times of single calls: {}", table.workload),
        caption: format!(
            "Percentiles of all calls, every call timed by itself; medians over {rounds} of {calls} calls. Times \
             below {} cannot be told apart and stand at the left end. Right: p99.99.",
            quantity::duration(resolution_ns)
        ),
        description: format!(
            "{} subjects on {}, by the time that 99.99 % of their calls do not exceed.",
            timed.len(),
            table.workload
        ),
        basis: Basis::without_interval(
            "nanoseconds per call",
            format!("{rounds} of {calls} calls per subject"),
            "the line is the spread of the calls, from p50 to the slowest",
        ),
        axis: Axis::log(resolution_ns, high.max(resolution_ns)),
        axis_label: "nanoseconds per call, logarithmic; less is better".to_owned(),
        band: None,
        line: None,
        groups: vec![Group {
            heading: String::new(),
            rows: drawn.map(|cell| draw(cell, resolution_ns)).collect(),
        }],
        legend: (0..TailRow::PERCENTILES.len())
            .map(|at| (marker(at), TailRow::PERCENTILES[at].to_owned()))
            .collect(),
    };
    Some(panel.draw())
}

/// A percentile's marker, the same in every chart.
fn marker(at: usize) -> Marker {
    Marker::nth(at)
}

fn draw(cell: &TailCell<'_>, resolution_ns: f64) -> Drawn {
    let Some(overall) = cell.overall else {
        return Drawn {
            label: cell.subject.to_owned(),
            note: cell.status.word().to_owned(),
            hatched: true,
            ..Drawn::default()
        };
    };
    let places = overall.map(|ns| ns.max(resolution_ns));
    Drawn {
        label: cell.subject.to_owned(),
        note: crate::tails::time(overall[4], resolution_ns),
        interval: Some((places[0], places[5])),
        points: places.iter().enumerate().map(|(at, ns)| (*ns, marker(at))).collect(),
        in_line: true,
        ..Drawn::default()
    }
}
