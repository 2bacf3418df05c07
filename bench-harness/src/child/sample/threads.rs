//! A sample on several threads.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::{Measured, Outcome, Unready, tails};
use crate::child::job::{Job, Task};
use crate::os::Mapping;
use crate::plan::streams::{Streams, StreamsShape};
use crate::replay::allocator::Allocator;
use crate::replay::calm::{self, Calm};
use crate::replay::distance::{Distance, Pair};
use crate::replay::player::Stop;
use crate::replay::team::Team;
use crate::replay::touch::{self, Touch};
use crate::replay::verify::Verified;
use crate::subject::{Subject, Visitor};

/// Time in the region up to which a measuring child adds passes: what other programs do to two threads
/// differs from one hundredth of a second to the next.
const LEAST_PLAYING: Duration = Duration::from_millis(250);
/// Passes on near processors of which a time is made.
const MIN_NEAR: usize = 3;
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
            | Task::Footprint
            | Task::Life { .. } => (1, false),
        };
        let most = if timed { least * MOST_TIMES } else { least };
        let mut measured = Measured::default();
        let mut playing = Duration::ZERO;
        // A recorded pace hides how far a block goes.
        let asks = timed && job.streams.as_ref().is_some_and(|streams| !streams.paced);
        let pair = if asks { Pair::of_this_process().map_err(Stop::Thread)? } else { None };
        let mut before = pair.as_ref().map(Pair::distance);
        let mut around = Vec::new();
        let mut is_whole = true;
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
            if let (Some(pair), Some(was)) = (&pair, &mut before) {
                let now = pair.distance();
                around.push([*was, now]);
                *was = now;
                // Where they stay apart, the parent takes another sample later.
                if job.breaks_off && !now.is_near() && near(&around[1..]) < MIN_NEAR {
                    is_whole = false;
                    break;
                }
            }
        }
        if pair.is_some() {
            measured.calm = time_of(&measured.pass_wall_ns, &around, is_whole);
            let known = around.iter().map(|[_, now]| now.round_trip_ns).filter(|&ns| ns < u64::MAX);
            let mut round_trips: Vec<u64> = known.collect();
            round_trips.sort_unstable();
            measured.distance_ns = round_trips.get(round_trips.len() / 2).copied();
        }
        Ok(measured)
    }
}

/// In how many of these passes the processors were near, before and behind.
fn near(around: &[[Distance; 2]]) -> usize {
    around.iter().filter(|both| both.iter().all(|one| one.is_near())).count()
}

/// The time of a pass, where it is known how far apart the processors were around every pass: that of
/// the near passes behind the first if there are [`MIN_NEAR`], of all behind the first otherwise. The
/// share is that of near passes among those that count. `None` without a pass.
///
/// `is_whole` says that the sample was not broken off: one that was is not to be kept for the share of
/// its few passes where another played all of them.
fn time_of(pass_wall_ns: &[u64], around: &[[Distance; 2]], is_whole: bool) -> Option<Calm> {
    let passes: Vec<(u64, bool)> = pass_wall_ns
        .iter()
        .copied()
        .zip(around.iter().map(|both| near(std::slice::from_ref(both)) == 1))
        .collect();
    let warm = if passes.len() > 1 { &passes[1..] } else { &passes };
    let near: Vec<u64> = warm.iter().filter(|pass| pass.1).map(|pass| pass.0).collect();
    if near.len() >= MIN_NEAR {
        return Some(Calm { region_ns: calm::undisturbed(&near)?, share: 1.0 });
    }
    let all: Vec<u64> = warm.iter().map(|pass| pass.0).collect();
    let share = near.len() as f64 / all.len().max(1) as f64;
    // One pass or two are too few, wherever they were played.
    let share = if all.len() < MIN_NEAR || !is_whole { 0.0 } else { share };
    Some(Calm { region_ns: calm::undisturbed(&all)?, share: (1000.0 * share).floor() / 1000.0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Distance = Distance { round_trip_ns: 70, one_core: false };
    const FAR: Distance = Distance { round_trip_ns: 400, one_core: false };
    const ONE_CORE: Distance = Distance { round_trip_ns: 40, one_core: true };
    const N: [Distance; 2] = [NEAR, NEAR];

    #[test]
    fn passes_on_near_processors_make_the_time_where_there_are_three() {
        let times = [90, 10, 52, 53, 51, 11, 98];
        let of = |around: [[Distance; 2]; 7]| {
            let calm = time_of(&times, &around, true).unwrap();
            (calm.region_ns, calm.share)
        };
        // The cold one is near, and does not count; of the lucky ones one was on one core at its end, and
        // one far at its beginning.
        let apart = [FAR, FAR];
        assert_eq!(of([N, [NEAR, ONE_CORE], N, N, N, [FAR, NEAR], apart]), (51, 1.0));
        assert_eq!(of([N, apart, N, apart, N, apart, apart]), (11, 0.333));
        assert_eq!(of([apart; 7]), (11, 0.0));
    }

    #[test]
    fn a_child_that_was_broken_off_has_a_time_and_is_not_calm() {
        let one = time_of(&[90], &[N], false).unwrap();
        assert_eq!((one.region_ns, one.share), (90, 0.0));
        let two = time_of(&[90, 50], &[N, N], false).unwrap();
        assert_eq!((two.region_ns, two.share), (50, 0.0));
        let three = [N, N, N, [FAR, FAR]];
        let of_three = |is_whole| time_of(&[90, 50, 51, 52], &three, is_whole).unwrap().share;
        assert_eq!((of_three(false), of_three(true)), (0.0, 0.666));
        assert_eq!(time_of(&[], &[], true), None);
    }
}
