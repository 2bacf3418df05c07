//! What an earlier run has left in its results file, and what this one has taken so far: no cell is
//! run twice, and a failure stays one.

use std::collections::HashSet;

use reports::record::{Counters, Counts, Memcheck, Memory, Packing, Sample, Status, Tails};

/// Which samples a resumed run has already.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(super) samples: HashSet<(String, String, u32, bool, bool)>,
    /// Cells that are not sampled again: those that failed, and those that cannot be had.
    pub(super) failed: HashSet<(String, String)>,
    pub(super) failures: u64,
    /// Subject, workload, symbols and requests of cells that memcheck has been through.
    pub(super) memchecks: HashSet<[String; 4]>,
    pub(super) tails: HashSet<(String, String, u32)>,
    pub(super) counts: HashSet<(String, String)>,
    pub(super) counters: HashSet<(String, String, u32)>,
    pub(super) memories: HashSet<(String, String)>,
    /// Workloads whose lifetimes have been packed.
    pub(crate) packings: HashSet<String>,
    pub(super) next_seq: u64,
    pub(super) times: Vec<Sample>,
}

impl Taken {
    /// Reads off what an earlier run has left.
    pub(crate) fn of(samples: &[Sample], memchecks: &[Memcheck]) -> Self {
        let mut taken = Self::default();
        for sample in samples {
            taken.next_seq = taken.next_seq.max(sample.seq + 1);
            if sample.status != Status::Interrupted {
                taken.note(sample);
            }
        }
        for memcheck in memchecks {
            if memcheck.status != Status::Interrupted {
                let Memcheck { subject, workload, symbols, requests, .. } = memcheck;
                let key = [subject, workload, symbols, requests].map(Clone::clone);
                taken.memchecks.insert(key);
                taken.failures += u64::from(memcheck.status.is_failure());
            }
        }
        taken
    }

    /// Adds the replays whose calls an earlier run has timed one by one.
    pub(crate) fn with_tails(mut self, tails: &[Tails]) -> Self {
        let finished = tails.iter().filter(|one| one.status != Status::Interrupted);
        for one in finished {
            let cell = (one.subject.clone(), one.workload.clone());
            if one.status.is_failure() && self.failed.insert(cell.clone()) {
                self.failures += 1;
            }
            self.tails.insert((cell.0, cell.1, one.round));
        }
        self
    }

    /// Adds the replays whose instructions an earlier run has counted.
    pub(crate) fn with_counts(mut self, counts: &[Counts]) -> Self {
        let finished = counts.iter().filter(|one| one.status != Status::Interrupted);
        for one in finished {
            self.failures += u64::from(one.status.is_failure());
            self.counts.insert((one.subject.clone(), one.workload.clone()));
        }
        self
    }

    /// Adds the replays whose events an earlier run has had counted.
    pub(crate) fn with_counters(mut self, counters: &[Counters]) -> Self {
        for one in counters.iter().filter(|one| one.status != Status::Interrupted) {
            let cell = (one.subject.clone(), one.workload.clone());
            if one.status.is_failure() && self.failed.insert(cell.clone()) {
                self.failures += 1;
            }
            self.counters.insert((cell.0, cell.1, one.round));
        }
        self
    }

    /// Adds what an earlier run has found of memory over time.
    pub(crate) fn with_memory(mut self, memories: &[Memory], packings: &[Packing]) -> Self {
        for one in memories.iter().filter(|one| one.status != Status::Interrupted) {
            self.failures += u64::from(one.status.is_failure());
            self.memories.insert((one.subject.clone(), one.workload.clone()));
        }
        self.packings.extend(packings.iter().map(|one| one.workload.clone()));
        self
    }

    /// Cells that failed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) fn note(&mut self, sample: &Sample) {
        let cell = (sample.subject.clone(), sample.workload.clone());
        if sample.status != Status::Ok && self.failed.insert(cell.clone()) {
            self.failures += u64::from(sample.status.is_failure());
        }
        self.samples.insert((cell.0, cell.1, sample.round, sample.again, sample.verified));
        if sample.status == Status::Ok && !sample.verified {
            self.times.push(sample.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `--resume` must neither run again nor forget in its exit code.
    #[test]
    fn memory_cells_of_an_earlier_run_are_taken_and_those_that_failed_count() {
        let memory = |subject: &str, status: &str| -> Memory {
            let text = format!(
                r#"{{"subject":"{subject}","workload":"w","call":"c","touch":"header","status":"{status}"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let left = [memory("good", "ok"), memory("bad", "signal"), memory("cut", "interrupted")];
        let taken = Taken::default().with_memory(&left, &[]);
        assert_eq!(taken.failures(), 1);
        let of = |subject: &str| taken.memories.contains(&(subject.to_owned(), "w".to_owned()));
        assert_eq!([of("good"), of("bad"), of("cut")], [true, true, false]);
    }
}
