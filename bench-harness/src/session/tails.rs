//! The samples of a run in which calls are timed one by one.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{Record, Status};

use super::{Session, Turn, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure;

/// How often calls are timed one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailsPace {
    /// Rounds at most; one is always taken.
    pub(crate) max_rounds: u32,
    /// No further round begins after this time.
    pub(crate) budget: Duration,
}

impl Session<'_> {
    /// Times every call of every cell, in interleaved rounds (S2).
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn tails(&mut self, pace: &TailsPace) -> Result<(), Failure> {
        let begin = Instant::now();
        let mut order = ChaCha8Rng::seed_from_u64(self.conditions.seed);
        let per_round = self.turns(false).len() as u64;
        self.conditions.voice.phase("Timing single calls", per_round * u64::from(pace.max_rounds));
        for round in 0..pace.max_rounds {
            if round > 0 && begin.elapsed() >= pace.budget {
                break;
            }
            let mut turns = self.turns(false);
            turns.shuffle(&mut order);
            for turn in turns {
                self.time_calls(turn, round)?;
            }
        }
        self.conditions.voice.end_phase();
        Ok(())
    }

    fn time_calls(&mut self, turn: Turn<'_>, round: u32) -> Result<(), Failure> {
        let Turn { subject, workload, .. } = turn;
        let name = &workload.record.workload;
        self.conditions.voice.step(format!("{name}: {}", subject.name));
        let key = (subject.name.clone(), name.clone(), round);
        if self.conditions.interrupt.requested()
            || self.taken.tails.contains(&key)
            || self.has_failed(&subject.name, name)
        {
            return Ok(());
        }
        let super::Conditions { touch, limits, interrupt, .. } = self.conditions;
        let request = turn.request(touch, Task::Tails, round);
        let begin = Instant::now();
        let record = measure::tails::tails(&request, limits, interrupt).map_err(cannot_start)?;
        self.measuring += begin.elapsed();
        if record.status.is_failure() {
            self.taken.failed.insert((subject.name.clone(), name.clone()));
        }
        if record.status != Status::Interrupted {
            // A second measurement goes on from here.
            self.taken.tails.insert(key);
        }
        self.judge(&subject.name, name, record.status, record.message.as_deref());
        self.sink.put(Record::Tails(record))
    }
}
