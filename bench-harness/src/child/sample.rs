//! What a child does: bring the plan into memory, prove who serves, replay, answer.
//!
//! Order matters for the memory figures. Everything the harness itself needs, the window, the
//! pointer table, the subject's own start, is made resident first; then the baseline is read, and
//! from there on nothing of the harness's grows. The first pass, on a cold heap, is the one whose
//! memory is read; all passes are timed, those behind it part by part (`replay/calm.rs`). A child that times calls one by one (`tails`) plays one pass
//! and reads no memory, one that reads memory over the workload's life (`life`) times nothing. On
//! several threads (`threads`) no memory is read: what is resident would hang on how the threads
//! happened to run.

mod counters;
mod footprint;
mod life;
mod tails;
mod threads;
mod turns;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::FromRawFd;
use std::time::Duration;

use super::job::{ANSWER_FD, Answer, Found, Job, Task};
use crate::counters::Event;
use crate::os::Mapping;
use crate::plan::window::Windows;
use crate::replay::allocator::Allocator;
use crate::replay::calm::{CALM_SHARE, Calm};
use crate::replay::player::life::Life;
use crate::replay::player::{Player, Stop};
use crate::replay::probe::magnifier::Look;
use crate::replay::probe::stopwatch::Timed;
use crate::replay::touch::{self, Touch};
use crate::replay::verify::Verified;
use crate::subject::{Identity, Subject, Visitor};

/// Runs the job given as JSON and writes the answer. Returns the exit code of the child.
pub(crate) fn main(job: &str) -> u8 {
    let answer = match serde_json::from_str::<Job>(job) {
        Ok(job) => take(&job),
        Err(error) => Answer::Failed(format!("unreadable job: {error}")),
    };
    let failed = matches!(answer, Answer::Failed(_));
    let Ok(text) = serde_json::to_string(&answer) else { return 70 };
    // SAFETY: the parent has opened this descriptor for the answer, and nothing else here uses it.
    let mut out = unsafe { File::from_raw_fd(ANSWER_FD) };
    if out.write_all(text.as_bytes()).is_err() || failed { 70 } else { 0 }
}

fn take(job: &Job) -> Answer {
    let subject = match Subject::parse(&job.subject) {
        Ok(subject) => subject.served_by(job.copy.clone()),
        Err(error) => return Answer::Failed(error),
    };
    let identity = match subject.prove() {
        Ok(identity) => identity,
        Err(error) => return Answer::NotLoaded(error),
    };
    if let Some(copy) = &job.copy {
        // It is loaded, and nobody else needs it. The parent deletes what is left.
        let _ = std::fs::remove_file(copy);
    }
    if let Some(streams) = &job.streams {
        return conclude(job, identity, threads::take(job, streams, &subject));
    }
    let setup = || -> io::Result<(Windows, Mapping)> {
        let windows = Windows::open(File::open(&job.plan)?, &job.shape)?;
        let pointers = Mapping::populated(job.shape.slots as usize * size_of::<*mut u8>())?;
        Ok((windows, pointers))
    };
    let outcome = setup().map_err(Unready::Plan).and_then(|(windows, pointers)| {
        let sizes = windows.slot_sizes(job.shape.slots);
        let visit = Sampler { job, subject: &subject, windows, pointers };
        subject.serve(|| sizes, visit).map_err(Unready::Subject)
    });
    conclude(job, identity, outcome)
}

/// Why a replay did not begin.
enum Unready {
    /// The plan cannot be brought into memory.
    Plan(io::Error),
    /// The subject cannot be made ready.
    Subject(io::Error),
}

type Outcome = Result<Result<Measured, Stop>, Unready>;

fn conclude(job: &Job, identity: Identity, outcome: Outcome) -> Answer {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Unready::Plan(error)) => {
            return Answer::Failed(format!("{}: {error}", job.plan.display()));
        }
        Err(Unready::Subject(error)) => {
            return Answer::Oom(format!("the subject cannot start: {error}"));
        }
    };
    match outcome {
        Ok(measured) => Answer::Done(Box::new(Found {
            identity,
            calls: measured.calls,
            pass_wall_ns: measured.pass_wall_ns,
            rss_peak_bytes: measured.rss_peak_bytes,
            rss_retained_bytes: measured.rss_retained_bytes,
            rss_growth_bytes: measured.rss_growth_bytes,
            page_faults: measured.page_faults,
            events: measured.events,
            timed: measured.timed,
            looks: measured.looks,
            life: measured.life,
            calm: measured.calm,
            distance_ns: measured.distance_ns,
        })),
        Err(Stop::Null { call, size }) => {
            Answer::Oom(format!("call {call}: null for a request of {size} bytes"))
        }
        Err(Stop::NullOn { thread, call, size }) => {
            Answer::Oom(format!("thread {thread}, call {call}: null for {size} bytes"))
        }
        Err(Stop::Thread(error)) => Answer::Failed(format!("cannot start a thread: {error}")),
        Err(Stop::Clock) => Answer::Failed(
            "the processor's time stamp counter does not keep pace with the clock".to_owned(),
        ),
        Err(Stop::Mismatch(what)) => Answer::Mismatch(what),
        Err(Stop::Io(error)) => Answer::Failed(format!("{}: {error}", job.plan.display())),
    }
}

