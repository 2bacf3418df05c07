//! The part of a run in which instructions are counted.

use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Limits, Session, Turn};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::Request;
use crate::valgrind::{self, callgrind};

impl Session<'_> {
    /// Counts every cell once under callgrind.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn counts(&mut self, version: &str) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, .. } = self.conditions;
        let limits = Limits { timeout: limits.timeout * valgrind::TIMES, ..limits };
        let turns = self.turns(false);
        self.conditions.voice.phase("Counting instructions", turns.len() as u64);
        for Turn { subject, workload, .. } in turns {
            let name = &workload.record.workload;
            self.conditions.voice.step(format!("{name}: {}", subject.name));
            if self.conditions.interrupt.requested() {
                break;
            }
            if self.taken.counts.contains(&(subject.name.clone(), name.clone())) {
                continue;
            }
            let task = Task::Count;
            let request = Request { subject, workload, touch, task, round: 0, again: false };
            let begin = Instant::now();
            let record = callgrind::counts(&request, version, limits, interrupt)
                .map_err(|error| Failure::io("cannot run valgrind", error))?;
            self.measuring += begin.elapsed();
            self.judge(&subject.name, name, record.status, record.message.as_deref());
            self.sink.put(Record::Counts(record))?;
        }
        self.conditions.voice.end_phase();
        Ok(())
    }
}
