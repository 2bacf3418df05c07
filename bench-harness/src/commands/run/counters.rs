//! The part of `arenabench run` that counts events of the processor, and what if it shows none.

use reports::record::{Record, Unmeasured};

use crate::counters;
use crate::exit::Failure;
use crate::session::Session;

/// Rounds: counts of cycles and misses vary, those of instructions hardly.
const ROUNDS: u32 = 3;

/// Counts every workload of one thread. Where the processor shows no counter, the record says so,
/// and what the kernel counts is counted if it was asked for.
///
/// # Errors
/// As [`Session::counters`].
pub(super) fn counters(session: &mut Session<'_>, is_asked_for: bool) -> Result<(), Failure> {
    let unavailable = counters::unavailable();
    if let Some((reason, remedy)) = &unavailable {
        session.conditions.voice.say(format!("Hardware counters: not measured: {reason}"));
        session.sink.put(Record::Unmeasured(Unmeasured {
            measure: "counters".to_owned(),
            reason: reason.clone(),
            remedy: Some(remedy.clone()),
        }))?;
    }
    if unavailable.is_none() || is_asked_for { session.counters(ROUNDS) } else { Ok(()) }
}
