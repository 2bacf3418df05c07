//! Takes one footprint: a child without address randomisation and without huge pages, whose memory
//! is read over one pass and after it, and after more of them.
//!
//! One thread runs at a time whatever the workload, in turns (`replay::turns`) where it was compiled for
//! them: what is resident would otherwise hang on how threads happen to run.

use std::io;
use std::os::unix::process::CommandExt;

use reports::record::{Footprint, Status};

use super::Request;
use crate::child::job::Task;
use crate::child::outcome;
use crate::child::process::without_chance;
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;

/// Takes the footprint of `request.subject` on a workload; `request.task` is [`Task::Footprint`].
///
/// # Errors
/// When no child can be started at all; whatever a child does is a record.
pub(crate) fn footprint(
    request: &Request<'_>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Footprint> {
    debug_assert_eq!(request.task, Task::Footprint);
    let mut record = Footprint {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        call: request.subject.call,
        touch: request.touch.to_string(),
        threads: super::turning_threads(request),
        status: Status::Ok,
        message: None,
        rss_peak_bytes: None,
        rss_retained_bytes: None,
        rss_growth_bytes: None,
        page_faults: None,
    };
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    let (mut command, _preload) = super::command(request)?;
    // SAFETY: the function makes system calls only, which are allowed between fork and exec.
    unsafe { command.pre_exec(without_chance) };
    let limits = super::limits_in_turns(request, limits);
    let finished = spawn::run(command, limits, interrupt)?;
    let verdict = outcome::judge(&finished, request.workload.shape.calls);
    (record.status, record.message) = (verdict.status, verdict.message);
    if let Some(found) = verdict.found {
        record.rss_peak_bytes = found.rss_peak_bytes;
        record.rss_retained_bytes = found.rss_retained_bytes;
        record.rss_growth_bytes = found.rss_growth_bytes;
        record.page_faults = found.page_faults;
    }
    Ok(record)
}
