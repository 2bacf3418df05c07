//! What it costs to record a program, and to store what was recorded.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, number, table};
use crate::quantity::{self, plural};
use crate::record::Recording;
use crate::statistics::{Estimate, median};

/// Wall time under the recorder over wall time alone: median and interval over pairs of runs.
pub(crate) fn slowdown(recording: &Recording) -> Option<Estimate> {
    let pairs = recording.recorded_wall_ns.iter().zip(&recording.plain_wall_ns);
    let ratios: Vec<f64> = pairs
        .filter(|(recorded, plain)| **recorded > 0 && **plain > 0)
        .map(|(recorded, plain)| *recorded as f64 / *plain as f64)
        .collect();
    Estimate::of(&ratios)
}

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let recordings = &context.results.recordings;
    if recordings.is_empty() {
        return None;
    }
    let pairs = recordings.iter().filter_map(|one| Some(slowdown(one)?.count)).max().unwrap_or(0);
    let caption = format!(
        "Slowdown: wall time under the recorder over wall time alone, median and 95 % interval over {} \
         at most. The size is that of the stored trace.",
        plural(pairs, "pair of runs", "pairs of runs")
    );
    let wall = |times: &[u64]| {
        let times: Vec<f64> = times.iter().map(|ns| *ns as f64).collect();
        median(&times).map(quantity::duration)
    };
    Some(table(
        &caption,
        &html! { tr {
            th scope="col" { "Program" } th scope="col" { "Workload" }
            th.number scope="col" { "Alone" } th.number scope="col" { "Recorded" }
            th.number scope="col" { "Slowdown" } th.number scope="col" { "Calls" }
            th.number scope="col" { "Trace" } th.number scope="col" { "Bytes per operation" }
        } },
        &html! {
            @for one in recordings {
                tr {
                    th scope="row" { (one.program) }
                    td { (one.workload) }
                    (number(wall(&one.plain_wall_ns)))
                    (number(wall(&one.recorded_wall_ns)))
                    (estimate(slowdown(one).as_ref()))
                    (number(Some(quantity::count(one.calls))))
                    (number(Some(quantity::bytes(one.trace_bytes as f64))))
                    (number(Some(quantity::figure(one.bytes_per_operation))))
                }
            }
        },
    ))
}
