//! The part of a run in which memory is read over the life of every workload.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use reports::record::Record;

use super::{Conditions, Session, Turn};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::{self, Request};

/// Cells that are read side by side: nothing is timed here, and most of a child's time is waiting for
/// memory to be given back.
const SIDE_BY_SIDE: usize = 4;

impl Session<'_> {
    /// Reads the memory of every cell over its life.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn memory(&mut self) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, voice, .. } = self.conditions;
        let taken = &self.taken.memories;
        let key =
            |turn: &Turn<'_>| (turn.subject.name.clone(), turn.workload.record.workload.clone());
        let mut turns = self.turns(false);
        turns.retain(|turn| !taken.contains(&key(turn)));
        voice.phase("Reading memory over time", turns.len() as u64);
        let begin = Instant::now();
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let outcome = std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE.min(turns.len()) {
                let (sender, next, turns) = (sender.clone(), &next, &turns);
                scope.spawn(move || {
                    while !interrupt.requested() {
                        // Relaxed: the counter only shares out the turns, which nobody changes.
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&Turn { subject, workload, again }) = turns.get(at) else { break };
                        let task = Task::Life { waits: true };
                        let request = Request { subject, workload, touch, task, round: 0, again };
                        let record = measure::memory::memory(&request, limits, interrupt);
                        // A receiver that is gone has met an error.
                        if sender.send(record).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for record in receiver {
                let record =
                    record.map_err(|error| Failure::io("cannot start a child process", error))?;
                voice.step(format!("{}: {}", record.workload, record.subject));
                let message = record.message.as_deref();
                self.judge(&record.subject, &record.workload, record.status, message);
                if record.repeats == Some(false) {
                    let (subject, workload) = (&record.subject, &record.workload);
                    voice.say(format!("{subject} on {workload}: its memory does not repeat"));
                }
                self.sink.put(Record::Memory(record))?;
            }
            Ok(())
        });
        self.measuring += begin.elapsed();
        voice.end_phase();
        outcome
    }
}
