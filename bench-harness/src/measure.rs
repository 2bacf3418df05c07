//! Takes one sample: a child for one subject on one workload, and the record of how it went.
//! `tails` does the same for children that time every call by itself, `counters` for those that count
//! events of the processor, `footprint` for those whose memory shall repeat, `memory` for those that
//! read memory over the workload's life.

pub(crate) mod counters;
pub(crate) mod footprint;
pub(crate) mod memory;
pub(crate) mod tails;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reports::record::{Sample, Status};

use crate::child::job::{self, Found, Job, Task};
use crate::child::outcome::{self, Verdict};
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;
use crate::preload::Preload;
use crate::replay::calm;
use crate::replay::mode::Mode;
use crate::replay::touch::Touch;
use crate::subject::Subject;
use crate::workload::{Prepared, Turns};

/// Which sample to take.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) workload: &'a Prepared,
    pub(crate) touch: Touch,
    pub(crate) task: Task,
    pub(crate) round: u32,
    /// Whether the sample stands for the baseline under another name.
    pub(crate) again: bool,
    /// Whether the child may end as soon as it finds that the processor is shared.
    pub(crate) breaks_off: bool,
}

/// The child's command line, without any tool in front.
///
/// # Errors
/// When this program's own path cannot be told.
pub(crate) fn child_arguments(request: &Request<'_>) -> io::Result<[OsString; 3]> {
    arguments(request, Vec::new(), None)
}

/// [`child_arguments`], with the calls that the child looks at and the copy that serves it.
fn arguments(
    request: &Request<'_>,
    look: Vec<u64>,
    copy: Option<&Path>,
) -> io::Result<[OsString; 3]> {
    let workload = request.workload;
    // A tool that watches from outside is given one thread to watch, and memory repeats on one at a time
    // only.
    let is_watched = matches!(
        request.task,
        Task::Once | Task::Count | Task::Counters | Task::Life { .. } | Task::Footprint
    );
    let streams = if is_watched { None } else { workload.streams() };
    let turns = turns(request);
    let is_in_turns = turns.is_some();
    let (streams, shape, plan) = match (turns, streams) {
        (Some(turns), _) => (None, &turns.shape, turns.plan_path()),
        (None, Some((streams, path))) => (Some(streams.clone()), &workload.shape, path),
        (None, None) => (None, &workload.shape, workload.plan_path()),
    };
    let job = Job {
        subject: request.subject.spelling(),
        copy: copy.map(Path::to_owned),
        plan,
        shape: shape.clone(),
        streams,
        turns: is_in_turns,
        touch: request.touch,
        task: request.task,
        breaks_off: request.breaks_off,
        look,
    };
    let job = serde_json::to_string(&job).map_err(io::Error::other)?;
    Ok([std::env::current_exe()?.into_os_string(), job::ARGUMENT.into(), job.into()])
}

/// The plan for turns that the request is replayed by, if it is.
fn turns<'a>(request: &Request<'a>) -> Option<&'a Turns> {
    let is_taken = matches!(request.task, Task::Count | Task::Footprint);
    let turns = request.workload.turns().filter(|_| is_taken);
    turns.filter(|_| request.subject.without_threads().is_none())
}

/// Threads that a request's calls are made on in turns, if they are.
pub(crate) fn turning_threads(request: &Request<'_>) -> Option<u32> {
    turns(request).map(|turns| turns.threads)
}

/// Time allowed for handing a call to another thread and waiting for its answer: three times what it took
/// under callgrind when this was written.
const HANDING_OVER: Duration = Duration::from_micros(100);

/// Limits on a child that may play in turns: `limits`, and time for what it hands over.
pub(crate) fn limits_in_turns(request: &Request<'_>, limits: Limits) -> Limits {
    let handed_over = turns(request).map_or(0, |turns| turns.handed_over);
    let micros = (HANDING_OVER.as_micros() as u64).saturating_mul(handed_over);
    Limits { timeout: limits.timeout.saturating_add(Duration::from_micros(micros)), ..limits }
}

/// Variables of the user's that a child is given. No others: allocators read settings of their own
/// from the environment, and a figure must not depend on what happens to be set. The settings of
/// the planted controls begin with `ARENABENCH_`.
const VARIABLES: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH"];

/// Gives a child the variables above and no others.
pub(crate) fn variables(command: &mut Command) {
    command.env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        VARIABLES.contains(&&*name) || name.starts_with("ARENABENCH_")
    }));
}

