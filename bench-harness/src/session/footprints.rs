//! The part of a session in which memory is read where nothing is left to chance.

use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Session, Turn};
use crate::exit::Failure;
use crate::measure::Request;
use crate::measure::footprint::{self, TASK};

impl Session<'_> {
    /// Takes the footprint of every cell once.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn footprints(&mut self) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, .. } = self.conditions;
        let turns = self.turns(false);
        self.conditions.voice.phase("Reading memory", turns.len() as u64);
        for Turn { subject, workload, .. } in turns {
            let name = &workload.record.workload;
            self.conditions.voice.step(format!("{name}: {}", subject.name));
            if interrupt.requested() {
                break;
            }
            let request = Request { subject, workload, touch, task: TASK, round: 0, again: false };
            let begin = Instant::now();
            let record = footprint::footprint(&request, limits, interrupt)
                .map_err(|error| Failure::io("cannot start a child process", error))?;
            self.measuring += begin.elapsed();
            self.judge(&subject.name, name, record.status, record.message.as_deref());
            self.sink.put(Record::Footprint(record))?;
        }
        self.conditions.voice.end_phase();
        Ok(())
    }
}
