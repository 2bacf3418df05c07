//! The rule on paired time: ratios taken within rounds, their interval widened for the number of
//! workloads that are judged together.
//!
//! ```text
//!              1        1 + threshold
//! good       --|--[====]-----|----------   the whole interval below the threshold
//! undecided  --|------[======|===]------   noise reaches over it, or the median does and 1 is inside
//! regression --|-------[=====|==o==]----   the median (o) beyond it and 1 outside
//! ```
//! A workload whose working set is far beyond L2 is bound by memory, whose speed the host's other
//! tenants share: it is not judged at all.

use super::Side;
use super::counted::workloads;
use super::row::{Row, Ruling};
use super::rule::{Rule, TIME_BEYOND_L2, TIME_WITHIN_L2};
use crate::record::{Host, Workload};
use crate::statistics::{Estimate, MIN_BOOTSTRAP_ROUNDS, Rounds, by_round, ratios};

/// L2 of a computer that does not state it: the least that is common.
const L2_BYTES: u64 = 1 << 20;
/// Most live bytes, in multiples of L2, of a load that is not bound by memory.
const MEMORY_BOUND: u64 = 16;

/// Paired time of every workload that is not bound by memory.
pub(super) fn time(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let host = &after.results.host;
    let judged: Vec<(&str, f64)> = workloads(after)
        .filter_map(|name| {
            let workload = after.results.workloads.iter().find(|one| one.workload == name)?;
            Some((name, threshold(workload, host)?))
        })
        .collect();
    for (workload, threshold) in &judged {
        let of = |side: Side<'_>| times(side, workload);
        rows.push(row(
            (workload, after.subject),
            (&of(before), &of(after)),
            *threshold,
            judged.len(),
        ));
    }
}

/// Change from which the time of a workload counts; `None` of a load that is bound by memory.
fn threshold(workload: &Workload, host: &Host) -> Option<f64> {
    let l2 = host.l2_bytes.unwrap_or(L2_BYTES);
    match workload.live_peak_bytes {
        bytes if bytes > MEMORY_BOUND * l2 => None,
        bytes if bytes > l2 || workload.threads > 1 => Some(TIME_BEYOND_L2),
        _ => Some(TIME_WITHIN_L2),
    }
}

fn times(side: Side<'_>, workload: &str) -> Rounds {
    let all = side.results.samples.iter();
    by_round(
        all.filter(|one| {
            one.subject == side.subject && one.workload == workload && !one.verified && !one.again
        })
        .filter_map(|one| Some((one.round, one.ns_per_pair?))),
    )
}

fn row(
    cell: (&str, &str),
    (before, after): (&Rounds, &Rounds),
    threshold: f64,
    comparisons: usize,
) -> Row {
    let middle =
        |rounds: &Rounds| crate::statistics::median(&rounds.values().copied().collect::<Vec<_>>());
    let paired: Vec<f64> = ratios(after, before).into_values().collect();
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