/// Gives a child its environment: the variables above, and the subject's library preloaded. What
/// is returned must live as long as the child.
///
/// # Errors
/// When the library's path cannot be put into a form that `LD_PRELOAD` takes.
pub(crate) fn environment(command: &mut Command, subject: &Subject) -> io::Result<Option<Preload>> {
    let preload = subject.preload().map(Preload::of).transpose()?;
    surround(command, preload.as_ref());
    Ok(preload)
}

fn surround(command: &mut Command, preload: Option<&Preload>) {
    variables(command);
    if let Some(preload) = preload {
        command.env("LD_PRELOAD", preload.path());
    }
}

/// A child with its environment, and what must live as long as it does.
fn command(request: &Request<'_>) -> io::Result<(Command, Option<Preload>)> {
    let [program, argument, job] = child_arguments(request)?;
    let mut command = Command::new(program);
    command.args([argument, job]);
    let preload = environment(&mut command, request.subject)?;
    Ok((command, preload))
}

/// As [`command`], for a child that is timed: its library is a copy of its own. `look` are the calls
/// that it looks at.
fn timed_command(request: &Request<'_>, look: Vec<u64>) -> io::Result<(Command, Option<Preload>)> {
    let preload = request.subject.preload().map(Preload::copy_of).transpose()?;
    let copy = preload.as_ref().and_then(Preload::copy);
    let [program, argument, job] = arguments(request, look, copy)?;
    let mut command = Command::new(program);
    command.args([argument, job]);
    surround(&mut command, preload.as_ref());
    Ok((command, preload))
}

/// Takes the sample.
///
/// # Errors
/// When no child can be started at all; whatever a child does is a record.
pub(crate) fn sample(
    request: &Request<'_>,
    seq: u64,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Sample> {
    if let Some(reason) = request.subject.missing() {
        return Ok(record(request, seq, Verdict::missing(reason)));
    }
    if let Some(why) = unsupported(request) {
        let verdict = Verdict {
            status: Status::Unsupported,
            message: Some(why.to_owned()),
            exit_code: None,
            signal: None,
            found: None,
        };
        return Ok(record(request, seq, verdict));
    }
    let (command, _preload) = timed_command(request, Vec::new())?;
    let finished = spawn::run(command, limits, interrupt)?;
    let verdict = outcome::judge(&finished, request.workload.shape.calls);
    Ok(record(request, seq, verdict))
}

/// Why the subject cannot serve the workload at all.
fn unsupported(request: &Request<'_>) -> Option<&'static str> {
    let workload = request.workload;
    let on_threads = workload.mode != Mode::Serial && workload.record.threads > 1;
    if on_threads { request.subject.without_threads() } else { None }
}

fn record(request: &Request<'_>, seq: u64, verdict: Verdict) -> Sample {
    let shape = &request.workload.shape;
    // A verified replay fills whole blocks itself and leaves only the header to the policy.
    let touch = if request.task == Task::Verify { Touch::Header } else { request.touch };
    let mut sample = Sample {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        seq,
        round: request.round,
        again: request.again,
        mode: request.workload.mode.name().to_owned(),
        call: request.subject.call,
        touch: touch.to_string(),
        verified: request.task == Task::Verify,
        status: verdict.status,
        message: verdict.message,
        exit_code: verdict.exit_code,
        signal: verdict.signal,
        operations: None,
        wall_ns: None,
        calm_share: None,
        retaken_calm_shares: Vec::new(),
        distance_ns: None,
        pass_wall_ns: Vec::new(),
        ns_per_pair: None,
        live_peak_bytes: None,
        rss_peak_bytes: None,
        page_faults: None,
    };
    if let Some(found) = verdict.found {
        fill(&mut sample, found, request.workload.mode, shape.live_peak_bytes);
    }
    sample
}

fn fill(sample: &mut Sample, found: Found, mode: Mode, live_peak_bytes: u64) {
    sample.operations = Some(found.calls);
    // On several threads what is alive at once hangs on how they happen to run.
    if mode == Mode::Serial {
        sample.live_peak_bytes = Some(live_peak_bytes);
    }
    sample.rss_peak_bytes = found.rss_peak_bytes;
    sample.page_faults = found.page_faults;
    sample.calm_share = found.calm.map(|calm| calm.share);
    sample.distance_ns = found.distance_ns;
    let wall_ns =
        found.calm.map(|calm| calm.region_ns).or_else(|| calm::of_passes(&found.pass_wall_ns));
    if let Some(wall_ns) = wall_ns {
        sample.wall_ns = Some(wall_ns);
        // A recorded pace is the program's time and not the subject's.
        if found.calls > 0 && mode != Mode::Paced {
            sample.ns_per_pair = Some(2.0 * wall_ns as f64 / found.calls as f64);
        }
    }
    sample.pass_wall_ns = found.pass_wall_ns;
}
