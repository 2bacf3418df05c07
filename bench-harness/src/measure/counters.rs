//! Takes one sample in which events of the processor are counted.

use std::io;

use reports::record::{Counters, Status};

use super::Request;
use crate::child::outcome;
use crate::child::spawn::{self, Limits};
use crate::counters::Event;
use crate::interrupt::Interrupt;

/// Takes the sample; `request.task` is [`crate::child::job::Task::Counters`].
///
/// # Errors
/// When no child can be started at all; whatever a child does is a record.
pub(crate) fn counters(
    request: &Request<'_>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Counters> {
    let mut record = Counters {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        round: request.round,
        call: request.subject.call,
        touch: request.touch.to_string(),
        status: Status::Ok,
        message: None,
        operations: None,
        instructions: None,
        cycles: None,
        llc_misses: None,
        dtlb_misses: None,
        branch_misses: None,
        page_faults: None,
    };
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    // Cycles and misses hang on where the library lies as times do.
    let (command, _preload) = super::timed_command(request, Vec::new())?;
    let finished = spawn::run(command, limits, interrupt)?;
    let verdict = outcome::judge(&finished, request.workload.shape.calls);
    (record.status, record.message) = (verdict.status, verdict.message);
    let Some(found) = verdict.found else { return Ok(record) };
    let count = |event| found.events.get(&event).copied();
    record.operations = Some(found.calls);
    record.instructions = count(Event::Instructions);
    record.cycles = count(Event::Cycles);
    record.llc_misses = count(Event::LlcMisses);
    record.dtlb_misses = count(Event::DtlbMisses);
    record.branch_misses = count(Event::BranchMisses);
    record.page_faults = count(Event::PageFaults);
    Ok(record)
}
