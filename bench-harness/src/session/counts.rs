//! The part of a run in which instructions are counted.

use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Limits, Session, Turn};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::side_by_side::side_by_side;
use crate::valgrind::{self, callgrind};

impl Session<'_> {
    /// Counts every cell once under callgrind, as many at a time as there are processors.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn counts(&mut self, version: &str) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, voice, .. } = self.conditions;
        let limits = Limits { timeout: limits.timeout * valgrind::TIMES, ..limits };
        let mut turns = self.turns(false);
        turns.retain(|turn| !self.taken.counts.contains(&turn.names()));
        voice.phase("Counting instructions", turns.len() as u64);
        let begin = Instant::now();
        let work = |_, turn: &Turn<'_>| {
            let request = turn.request(touch, Task::Count, 0);
            callgrind::counts(&request, version, limits, interrupt)
                .map_err(|error| Failure::io("cannot run valgrind", error))
        };
        let outcome = side_by_side(&turns, self.jobs(1), interrupt, work, |_, record| {
            voice.step(format!("{}: {}", record.workload, record.subject));
            let message = record.message.as_deref();
            self.judge(&record.subject, &record.workload, record.status, message);
            self.sink.put(Record::Counts(record))
        });
        self.measuring += begin.elapsed();
        voice.end_phase();
        outcome
    }
}
