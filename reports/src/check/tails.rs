//! The rule on single calls: what percentiles, the slowest call and the number of slow calls say.
//!
//! Disturbances from outside only add time, and to a few calls at most. A slow call of the allocator's
//! own is there in every round. So the *least* figure of all rounds after is set against the *usual*
//! (median) one before:
//!
//! | figure, by kind of call | worse when | which catches |
//! |---|---|---|
//! | p99.9 | over 1.5 times, and 100 ns more | a slow path taken too often |
//! | p99.99 | the same | one that is slow while a heap grows |
//! | calls over 10 us, or over 4 times p99.9 | over twice as many, and 3 more | a rare slow operation |
//! | the slowest call | over 4 times, and 100 us more | one long stop |
//!
//! A second measurement must say the same before it counts.

use super::Side;
use super::counted::workloads;
use super::row::{Row, Ruling};
use super::rule::Rule;
use crate::record::{ALL_CALLS, TailRow, Tails};
use crate::statistics::median;

/// Slowest calls that a percentile leaves out at least: fewer are told by their number.
const MIN_LEFT_OUT: u64 = 5;
/// No call is slow that takes no longer.
const SLOW_NS: f64 = 10_000.0;
/// Nor one that takes no longer than this many times the usual p99.9.
const SLOW_TIMES: f64 = 4.0;

/// Reads a figure off a replay.
type Reader = Box<dyn Fn(&Tails) -> Option<f64>>;

/// A figure of one kind of call, and from where on more of it is worse.
struct Figure {
    name: String,
    of: Reader,
    times: f64,
    more: f64,
}

/// Every kind of call of every workload that is not `untimed`: one row per workload when nothing is
/// worse, else one per figure that is.
pub(super) fn tails(
    before: Side<'_>,
    after: Side<'_>,
    untimed: &[&str],
    second_from: u32,
    rows: &mut Vec<Row>,
) {
    for workload in workloads(after).filter(|name| !untimed.contains(name)) {
        let (was, now) = (timed(before, workload), timed(after, workload));
        let cell = (workload, after.subject);
        if was.is_empty() || now.is_empty() {
            let note = "single calls were not timed";
            rows.push(Row::without_figures(Rule::Tails, cell, Ruling::Failed, note));
            continue;
        }
        let worse = operations(&was)
            .iter()
            .flat_map(|operation| figures(operation, &was))
            .filter_map(|figure| judge(&figure, cell, (&was, &now), second_from))
            .collect::<Vec<_>>();
        if worse.is_empty() {
            rows.push(overall(cell, (&was, &now)));
        }
        rows.extend(worse);
    }
}

fn timed<'a>(side: Side<'a>, workload: &str) -> Vec<&'a Tails> {
    let all = side.results.tails.iter().filter(|one| !one.rows.is_empty());
    all.filter(|one| one.subject == side.subject && one.workload == workload).collect()
}

/// The row of a workload on which nothing is worse: p99.9 of all calls.
fn overall(cell: (&str, &str), (was, now): (&[&Tails], &[&Tails])) -> Row {
    let p999 = |side: &[&Tails]| {
        median(&side.iter().filter_map(|one| Some(one.overall()?.p999_ns)).collect::<Vec<_>>())
    };
    Row {
        rule: Rule::Tails,
        workload: cell.0.to_owned(),
        subject: cell.1.to_owned(),
        part: Some("all p99.9".to_owned()),
        before: p999(was),
        after: p999(now),
        interval: None,
        threshold: "1.5 times in every round".to_owned(),
        ruling: Ruling::Good,
        note: None,
    }
}

fn operations(tails: &[&Tails]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in tails.iter().flat_map(|one| &one.rows).filter(|row| row.operation != ALL_CALLS) {
        if !names.contains(&row.operation) {
            names.push(row.operation.clone());
        }
    }
    names
}

/// What is read off a kind of call, with limits taken from before.
fn figures(operation: &str, was: &[&Tails]) -> Vec<Figure> {
    let name = operation.to_owned();
    let whole = move |tails: &Tails| {
        tails.rows.iter().find(|row| row.operation == name && row.sizes == ALL_CALLS).cloned()
    };
    let rows: Vec<_> = was.iter().filter_map(|one| whole(one)).collect();
    let p999 = median(&rows.iter().map(|row| row.p999_ns).collect::<Vec<_>>()).unwrap_or(0.0);
    let limit_ns = (SLOW_TIMES * p999).max(SLOW_NS);
    let calls = rows.iter().map(|row| row.calls).min().unwrap_or(0);
    let mut figures = Vec::new();
    let thousandth: fn(&TailRow) -> f64 = |row| row.p999_ns;
    let ten_thousandth: fn(&TailRow) -> f64 = |row| row.p9999_ns;
    for (name, one_in, read) in [("p99.9", 1_000, thousandth), ("p99.99", 10_000, ten_thousandth)] {
        let of = whole.clone();
        if calls / one_in >= MIN_LEFT_OUT {
            figures.push(Figure {
                name: format!("{operation} {name}"),
                of: Box::new(move |tails| Some(read(&of(tails)?))),
                times: 1.5,
                more: 100.0,
            });
        }
    }
    let name = operation.to_owned();
    figures.push(Figure {
        name: format!("{operation}, calls over {}", crate::quantity::duration(limit_ns)),
        of: Box::new(move |tails| {
            let fine = tails.rows.iter().filter(|row| row.operation == name);
            let buckets = fine.flat_map(|row| &row.histogram);
            let slow = buckets.filter(|(ns, _)| *ns > limit_ns);
            Some(slow.map(|(_, calls)| *calls).sum::<u64>() as f64)
        }),
        times: 2.0,
        more: 3.0,
    });
    figures.push(Figure {
        name: format!("{operation}, slowest"),
        of: Box::new(move |tails| Some(whole(tails)?.max_ns)),
        times: 4.0,
        more: 100_000.0,
    });
    figures
}

/// A row when the figure is worse: a regression when it is so in both measurements.
fn judge(
    figure: &Figure,
    cell: (&str, &str),
    (was, now): (&[&Tails], &[&Tails]),
    second_from: u32,
) -> Option<Row> {
    let of = |side: &[&Tails], second: bool| -> Vec<f64> {
        let rounds = side.iter().filter(|one| (one.round >= second_from) == second);
        rounds.filter_map(|one| (figure.of)(one)).collect()
    };
    let least = |values: &[f64]| values.iter().copied().min_by(f64::total_cmp);
    let worse = |second: bool| -> Option<(f64, f64, bool)> {
        let before = median(&of(was, second))?;
        let after = least(&of(now, second))?;
        Some((before, after, after > figure.times * before && after - before >= figure.more))
    };
    let first = worse(false)?;
    if !first.2 {
        return None;
    }
    let (ruling, note, shown) = match worse(true) {
        None => (Ruling::Undecided, "to be confirmed by a second measurement", first),
        Some(second) if second.2 => (Ruling::Regression, "confirmed", second),
        Some(_) => return None,
    };
    Some(Row {
        rule: Rule::Tails,
        workload: cell.0.to_owned(),
        subject: cell.1.to_owned(),
        part: Some(figure.name.clone()),
        before: Some(shown.0),
        after: Some(shown.1),
        interval: None,
        threshold: format!("{} times in every round", figure.times),
        ruling,
        note: Some(note.to_owned()),
    })
}
