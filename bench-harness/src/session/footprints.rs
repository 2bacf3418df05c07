//! The part of a session in which memory is read where nothing is left to chance.

use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Session, Turn, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::footprint;
use crate::replay::touch::Touch;
use crate::side_by_side::side_by_side;

/// Every OS page of a new block is touched: of a large block that nobody wrote into nothing would be
/// resident, and nothing be missed that is not given back.
const TOUCH: Touch = Touch::Page;

impl Session<'_> {
    /// Takes the footprint of every cell once, as many at a time as there are processors.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn footprints(&mut self) -> Result<(), Failure> {
        let Conditions { limits, interrupt, voice, .. } = self.conditions;
        let turns = self.turns(false);
        voice.phase("Reading memory", turns.len() as u64);
        let begin = Instant::now();
        let work = |_, turn: &Turn<'_>| {
            footprint::footprint(&turn.request(TOUCH, Task::Footprint, 0), limits, interrupt)
                .map_err(cannot_start)
        };
        let outcome = side_by_side(&turns, self.jobs(1), interrupt, work, |_, record| {
            voice.step(format!("{}: {}", record.workload, record.subject));
            let message = record.message.as_deref();
            self.judge(&record.subject, &record.workload, record.status, message);
            self.sink.put(Record::Footprint(record))
        });
        self.measuring += begin.elapsed();
        voice.end_phase();
        outcome
    }
}
