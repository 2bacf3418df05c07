//! The rule on paired time: ratios taken within rounds, their interval widened for the number of
//! workloads that are judged together.
//!
//! ```text
//!              1        1 + threshold
//! good       --|--[====]-----|----------   the whole interval below the threshold
//! undecided  --|------[======|===]------   noise reaches over it, or the median does and 1 is inside
//! regression --|-------[=====|==o==]----   the median (o) beyond it and 1 outside
//! ```
//! How far a working set reaches is read off the simulated cache misses of the side before, which are
//! the same on every computer. A load that is bound by memory, whose speed the host's other tenants
//! share, is not judged at all.

use super::Side;
use super::counted::workloads;
use super::row::{Row, Ruling};
use super::rule::{Rule, TIME_BEYOND_L2, TIME_WITHIN_L2};
use crate::record::{Sample, Workload};
use crate::statistics::{Estimate, MIN_BOOTSTRAP_ROUNDS, median};
use crate::weather::Times;

/// Misses of callgrind's last-level cache of 2 MiB in a pair of calls, below which a working set is taken
/// to fit the second-level cache. A quarter of a miss is the replay's own reading.
const CACHED_MISSES: f64 = 0.3;
/// Misses in a pair of calls from which on a load is bound by memory.
const MEMORY_BOUND_MISSES: f64 = 1.0;

/// Paired time of every workload that is not bound by memory, nor `untimed`.
pub(super) fn time(before: Side<'_>, after: Side<'_>, untimed: &[&str], rows: &mut Vec<Row>) {
    let judged: Vec<(&str, f64)> = workloads(after)
        .filter(|name| !untimed.contains(name))
        .filter_map(|name| {
            let workload = after.results.workloads.iter().find(|one| one.workload == name)?;
            Some((name, threshold(workload, misses(before, name))?))
        })
        .collect();
    for (workload, threshold) in &judged {
        let of = |side: Side<'_>| times(side, workload);
        let (was, now) = (of(before), of(after));
        rows.push(row((workload, after.subject), (&was, &now), *threshold, judged.len()));
    }
}

/// Simulated last-level misses of a pair of calls.
fn misses(side: Side<'_>, workload: &str) -> Option<f64> {
    let mut counts = side.results.counts.iter();
    let cell = counts.find(|one| one.subject == side.subject && one.workload == workload)?;
    cell.per_pair(cell.ll_misses)
}

/// Change from which the time of a workload counts; `None` of a load that is bound by memory. What was
/// not counted is judged as if it were beyond L2.
fn threshold(workload: &Workload, misses: Option<f64>) -> Option<f64> {
    match misses {
        Some(misses) if misses >= MEMORY_BOUND_MISSES => None,
        Some(misses) if misses < CACHED_MISSES && workload.threads <= 1 => Some(TIME_WITHIN_L2),
        _ => Some(TIME_BEYOND_L2),
    }
}

fn times(side: Side<'_>, workload: &str) -> Times {
    let is_its = |one: &&Sample| {
        one.subject == side.subject && one.workload == workload && !one.verified && !one.again
    };
    Times::of(side.results.samples.iter().filter(is_its), |one| one.ns_per_pair)
}

fn row(
    cell: (&str, &str),
    (before, after): (&Times, &Times),
    threshold: f64,
    comparisons: usize,
) -> Row {
    let middle = |times: &Times| median(&times.counting().values().copied().collect::<Vec<_>>());
    // Both sides are played in turns and nothing else is: bad weather is the same to both.
    let pairs = after.beside(before, MIN_BOOTSTRAP_ROUNDS).into_iter();
    let paired: Vec<f64> = pairs.map(|(after, before)| after / before).collect();
    let (Some(estimate), Some(was), Some(now)) =
        (Estimate::widened(&paired, comparisons), middle(before), middle(after))
    else {
        return Row::without_figures(Rule::Time, cell, Ruling::Failed, "it was not measured");
    };
    let limit = 1.0 + threshold;
    let ruling = match estimate.interval {
        None => Ruling::Undecided,
        Some(ends) if estimate.value > limit && ends.low > 1.0 => Ruling::Regression,
        Some(ends) if ends.high > limit => Ruling::Undecided,
        Some(ends) if estimate.value < 1.0 / limit && ends.high < 1.0 => Ruling::Better,
        Some(_) => Ruling::Good,
    };
    let note = match estimate.interval {
        None => Some(format!(
            "{} rounds have no interval; it takes {MIN_BOOTSTRAP_ROUNDS}",
            estimate.count
        )),
        Some(_) if ruling == Ruling::Undecided => Some("noise reaches the threshold".to_owned()),
        Some(_) => None,
    };
    Row {
        rule: Rule::Time,
        workload: cell.0.to_owned(),
        subject: cell.1.to_owned(),
        part: None,
        before: Some(was),
        // So that after over before is the ratio that was judged.
        after: Some(if was > 0.0 { was * estimate.value } else { now }),
        interval: estimate.interval,
        threshold: format!("{:.0} %", 100.0 * threshold),
        ruling,
        note,
    }
}
