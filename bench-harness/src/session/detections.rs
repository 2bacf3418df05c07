//! The part of a session in which seeded bugs are run under its subjects: each program alone, and under
//! memcheck.

use std::time::Instant;

use reports::record::{Detection, Record};

use super::Session;
use crate::detection::{self, Bug, Mode, Terms};
use crate::exit::Failure;
use crate::subject::Subject;

impl Session<'_> {
    /// Runs these seeded bugs under every subject that is a library and has passed on some workload.
    ///
    /// # Errors
    /// When a process cannot be started or a record cannot be written.
    pub(crate) fn detections(&mut self, bugs: &[Bug]) -> Result<(), Failure> {
        let modes = self.subjects.iter().filter(|subject| !self.has_failed_everywhere(subject));
        let modes: Vec<Mode> = modes.flat_map(Mode::of_subject).collect();
        let terms = Terms::of(self.jobs(1), self.conditions.voice, self.conditions.interrupt);
        let begin = Instant::now();
        let (failures, sink) = (&mut self.failures, &mut self.sink);
        detection::matrix(bugs, &modes, terms, &[], &mut |record: Detection| {
            *failures += u64::from(record.status.is_failure());
            sink.put(Record::Detection(record))
        })?;
        self.measuring += begin.elapsed();
        Ok(())
    }

    fn has_failed_everywhere(&self, subject: &Subject) -> bool {
        self.workloads.iter().all(|one| self.has_failed(&subject.name, &one.record.workload))
    }
}
