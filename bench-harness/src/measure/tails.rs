//! Takes one sample in which every call is timed by itself, and looks again at the slowest.
//!
//! The second look is a child of its own that replays the same plan. Its failure takes nothing from
//! the first: what was found at the slowest calls is left out then.

use std::io;

use reports::record::{Call, Status, Tails, WorstCall};

use super::Request;
use crate::child::job::Task;
use crate::child::outcome::{self, Verdict};
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;
use crate::replay::mode::Mode;

/// Slowest calls that a record names.
const WORST: usize = 4;

/// Takes the sample; `request.task` is [`Task::Tails`].
///
/// # Errors
/// When no child can be started at all; whatever a child does is a record.
pub(crate) fn tails(
    request: &Request<'_>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Tails> {
    let mut record = Tails {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        round: request.round,
        mode: request.workload.mode.name().to_owned(),
        call: request.subject.call,
        touch: request.touch.to_string(),
        status: Status::Ok,
        message: None,
        operations: None,
        timer_ns: None,
        resolution_ns: None,
        rows: Vec::new(),
        worst: Vec::new(),
    };
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    if let Some(why) = unsupported(request) {
        (record.status, record.message) = (Status::Unsupported, Some(why.to_owned()));
        return Ok(record);
    }
    let verdict = child(request, Vec::new(), limits, interrupt)?;
    (record.status, record.message) = (verdict.status, verdict.message);
    let Some(found) = verdict.found else { return Ok(record) };
    let Some(timed) = found.timed else {
        (record.status, record.message) =
            (Status::Exit, Some("ended without the times of its calls".to_owned()));
        return Ok(record);
    };
    record.operations = Some(found.calls);
    record.timer_ns = Some(timed.timer_ns);
    record.resolution_ns = Some(timed.resolution_ns);
    record.rows = timed.rows;
    record.worst = timed.worst;
    // Threads do not meet in the same order twice: their calls cannot be found again by number.
    if request.workload.mode == Mode::Serial || request.workload.record.threads <= 1 {
        let again = Request { task: Task::Look, ..*request };
        let wanted = record.worst.iter().map(|worst| worst.index).collect();
        let usual_ns = record.overall().map_or(0.0, |row| row.p999_ns);
        let looks = child(&again, wanted, limits, interrupt)?.found.map(|found| found.looks);
        for look in looks.unwrap_or_default() {
            let seen = record.worst.iter_mut().find(|worst| worst.index == look.index);
            seen.into_iter().for_each(|worst| look.explain(worst, usual_ns));
        }
    }
    // A call is as slow as it is whenever it is made: what disturbs one look seldom disturbs both.
    let surely = |worst: &WorstCall| worst.again_ns.unwrap_or(f64::INFINITY).min(worst.ns);
    record.worst.sort_by(|one, other| surely(other).total_cmp(&surely(one)));
    record.worst.truncate(WORST);
    Ok(record)
}

fn child(
    request: &Request<'_>,
    look: Vec<u64>,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Verdict> {
    let (command, _preload) = super::timed_command(request, look)?;
    let finished = spawn::run(command, limits, interrupt)?;
    Ok(outcome::judge(&finished, request.workload.shape.calls))
}

/// Why there are no calls to time.
fn unsupported(request: &Request<'_>) -> Option<&'static str> {
    if request.subject.call == Call::None {
        return Some("it makes no calls that could be timed");
    }
    super::unsupported(request)
}
