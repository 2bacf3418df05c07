//! Replays that did not come to their end although the verified one did: a crash that only a warm heap,
//! a longer replay, other threads or a tool meets.
//!
//! | how it ended | before it came to its end | before it did not, or was not tried |
//! |---|---|---|
//! | killed by a signal, wrong contents | regression | regression |
//! | early, too late, out of memory | regression | failed |
//! | not loaded, missing, unsupported, interrupted | the figure that lacks says so | the same |

use super::Side;
use super::row::{Row, Ruling};
use super::rule::Rule;
use crate::record::{Counts, Footprint, Status};

/// How a replay ended.
struct Ending<'a> {
    /// What was being done.
    doing: &'static str,
    /// Threads that made the calls in turns, if they did.
    threads: Option<u32>,
    status: Status,
    /// The child's words.
    message: Option<&'a str>,
}

/// A row for each kind of replay of which one of `after`'s ended badly.
pub(super) fn broken(before: Side<'_>, after: Side<'_>, workload: &str) -> Vec<Row> {
    let events = |side: Side<'_>| {
        let mut workloads = side.results.workloads.iter();
        workloads.find(|one| one.workload == workload).map(|one| one.sha256.clone())
    };
    // What another workload of the name came to says nothing.
    let was = if events(before) == events(after) { endings(before, workload) } else { Vec::new() };
    let mut rows: Vec<Row> = Vec::new();
    for Ending { doing, threads, status, message } in endings(after, workload) {
        let came_to_its_end = || {
            let is_same = |one: &&Ending<'_>| one.doing == doing && one.threads == threads;
            let mut same = was.iter().filter(is_same).peekable();
            same.peek().is_some() && same.all(|one| one.status == Status::Ok)
        };
        let ruling = match status {
            Status::Signal | Status::Mismatch => Ruling::Regression,
            Status::Exit | Status::Timeout | Status::Oom if came_to_its_end() => Ruling::Regression,
            Status::Exit | Status::Timeout | Status::Oom => Ruling::Failed,
            Status::Ok
            | Status::NotLoaded
            | Status::Unsupported
            | Status::Missing
            | Status::Interrupted => continue,
        };
        // One row for each kind, of its worst ending.
        if let Some(at) = rows.iter().position(|row| row.part.as_deref() == Some(doing)) {
            if rows[at].ruling >= ruling {
                continue;
            }
            rows.remove(at);
        }
        let note = format!("{}: {}", status.word(), message.unwrap_or_default());
        let row = Row::without_figures(Rule::Verification, (workload, after.subject), ruling, note);
        rows.push(Row { part: Some(doing.to_owned()), threshold: "any".to_owned(), ..row });
    }
    rows
}

/// Every replay of a cell that was not verified.
fn endings<'a>(side: Side<'a>, workload: &str) -> Vec<Ending<'a>> {
    let is_cell = |subject: &str, name: &str| subject == side.subject && name == workload;
    let mut endings: Vec<Ending<'a>> = Vec::new();
    macro_rules! add {
        ($doing:literal, $records:expr, $threads:expr) => {
            let cell = $records.filter(|one| is_cell(&one.subject, &one.workload));
            endings.extend(cell.map(|one| Ending {
                doing: $doing,
                threads: $threads(one),
                status: one.status,
                message: one.message.as_deref(),
            }));
        };
    }
    let results = side.results;
    add!("timed", results.samples.iter().filter(|one| !one.verified), |_| None);
    add!("single calls", results.tails.iter(), |_| None);
    add!("counted", results.counts.iter(), |one: &Counts| one.threads);
    add!("memory", results.footprints.iter(), |one: &Footprint| one.threads);
    add!("memcheck", results.memchecks.iter(), |_| None);
    endings
}
