//! One subject on one case in one file.

use std::collections::BTreeMap;

use super::Measure;
use crate::record::{Call, Memcheck, Program, Sample, Status};
use crate::statistics::{Rounds, by_round, of_both, ratios};
use crate::weather::Times;

/// What one file says of a cell. Only runs with status ok that were not verified carry figures, and
/// an interrupted run is no failure of the subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell<'a> {
    /// Values by round of every measure that was taken; times per pair of the samples that count.
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
    samples: Vec<&'a Sample>,
    /// Times per pair.
    times: Times,
}

impl<'a> Cell<'a> {
    pub(super) fn add_sample(&mut self, sample: &'a Sample) {
        self.call = Some(sample.call);
        self.add_end(sample.status, sample.message.as_deref());
        if sample.status == Status::Ok && !sample.verified {
            let whole = |value: Option<u64>| value.map(|value| value as f64);
            self.samples.push(sample);
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
        let samples = std::mem::take(&mut self.samples);
        self.times = Times::of(samples.into_iter(), |sample| sample.ns_per_pair);
        let raw = std::mem::take(&mut self.raw).into_iter();
        let sorted = raw.map(|(measure, values)| (measure, by_round(values)));
        let timed = (Measure::NsPerPair, self.times.counting());
        let found = sorted.chain([timed]).filter(|(_, rounds)| !rounds.is_empty());
        self.rounds.extend(found);
    }

    /// The baseline's times in each round, where `again` is the baseline under another name.
    pub(super) fn and(&self, again: &Self) -> Self {
        let both = |(measure, own): (&Measure, &Rounds)| {
            let again = again.rounds.get(measure);
            (*measure, again.map_or_else(|| own.clone(), |again| of_both(own, again)))
        };
        let rounds = self.rounds.iter().map(both).collect();
        Self { rounds, times: self.times.and(&again.times), ..self.clone() }
    }

    /// Ratios of a measure to the same of `base` by round.
    pub(super) fn over(&self, base: &Self, measure: Measure) -> Option<Rounds> {
        let found = match measure {
            Measure::NsPerPair => self.times.over(&base.times),
            _ => ratios(self.rounds.get(&measure)?, base.rounds.get(&measure)?),
        };
        (!found.is_empty()).then_some(found)
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
