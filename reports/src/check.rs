//! The gate: one subject before and after a change, judged rule by rule.
//!
//! Between records, which the harness leaves of both sides, and an exit code. The two sides may stand
//! in two files (a recorded baseline) or in one (two libraries run side by side). `key` tells whether
//! two files can be compared at all; `counted` judges what repeats exactly, `contract` what single calls
//! promise, `detection` which seeded bugs are caught, `timed` and `tails` what the clock says; `words` and `junit` print.
//!
//! * G1: a regression is never outvoted: the outcome is the worst of the rulings, in the order of
//!   [`Ruling`].
//! * G2: a figure that should be there and is not is a ruling of its own ([`Ruling::Failed`]): an
//!   allocator that was never measured cannot pass.
//! * G3: without a single row there is nothing to be good: the outcome is [`Ruling::Failed`].

mod contract;
mod counted;
mod detection;
mod endings;
mod junit;
mod key;
mod row;
mod rule;
mod tails;
mod timed;
mod words;

use crate::results::Results;

pub use key::Key;
pub use row::{Row, Ruling};
pub use rule::Rule;

/// One side of a check: a subject in a results file.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The records.
    pub results: &'a Results,
    /// The subject's name in them.
    pub subject: &'a str,
}

/// Which rules are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// What repeats exactly: verification, instructions, memory, Valgrind errors, the C contract,
    /// seeded bugs.
    Deterministic,
    /// Time and tails as well, both sides in one file. A tail that is worse counts once it was
    /// confirmed: in the rounds before this number and again in those from it on.
    Timed {
        /// First round of the second measurement.
        second_from: u32,
        /// Workloads whose time and single calls are not judged, and need not be there.
        untimed: &'a [&'a str],
    },
}

/// Rulings on any number of subjects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// One per rule, workload and subject, in the order of judging.
    pub rows: Vec<Row>,
    /// What a reader must know beforehand.
    pub notes: Vec<String>,
}

impl Check {
    /// Judges `after` against `before` and adds the rulings.
    pub fn judge(&mut self, before: Side<'_>, after: Side<'_>, scope: Scope<'_>) {
        let first = self.rows.len();
        if !before.results.subjects.iter().any(|one| one.subject == before.subject) {
            self.rows.push(Row::without_figures(
                Rule::Instructions,
                ("all", after.subject),
                Ruling::Undecided,
                "the baseline has no such subject",
            ));
            return;
        }
        counted::verification(before, after, &mut self.rows);
        counted::instructions(before, after, &mut self.rows);
        counted::events(before, after, &mut self.rows);
        counted::memory(before, after, &mut self.rows);
        counted::growth(before, after, &mut self.rows);
        counted::faults(before, after, &mut self.rows);
        counted::memcheck(before, after, &mut self.rows);
        contract::contract(before, after, &mut self.rows);
        detection::detection(before, after, &mut self.rows);
        if let Scope::Timed { second_from, untimed } = scope {
            timed::time(before, after, untimed, &mut self.rows);
            tails::tails(before, after, untimed, second_from, &mut self.rows);
        }
        self.set_apart_changed_workloads(first, before, after);
        // A cell that failed its verification is not measured: one row says so, not one per rule.
        let lost: Vec<String> = self.rows[first..]
            .iter()
            .filter(|row| row.rule == Rule::Verification && row.part.is_none())
            .filter(|row| row.ruling != Ruling::Good)
            .map(|row| row.workload.clone())
            .collect();
        let mut at = 0;
        self.rows.retain(|row| {
            at += 1;
            let is_repeated = row.rule != Rule::Verification && row.ruling == Ruling::Failed;
            // An allocator that no child was served by is not tried any further.
            let is_apart = matches!(row.rule, Rule::Contract | Rule::Detection);
            let is_lost = lost.contains(&row.workload)
                || (is_apart && lost.len() == after.results.workloads.len());
            at <= first || !(is_repeated && is_lost)
        });
    }

    /// Nothing but verification is judged on a workload that is another one than before.
    fn set_apart_changed_workloads(&mut self, first: usize, before: Side<'_>, after: Side<'_>) {
        for now in &after.results.workloads {
            let mut known = before.results.workloads.iter();
            if known.any(|was| was.workload == now.workload && was.sha256 == now.sha256) {
                continue;
            }
            let mut at = 0;
            self.rows.retain(|row| {
                at += 1;
                at <= first || row.rule == Rule::Verification || row.workload != now.workload
            });
            self.rows.push(Row::without_figures(
                Rule::Instructions,
                (&now.workload, after.subject),
                Ruling::Undecided,
                "the baseline's workload is another one, or has another name",
            ));
        }
    }

    /// A check that cannot be made, since figures hang on what differs.
    #[must_use]
    pub fn of_another_key(subjects: &[&str], differences: &[String]) -> Self {
        let note = differences.join("; ");
        let row = |subject: &&str| {
            let cell = ("all", *subject);
            Row::without_figures(Rule::Instructions, cell, Ruling::Undecided, note.clone())
        };
        Self { rows: subjects.iter().map(row).collect(), notes: differences.to_vec() }
    }

    /// The worst ruling (G1, G3).
    #[must_use]
    pub fn outcome(&self) -> Ruling {
        self.rows.iter().map(|row| row.ruling).max().unwrap_or(Ruling::Failed)
    }

    /// Workloads on which the clock has not spoken clearly: worth a second measurement.
    #[must_use]
    pub fn doubtful_workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .rows
            .iter()
            .filter(|row| matches!(row.rule, Rule::Time | Rule::Tails))
            .filter(|row| matches!(row.ruling, Ruling::Undecided | Ruling::Regression))
            .map(|row| row.workload.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
