//! The part of a run in which memory is read over the life of every workload.

use std::collections::BTreeMap;
use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Session, Turn, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure;
use crate::side_by_side::side_by_side;

/// Cells per processor that are read side by side: nothing is timed here, and most of a child's time
/// is waiting for memory to be given back.
const WAITING: usize = 6;

impl Session<'_> {
    /// Reads the memory of every cell over its life.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn memory(&mut self) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, voice, .. } = self.conditions;
        let mut turns = self.turns(false);
        turns.retain(|turn| !self.taken.memories.contains(&turn.names()));
        voice.phase("Reading memory over time", turns.len() as u64);
        let (begin, workloads) = (Instant::now(), self.workloads.len());
        let mut unsteady: BTreeMap<String, u32> = BTreeMap::new();
        let work = |_, turn: &Turn<'_>| {
            let request = turn.request(touch, Task::Life { waits: true }, 0);
            measure::memory::memory(&request, limits, interrupt).map_err(cannot_start)
        };
        let outcome = side_by_side(&turns, self.jobs(WAITING), interrupt, work, |_, record| {
            voice.step(format!("{}: {}", record.workload, record.subject));
            let message = record.message.as_deref();
            self.judge(&record.subject, &record.workload, record.status, message);
            if record.repeats == Some(false) {
                *unsteady.entry(record.subject.clone()).or_default() += 1;
            }
            self.sink.put(Record::Memory(record))
        });
        self.measuring += begin.elapsed();
        voice.end_phase();
        for (subject, count) in unsteady {
            voice.say(format!(
                "{subject}: its memory does not repeat on {count} of {workloads} workloads"
            ));
        }
        outcome
    }
}