#[derive(Default)]
struct Measured {
    calls: u64,
    pass_wall_ns: Vec<u64>,
    rss_peak_bytes: Option<u64>,
    rss_retained_bytes: Option<u64>,
    rss_growth_bytes: Option<u64>,
    page_faults: Option<u64>,
    events: BTreeMap<Event, u64>,
    timed: Option<Timed>,
    looks: Vec<Look>,
    life: Option<Life>,
    calm: Option<Calm>,
    distance_ns: Option<u64>,
}

struct Sampler<'a> {
    job: &'a Job,
    subject: &'a Subject,
    windows: Windows,
    pointers: Mapping,
}

impl Visitor for Sampler<'_> {
    type Output = Result<Measured, Stop>;

    fn visit<A: Allocator>(self, allocator: A) -> Self::Output {
        let shape = &self.job.shape;
        if self.job.turns {
            return turns::taken(self, allocator);
        }
        if self.job.task == Task::Verify {
            let verified = Verified::new(allocator, self.subject.alignment, shape.slots);
            let ledger = verified.ledger();
            let mut player = Player::new(shape, self.windows, self.pointers, verified);
            let passed = player.pass::<{ touch::HEADER }>();
            // A broken promise also ends the pass: its own message says more than the null.
            return match (ledger.first_fault(), passed) {
                (Some(fault), _) => Err(Stop::Mismatch(fault.to_string())),
                (None, passed) => {
                    let calls = player.region_calls;
                    passed.map(|_| Measured { calls, ..Measured::default() })
                }
            };
        }
        let task = self.job.task;
        match task {
            Task::Tails => return tails::timed(self, allocator),
            Task::Look => return tails::looked_at(self, allocator),
            Task::Counters => return counters::counted(self, allocator),
            Task::Life { waits } => return life::life(self, allocator, waits),
            Task::Measure { .. } | Task::Verify | Task::Once | Task::Count | Task::Footprint => {}
        }
        let mut player = Player::new(shape, self.windows, self.pointers, allocator);
        let job = self.job;
        match job.touch {
            Touch::None => sample::<A, { touch::NONE }>(&mut player, job),
            Touch::Header => sample::<A, { touch::HEADER }>(&mut player, job),
            Touch::Page => sample::<A, { touch::PAGE }>(&mut player, job),
            Touch::All => sample::<A, { touch::ALL }>(&mut player, job),
        }
    }
}

/// Times as many passes as were asked for that a child plays at most, while too little was calm.
const MOST_TIMES: u32 = 3;
/// Share of a first pass's parts that have to be calm for the disturbance not to be one that lasts.
const HOPEFUL_SHARE: f64 = 0.5;
/// Time in the measured region after which no pass is added: a slow subject has a time limit.
const MOST_PLAYING: Duration = Duration::from_secs(2);

fn sample<A: Allocator, const TOUCH: u8>(
    player: &mut Player<'_, A>,
    job: &Job,
) -> Result<Measured, Stop> {
    let task = job.task;
    if task == Task::Count {
        let page_faults = Some(player.counted_pass::<TOUCH>()?);
        return Ok(Measured { calls: player.region_calls, page_faults, ..Measured::default() });
    }
    if task == Task::Footprint {
        return footprint::taken::<A, TOUCH>(player);
    }
    let Task::Measure { passes } = task else {
        player.pass::<TOUCH>()?;
        return Ok(Measured { calls: player.region_calls, ..Measured::default() });
    };
    let memory = player.memory_pass::<TOUCH>()?;
    let mut measured = Measured {
        calls: player.region_calls,
        pass_wall_ns: vec![memory.elapsed.as_nanos() as u64],
        rss_peak_bytes: Some(memory.rss_peak_bytes),
        rss_retained_bytes: Some(memory.rss_retained_bytes),
        page_faults: Some(memory.page_faults),
        ..Measured::default()
    };
    let mut parts = player.parts();
    for pass in 0..passes * MOST_TIMES {
        // Further passes are for those that were disturbed: the median of calm times does not fall
        // with their number, as the fastest would.
        let has_enough = || parts.calm().is_none_or(|calm| calm.share >= CALM_SHARE);
        if pass >= passes && (parts.played_for() >= MOST_PLAYING || has_enough()) {
            break;
        }
        if pass == 1 && job.breaks_off && parts.calm_so_far() < HOPEFUL_SHARE {
            break;
        }
        let elapsed = player.parted_pass::<TOUCH>(&mut parts)?;
        measured.pass_wall_ns.push(elapsed.as_nanos() as u64);
    }
    measured.calm = parts.calm();
    Ok(measured)
}
