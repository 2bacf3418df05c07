//! One subject on one case in one file.

use std::collections::BTreeMap;

use super::Measure;
use crate::record::{Call, Memcheck, Program, Sample, Status};
use crate::statistics::{Rounds, by_round};

/// What one file says of a cell. Only runs with status ok that were not verified carry figures, and
/// an interrupted run is no failure of the subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// Values by round of every measure that was taken.
    pub(super) rounds: BTreeMap<Measure, Rounds>,
    /// Errors under memcheck and the calls replayed there.
    pub(super) errors: Option<(u64, Option<u64>)>,
    /// The first failure: how it ended, and what went wrong.
    pub(super) failure: Option<(Status, String)>,
    /// How the subject was called, for replays.
    pub(super) call: Option<Call>,
    /// Whether the subject cannot serve the case at all, which is no failure.
    unsupported: bool,
    raw: BTreeMap<Measure, Vec<(u32, f64)>>,
}

impl Cell {
    /// Adds a replay; its time only if its round counts.
    pub(super) fn add_sample(&mut self, sample: &Sample, counts: bool) {
        self.call = Some(sample.call);
        self.add_end(sample.status, sample.message.as_deref());
        if sample.status == Status::Ok && !sample.verified {
            let whole = |value: Option<u64>| value.map(|value| value as f64);
            self.add(Measure::NsPerPair, sample.round, sample.ns_per_pair.filter(|_| counts));
            self.add(Measure::RssPeakBytes, sample.round, whole(sample.rss_peak_bytes));
            self.add(Measure::PageFaults, sample.round, whole(sample.page_faults));
        }
    }

    pub(super) fn add_program(&mut self, run: &Program) {
        self.add_end(run.status, run.message.as_deref());
        if run.status == Status::Ok && !run.verified {
            let whole = |value: Option<u64>| value.map(|value| value as f64);
            self.add(Measure::WallNs, run.round, whole(run.wall_ns));
            self.add(Measure::RssPeakBytes, run.round, whole(run.rss_peak_bytes));
            self.add(Measure::PageFaults, run.round, whole(run.page_faults));
        }
    }

    pub(super) fn add_memcheck(&mut self, memcheck: &Memcheck) {
        self.add_end(memcheck.status, memcheck.message.as_deref());
        if let (Status::Ok, Some(errors)) = (memcheck.status, memcheck.errors) {
            self.errors = Some((errors, memcheck.operations));
        }
    }

    fn add(&mut self, measure: Measure, round: u32, value: Option<f64>) {
        if let Some(value) = value {
            self.raw.entry(measure).or_default().push((round, value));
        }
    }

    fn add_end(&mut self, status: Status, message: Option<&str>) {
        self.unsupported |= status == Status::Unsupported;
        if status.is_failure() && status != Status::Interrupted && self.failure.is_none() {
            self.failure = Some((status, message.unwrap_or(status.meaning()).to_owned()));
        }
    }

    /// Sorts what was added by round.
    pub(super) fn close(&mut self) {
        for (measure, values) in std::mem::take(&mut self.raw) {
            let rounds = by_round(values);
            if !rounds.is_empty() {
                self.rounds.insert(measure, rounds);
            }
        }
    }

    /// Whether there is nothing to compare because the subject cannot serve the case.
    pub(super) fn is_unsupported(&self) -> bool {
        self.unsupported && self.failure.is_none() && self.is_empty()
    }

    /// Whether there is no figure at all.
    pub(super) fn is_empty(&self) -> bool {
        self.rounds.is_empty() && self.errors.is_none()
    }

    /// Values of a measure, unless the cell failed: a failure is not averaged away.
    pub(super) fn sound(&self, measure: Measure) -> Option<&Rounds> {
        self.rounds.get(&measure).filter(|_| self.failure.is_none())
    }
}
