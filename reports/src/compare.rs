//! Two results files side by side: B over A, cell by cell and over all workloads.
//!
//! Beside [`crate::summary`], which compares subjects within one file, and on the same statistics.
//! Two runs share no rounds, so ratios are unpaired ([`crate::statistics::unpaired_ratio`]).
//!
//! * C1: a cell is compared iff both files have it (same workload, replay mode, touch policy and
//!   subject), it failed in neither, was called alike in both, and the workload's events are the same.
//! * C2: what is not compared is listed with the reason ([`LeftOut`]); a failure on either side is
//!   listed with both ([`Change`]). Nothing is dropped.
//! * C3: absolute times are compared only of one computer. Of two, only times over the baseline's in
//!   the same round of the same file are, and [`Comparison::notes`] says so.
//! * C4: a difference has a verdict iff its interval leaves 1 out and it exceeds the floor: the wider
//!   of the two files' A/A floors of that measure and, for absolute times of others than the
//!   baseline, what the baseline itself moved between the files.
//! * C5: counts that repeat exactly (errors under Valgrind) have no interval: any difference counts.
//! * C6: values that are the same in both files down to the last digit are `equal`, nothing else is.

mod cell;
mod conditions;
mod failures;
mod measure;
mod over_all;
mod records;
mod row;
mod side;
mod tables;

use serde::Serialize;

use crate::results::Results;

pub use failures::{Change, LeftOut};
pub use measure::{Measure, Move};
pub use over_all::OverAll;
pub use row::Row;
use side::Side;

/// What was run: a workload the way it was replayed, or a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Case {
    /// Workload, or program.
    pub workload: String,
    /// Replay mode; `memcheck` for errors under Valgrind, `program` for a real program.
    pub mode: String,
    /// Touch policy; `None` for a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch: Option<String>,
}

/// Everything that can be said of two files. Order follows file A, then B.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What a reader must know before the figures, one sentence each: other computer, versions,
    /// touch policies, unfinished runs.
    pub notes: Vec<String>,
    /// One per cell and measure that both files have.
    pub rows: Vec<Row>,
    /// Geometric means of the rows' ratios, over all subjects first, then by subject.
    pub over_all: Vec<OverAll>,
    /// Cells that failed in one file or both.
    pub changes: Vec<Change>,
    /// What is not compared, and why.
    pub left_out: Vec<LeftOut>,
}

impl Comparison {
    /// Compares `b` with `a`. Takes a bootstrap per cell and measure: about a second for a thousand
    /// cells in an optimised build.
    #[must_use]
    pub fn of(a: &Results, b: &Results) -> Self {
        let conditions = conditions::Conditions::of(a, b);
        let sides = (&Side::of(a), &Side::of(b));
        let rows = row::all(sides, &conditions);
        Self {
            over_all: over_all::all(sides, &rows),
            rows: rows.into_iter().map(|compared| compared.row).collect(),
            changes: failures::changes(sides),
            left_out: failures::left_out(sides, &conditions),
            notes: conditions.notes,
        }
    }

    /// Whether any cell fails in B that did not fail in A.
    #[must_use]
    pub fn has_new_failures(&self) -> bool {
        self.changes.iter().any(Change::is_new)
    }
}

impl Case {
    /// The case in a line of text; mode and touch policy only where they are not the usual ones.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = self.workload.clone();
        if self.mode != "serial" {
            label = format!("{label}, {}", self.mode);
        }
        match self.touch.as_deref() {
            None | Some("header") => label,
            Some(touch) => format!("{label}, touch {touch}"),
        }
    }
}
