//! The part of a session in which the C contract is tried, call by call.

use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Session, cannot_start};
use crate::contract;
use crate::exit::Failure;

impl Session<'_> {
    /// Tries every row on every subject. A subject without C functions has none, which is no failure.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn contracts(&mut self) -> Result<(), Failure> {
        let Conditions { limits, interrupt, voice, .. } = self.conditions;
        voice.phase("Trying the C contract", self.subjects.len() as u64);
        let begin = Instant::now();
        for subject in self.subjects {
            if interrupt.requested() {
                break;
            }
            let records = contract::records(subject, limits, interrupt).map_err(cannot_start)?;
            voice.step(subject.name.clone());
            for record in records {
                if record.status.is_failure() {
                    self.failures += 1;
                    let (status, message) = (record.status.word(), record.message.as_deref());
                    let message = message.unwrap_or("no reason given");
                    voice.say(format!("{} on the C contract: {status}: {message}", subject.name));
                }
                self.sink.put(Record::Contract(record))?;
            }
        }
        self.measuring += begin.elapsed();
        voice.end_phase();
        Ok(())
    }
}
