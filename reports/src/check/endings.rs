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
use crate::record::Status;

/// What was being done, how it ended, and the child's words.
type Ending<'a> = (&'static str, Status, Option<&'a str>);

/// A row for each kind of replay of which one of `after`'s ended badly.
pub(super) fn broken(before: Side<'_>, after: Side<'_>, workload: &str) -> Vec<Row> {
    let was = endings(before, workload);
    let mut rows: Vec<Row> = Vec::new();
    for (doing, status, message) in endings(after, workload) {
        let came_to_its_end = || {
            let mut same = was.iter().filter(|ending| ending.0 == doing).peekable();
            same.peek().is_some() && same.all(|ending| ending.1 == Status::Ok)
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
        if rows.iter().any(|row| row.part.as_deref() == Some(doing)) {
            continue;
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
        ($doing:literal, $records:expr) => {
            let cell = $records.filter(|one| is_cell(&one.subject, &one.workload));
            endings.extend(cell.map(|one| ($doing, one.status, one.message.as_deref())));
        };
    }
    let results = side.results;
    add!("timed", results.samples.iter().filter(|one| !one.verified));
    add!("single calls", results.tails.iter());
    add!("counted", results.counts.iter());
    add!("memory", results.footprints.iter());
    add!("memcheck", results.memchecks.iter());
    endings
}
