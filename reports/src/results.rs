//! Results files: an append-only file of records, and the typed view that everything drawn starts from.
//!
//! Between the harness, which writes through [`ResultsFile`] while samples finish, and the rest of
//! this crate, which reads a whole file into [`Results`]. A file is JSON Lines: one record per line,
//! in the order in which things happened.
//!
//! ```text
//! {"schema":"arenabench.results/1","kind":"host", ...}        exactly one, first
//! {"schema":"arenabench.results/1","kind":"subject", ...}     any number of these,
//! {"schema":"arenabench.results/1","kind":"sample", ...}      in any order
//! {"schema":"arenabench.results/1","kind":"end", ...}         absent in a run that is not over
//! ```
//!
//! * I1: the first record is a host record, and there is no second one.
//! * I2: what [`ResultsFile::append`] accepted, [`Results::read`] can read.
//! * I3: a record is written by one call of `write`, so that a killed run leaves whole lines and at
//!   most one torn line at the end.
//! * I4: no two subject records, and no two workload records, disagree under one name.

mod error;
mod reader;
mod writer;

pub use error::{ReadError, exit_code};
pub use writer::ResultsFile;

use crate::record::{
    Contract, Counters, Counts, Detection, End, Footprint, Host, Memcheck, Memory, Ownership,
    Packing, Program, Record, Recording, Sample, Subject, Tails, Unmeasured, Workload,
};

/// Everything a results file holds, by kind, each kind in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Where and how the run was made.
    pub host: Host,
    /// Subjects that took part.
    pub subjects: Vec<Subject>,
    /// Workloads that took part.
    pub workloads: Vec<Workload>,
    /// What it cost to record programs.
    pub recordings: Vec<Recording>,
    /// Child processes that were measured or verified.
    pub samples: Vec<Sample>,
    /// Runs under memcheck.
    pub memchecks: Vec<Memcheck>,
    /// Runs of real programs.
    pub programs: Vec<Program>,
    /// Rows of the C contract.
    pub contracts: Vec<Contract>,
    /// Measurements of ownership tests.
    pub ownerships: Vec<Ownership>,
    /// Seeded bugs by mode.
    pub detections: Vec<Detection>,
    /// Replays in which every call was timed by itself.
    pub tails: Vec<Tails>,
    /// Replays whose instructions were counted.
    pub counts: Vec<Counts>,
    /// Replays whose events the processor counted.
    pub counters: Vec<Counters>,
    /// Replays whose memory was read where nothing is left to chance.
    pub footprints: Vec<Footprint>,
    /// Replays whose memory was read over their whole life.
    pub memories: Vec<Memory>,
    /// How small the heap of a workload could have been.
    pub packings: Vec<Packing>,
    /// Parts of the run that could not be measured.
    pub unmeasured: Vec<Unmeasured>,
    /// Ends of the run, one for each time that it was gone on with. Empty when the run is not over.
    pub ends: Vec<End>,
    /// Line number, from 1, of a last line that was cut off while it was written and is left out.
    pub torn_line: Option<usize>,
    /// Records left out because a later version of the same schema added their kind.
    pub unknown_kinds: usize,
}

impl Results {
    /// A view without any record but the host's.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self {
            host,
            subjects: Vec::new(),
            workloads: Vec::new(),
            recordings: Vec::new(),
            samples: Vec::new(),
            memchecks: Vec::new(),
            programs: Vec::new(),
            contracts: Vec::new(),
            ownerships: Vec::new(),
            detections: Vec::new(),
            tails: Vec::new(),
            counts: Vec::new(),
            counters: Vec::new(),
            footprints: Vec::new(),
            memories: Vec::new(),
            packings: Vec::new(),
            unmeasured: Vec::new(),
            ends: Vec::new(),
            torn_line: None,
            unknown_kinds: 0,
        }
    }

    /// Runs under memcheck by subject, then by workload, in the order of their records: several run at a
    /// time, and the order in which they end tells a reader nothing. What has no record comes last.
    #[must_use]
    pub fn memchecks_in_order(&self) -> Vec<&Memcheck> {
        let subject = |name: &str| self.subjects.iter().position(|one| one.subject == name);
        let workload = |name: &str| self.workloads.iter().position(|one| one.workload == name);
        let mut records: Vec<&Memcheck> = self.memchecks.iter().collect();
        records.sort_by_key(|one| {
            let last = usize::MAX;
            (subject(&one.subject).unwrap_or(last), workload(&one.workload).unwrap_or(last))
        });
        records
    }

    /// All records, by kind: an order in which a run could have written them.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Host(self.host.clone())];
        records.extend(self.subjects.iter().cloned().map(Record::Subject));
        records.extend(self.workloads.iter().cloned().map(Record::Workload));
        records.extend(self.recordings.iter().cloned().map(Record::Recording));
        records.extend(self.samples.iter().cloned().map(Record::Sample));
        records.extend(self.memchecks.iter().cloned().map(Record::Memcheck));
        records.extend(self.programs.iter().cloned().map(Record::Program));
        records.extend(self.contracts.iter().cloned().map(Record::Contract));
        records.extend(self.ownerships.iter().cloned().map(Record::Ownership));
        records.extend(self.detections.iter().cloned().map(Record::Detection));
        records.extend(self.tails.iter().cloned().map(Record::Tails));
        records.extend(self.counts.iter().cloned().map(Record::Counts));
        records.extend(self.counters.iter().cloned().map(Record::Counters));
        records.extend(self.footprints.iter().cloned().map(Record::Footprint));
        records.extend(self.memories.iter().cloned().map(Record::Memory));
        records.extend(self.packings.iter().cloned().map(Record::Packing));
        records.extend(self.unmeasured.iter().cloned().map(Record::Unmeasured));
        records.extend(self.ends.iter().cloned().map(Record::End));
        records
    }

    /// How the run ended, the last time that it did, and what it took over all times. `None` when it never
    /// ended.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        let sum = |of: fn(&End) -> u64| self.ends.iter().map(of).sum();
        Some(End {
            outcome: self.ends.last()?.outcome.clone(),
            run_wall_ns: sum(|end| end.run_wall_ns),
            measuring_wall_ns: sum(|end| end.measuring_wall_ns),
        })
    }

    /// Whether the run came to its end without being interrupted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.ends.last().is_some_and(|end| end.outcome == "complete")
    }
}
