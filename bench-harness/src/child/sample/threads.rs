//! A sample on several threads.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::{Measured, Outcome, Unready, tails};
use crate::child::job::{Job, Task};
use crate::os::Mapping;
use crate::plan::streams::{Streams, StreamsShape};
use crate::replay::allocator::Allocator;
use crate::replay::player::Stop;
use crate::replay::team::Team;
use crate::replay::touch::{self, Touch};
use crate::replay::verify::Verified;
use crate::subject::{Subject, Visitor};

/// Time in the region up to which a measuring child adds passes: what other programs do to two threads
/// differs from one hundredth of a second to the next.
const LEAST_PLAYING: Duration = Duration::from_millis(250);
/// Most passes, as a multiple of those asked for.
const MOST_TIMES: u32 = 8;

/// Replays the job's plan for threads on `subject`.
pub(super) fn take(job: &Job, shape: &StreamsShape, subject: &Subject) -> Outcome {
    let setup = || -> io::Result<(Streams, Mapping)> {
        let streams = Streams::open(File::open(&job.plan)?, shape)?;
        let pointers = Mapping::populated(shape.slots as usize * size_of::<*mut u8>())?;
        Ok((streams, pointers))
    };
    let (streams, pointers) = setup().map_err(Unready::Plan)?;
    let sizes = streams.slot_sizes(shape.slots);
    let visit = Sampler { job, shape, subject, streams, pointers };
    subject.serve(|| sizes, visit).map_err(Unready::Subject)
}

struct Sampler<'a> {
    job: &'a Job,
    shape: &'a StreamsShape,
    subject: &'a Subject,
    streams: Streams,
    pointers: Mapping,
}

impl Sampler<'_> {
    /// Plays under the touch policy of the job.
    fn touching<A: Allocator>(self, allocator: A) -> Result<Measured, Stop> {
        match self.job.touch {
            Touch::None => self.play::<A, { touch::NONE }>(allocator),
            Touch::Header => self.play::<A, { touch::HEADER }>(allocator),
            Touch::Page => self.play::<A, { touch::PAGE }>(allocator),
            Touch::All => self.play::<A, { touch::ALL }>(allocator),
        }
    }

    /// Plays as many passes as the task asks for, timed ones up to [`LEAST_PLAYING`].
    fn play<A: Allocator, const TOUCH: u8>(self, allocator: A) -> Result<Measured, Stop> {
        let Self { job, subject, streams, pointers, .. } = self;
        let hooks = subject.thread_hooks();
        let mut team = Team::new(&job.shape, streams, pointers, allocator, hooks)?;
        let (least, timed) = match job.task {
            Task::Measure { passes } => (passes + 1, true),
            Task::Verify
            | Task::Once
            | Task::Tails
            | Task::Look
            | Task::Count
            | Task::Counters
            | Task::Life { .. } => (1, false),
        };
        let most = if timed { least * MOST_TIMES } else { least };
        let mut measured = Measured::default();
        let mut playing = Duration::ZERO;
        for pass in 0..most {
            if pass >= least && playing >= LEAST_PLAYING {
                break;
            }
            let elapsed: Duration = team.pass::<TOUCH>()?;
            playing += elapsed;
            measured.calls = team.region_calls;
            if timed {
                measured.pass_wall_ns.push(elapsed.as_nanos() as u64);
            }
        }
        Ok(measured)
    }
}

impl Visitor for Sampler<'_> {
    type Output = Result<Measured, Stop>;

    fn visit<A: Allocator>(self, allocator: A) -> Self::Output {
        if self.job.task == Task::Verify {
            let verified = Verified::new(allocator, self.subject.alignment, self.shape.slots);
            let ledger = verified.ledger();
            let played = self.play::<_, { touch::HEADER }>(verified);
            // A broken promise also ends the pass: its own message says more than the null.
            return match ledger.first_fault() {
                Some(fault) => Err(Stop::Mismatch(fault.to_string())),
                None => played,
            };
        }
        if self.job.task == Task::Tails {
            let slots = self.shape.slots;
            return tails::with_stopwatch(allocator, slots, |probed| self.touching(probed));
        }
        self.touching(allocator)
    }
}
