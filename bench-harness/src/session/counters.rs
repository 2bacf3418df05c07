//! The part of a run in which events of the processor are counted.

use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{Record, Status};

use super::{Conditions, Session, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure;

impl Session<'_> {
    /// Counts every cell of one thread in a few interleaved rounds (S2).
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn counters(&mut self, rounds: u32) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, voice, seed } = self.conditions;
        let mut order = ChaCha8Rng::seed_from_u64(seed);
        let mut turns = self.turns(false);
        turns.retain(|turn| turn.workload.record.threads <= 1);
        voice.phase("Counting events", turns.len() as u64 * u64::from(rounds));
        for round in 0..rounds {
            turns.shuffle(&mut order);
            for turn in &turns {
                let (subject, name) = (turn.subject, &turn.workload.record.workload);
                voice.step(format!("{name}: {}", subject.name));
                let key = (subject.name.clone(), name.clone(), round);
                if interrupt.requested()
                    || self.taken.counters.contains(&key)
                    || self.has_failed(&subject.name, name)
                {
                    continue;
                }
                let request = turn.request(touch, Task::Counters, round);
                let begin = Instant::now();
                let record = measure::counters::counters(&request, limits, interrupt)
                    .map_err(cannot_start)?;
                self.measuring += begin.elapsed();
                if record.status.is_failure() && record.status != Status::Interrupted {
                    self.taken.failed.insert((subject.name.clone(), name.clone()));
                }
                self.judge(&subject.name, name, record.status, record.message.as_deref());
                self.sink.put(Record::Counters(record))?;
            }
        }
        voice.end_phase();
        Ok(())
    }
}
