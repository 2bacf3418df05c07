//! Times of single calls, by workload and subject: medians over rounds.
//!
//! The chart, the page and the Markdown draw from this view and not from records. A figure is the
//! median over the rounds that finished, the lower one of two in the middle: the longest call of one
//! disturbed round does not move it, not even half way.

use crate::record::{ALL_CALLS, Status, TailRow, Tails, WorstCall};
use crate::results::Results;

/// One subject on one workload.
#[derive(Clone, Debug)]
pub(crate) struct TailCell<'a> {
    pub(crate) subject: &'a str,
    /// How a cell without figures ended.
    pub(crate) status: Status,
    /// Rounds that finished.
    pub(crate) rounds: usize,
    /// Calls of one round.
    pub(crate) calls: u64,
    /// Times below this, in nanoseconds, cannot be told from none.
    pub(crate) resolution_ns: f64,
    /// Percentiles of all calls, in the order of [`TailRow::PERCENTILES`]; none without a round.
    pub(crate) overall: Option<[f64; 6]>,
    /// The same by operation, over all sizes.
    pub(crate) operations: Vec<(&'a str, [f64; 6])>,
    /// The slowest calls of all rounds, one entry per call.
    pub(crate) worst: Vec<&'a WorstCall>,
}

/// The cells of one workload.
#[derive(Clone, Debug)]
pub(crate) struct TailTable<'a> {
    pub(crate) workload: &'a str,
    pub(crate) cells: Vec<TailCell<'a>>,
}

/// Everything timed call by call, workloads in the order of their records, subjects by their p99.99.
pub(crate) fn tables(results: &Results) -> Vec<TailTable<'_>> {
    let records = &results.tails;
    let mut workloads = in_order(records.iter().map(|record| record.workload.as_str()));
    let known = &results.workloads;
    let place = |name: &&str| known.iter().position(|one| one.workload == **name);
    workloads.sort_by_key(|name| place(name).unwrap_or(known.len()));
    let table = |workload| {
        let of_workload: Vec<&Tails> =
            records.iter().filter(|record| record.workload == workload).collect();
        let subjects = in_order(of_workload.iter().map(|record| record.subject.as_str()));
        let mut cells: Vec<TailCell<'_>> =
            subjects.into_iter().map(|subject| cell(subject, &of_workload)).collect();
        let key = |cell: &TailCell<'_>| cell.overall.map_or(f64::INFINITY, |all| all[4]);
        cells.sort_by(|one, other| key(one).total_cmp(&key(other)));
        TailTable { workload, cells }
    };
    workloads.into_iter().map(table).collect()
}

/// Geometric means over the workloads of one subject.
#[derive(Clone, Debug)]
pub(crate) struct TailMean<'a> {
    pub(crate) subject: &'a str,
    /// Percentiles of all calls, in nanoseconds.
    pub(crate) percentiles: [f64; 6],
    /// Whether a workload is among them on which the time cannot be told from none.
    pub(crate) at_most: [bool; 6],
}

/// Means of the subjects that have percentiles on each workload; those first of which one call in a
/// thousand is fastest.
pub(crate) fn means(results: &Results) -> Vec<TailMean<'_>> {
    let tables = tables(results);
    let subjects = in_order(results.tails.iter().map(|record| record.subject.as_str()));
    let of = |subject: &str, table: &TailTable<'_>| {
        let cell = table.cells.iter().find(|cell| cell.subject == subject)?;
        Some((cell.overall?, cell.resolution_ns))
    };
    let mean = |subject| {
        let all: Vec<([f64; 6], f64)> =
            tables.iter().map(|table| of(subject, table)).collect::<Option<_>>()?;
        let mean = |at: usize| {
            // What is too short for the clock counts as what it can tell.
            let sum: f64 = all.iter().map(|(ns, least)| ns[at].max(*least).max(1.0).ln()).sum();
            (sum / all.len() as f64).exp()
        };
        (!all.is_empty()).then(|| TailMean {
            subject,
            percentiles: std::array::from_fn(mean),
            at_most: std::array::from_fn(|at| all.iter().any(|(ns, least)| ns[at] < *least)),
        })
    };
    let mut found: Vec<TailMean<'_>> = subjects.into_iter().filter_map(mean).collect();
    found.sort_by(|one, other| {
        one.percentiles[TailRow::P99_9].total_cmp(&other.percentiles[TailRow::P99_9])
    });
    found
}

fn cell<'a>(subject: &'a str, records: &[&'a Tails]) -> TailCell<'a> {
    let own: Vec<&Tails> =
        records.iter().copied().filter(|record| record.subject == subject).collect();
    let good: Vec<&Tails> = own.iter().copied().filter(|one| one.status == Status::Ok).collect();
    let bad = own.iter().find(|one| one.status != Status::Ok);
    let rows = |operation: &str| {
        let whole = move |row: &&TailRow| row.operation == operation && row.sizes == ALL_CALLS;
        let rows = good.iter().filter_map(|record| record.rows.iter().find(whole));
        rows.map(TailRow::percentiles_ns).collect::<Vec<_>>()
    };
    let names = in_order(
        good.iter().flat_map(|record| record.rows.iter().map(|row| row.operation.as_str())),
    );
    let operations = names.into_iter().filter(|name| *name != ALL_CALLS);
    let operations = operations.filter_map(|name| Some((name, medians(&rows(name))?))).collect();
    let mut worst: Vec<&WorstCall> = good.iter().flat_map(|record| &record.worst).collect();
    worst.sort_by(|one, other| surely_ns(other).total_cmp(&surely_ns(one)));
    let mut seen = Vec::new();
    worst.retain(|one| {
        let key = (one.thread, one.index);
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    TailCell {
        subject,
        status: bad.map_or(Status::Ok, |one| one.status),
        rounds: good.len(),
        calls: good.first().and_then(|one| one.operations).unwrap_or(0),
        resolution_ns: good.iter().filter_map(|one| one.resolution_ns).fold(0.0, f64::max),
        // A subject's failed round is not averaged away.
        overall: if bad.is_none() { medians(&rows(ALL_CALLS)) } else { None },
        operations,
        worst,
    }
}

/// The shorter of a slow call's two times.
pub(crate) fn surely_ns(worst: &WorstCall) -> f64 {
    worst.again_ns.unwrap_or(f64::INFINITY).min(worst.ns)
}

fn medians(rows: &[[f64; 6]]) -> Option<[f64; 6]> {
    let middle = rows.len().checked_sub(1)? / 2;
    let median = |at: usize| {
        let mut column: Vec<f64> = rows.iter().map(|row| row[at]).collect();
        column.sort_by(f64::total_cmp);
        column[middle]
    };
    Some(std::array::from_fn(median))
}

/// Each name once, in the order of first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// A time as a reader sees it: below the timer's resolution only that it is.
pub(crate) fn time(ns: f64, resolution_ns: f64) -> String {
    if ns < resolution_ns {
        format!("< {}", crate::quantity::duration(resolution_ns))
    } else {
        crate::quantity::duration(ns)
    }
}
