//! Reads the memory of one cell over the workload's life, twice.
//!
//! The first child waits for seconds after everything was freed; the second one does not, and tells
//! whether the figures repeat. Both run without address randomisation and huge pages.

use std::io;
use std::os::unix::process::CommandExt;

use reports::record::{Call, Memory, Status, fragmentation};

use super::Request;
use crate::child::job::Task;
use crate::child::outcome::{self, Verdict};
use crate::child::process;
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;

/// Reads the cell; the task of `request` is not looked at.
///
/// # Errors
/// When no child can be started at all; whatever a child does is a record.
pub(crate) fn memory(
    request: &Request<'_>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Memory> {
    let mut record = Memory {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        call: request.subject.call,
        touch: request.touch.to_string(),
        status: Status::Ok,
        message: None,
        operations: None,
        repeats: None,
        series: Vec::new(),
        live_peak_bytes: None,
        used_peak_bytes: None,
        fragmentation: None,
        drained: Vec::new(),
        waste: Vec::new(),
        map: None,
    };
    if request.subject.call == Call::None {
        record.status = Status::Unsupported;
        record.message = Some("it has no heap".to_owned());
        return Ok(record);
    }
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    let verdict = child(request, true, limits, interrupt)?;
    (record.status, record.message) = (verdict.status, verdict.message);
    let Some(found) = verdict.found else { return Ok(record) };
    let Some(life) = found.life else {
        (record.status, record.message) =
            (Status::Exit, Some("ended without its memory over time".to_owned()));
        return Ok(record);
    };
    let again = child(request, false, limits, interrupt)?;
    if again.status == Status::Interrupted {
        (record.status, record.message) = (again.status, again.message);
        return Ok(record);
    }
    record.repeats = Some(again.found.and_then(|found| found.life).is_some_and(|again| {
        again.series == life.series && again.drained.first() == life.drained.first()
    }));
    record.operations = Some(found.calls);
    record.live_peak_bytes = life.series.iter().map(|point| point.1).max();
    record.used_peak_bytes = life.series.iter().map(|point| point.2).max();
    record.fragmentation = fragmentation(&life.series);
    record.series = life.series;
    record.drained = life.drained;
    record.waste = life.waste;
    record.map = life.map;
    Ok(record)
}

fn child(
    request: &Request<'_>,
    waits: bool,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Verdict> {
    let request = Request { task: Task::Life { waits }, ..*request };
    let (mut command, _preload) = super::command(&request)?;
    // SAFETY: the function makes system calls only, which are allowed between fork and exec.
    unsafe { command.pre_exec(process::without_chance) };
    let finished = spawn::run(command, limits, interrupt)?;
    Ok(outcome::judge(&finished, request.workload.shape.calls))
}
