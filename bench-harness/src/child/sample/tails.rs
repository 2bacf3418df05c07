//! A sample in which single calls are timed or looked at.

use super::{Measured, Sampler};
use crate::replay::allocator::Allocator;
use crate::replay::player::{Player, Stop};
use crate::replay::probe::Probed;
use crate::replay::probe::clock::Clock;
use crate::replay::probe::magnifier::Magnifier;
use crate::replay::probe::stopwatch::{Board, Stopwatch};
use crate::replay::touch::{self, Touch};

/// Times every call of the region, on a cold heap.
pub(super) fn timed<A: Allocator>(sampler: Sampler<'_>, allocator: A) -> Result<Measured, Stop> {
    let slots = sampler.job.shape.slots;
    with_stopwatch(allocator, slots, |probed| play(sampler, probed))
}

/// Looks at the calls that the job names.
pub(super) fn looked_at<A: Allocator>(
    sampler: Sampler<'_>,
    allocator: A,
) -> Result<Measured, Stop> {
    let job = sampler.job;
    let (magnifier, looks) = Magnifier::new(Clock::calibrated(), job.look.clone());
    let probed = Probed::new(allocator, magnifier, job.shape.slots);
    let mut measured = play(sampler, probed)?;
    measured.looks = looks.lock().expect("no thread panics with a lock held").clone();
    Ok(measured)
}

/// Plays with a stopwatch in every thread's hand, and adds what they have timed.
pub(super) fn with_stopwatch<A: Allocator>(
    allocator: A,
    slots: u32,
    play: impl FnOnce(Probed<A, Stopwatch>) -> Result<Measured, Stop>,
) -> Result<Measured, Stop> {
    let clock = Clock::calibrated();
    let board = Board::new(clock);
    let stopwatch = Stopwatch::new(board.clone());
    // All handles are gone when this returns, so that the board holds all times.
    let mut measured = play(Probed::new(allocator, stopwatch, slots))?;
    if !clock.keeps_pace() {
        return Err(Stop::Clock);
    }
    measured.timed = Some(board.timed());
    Ok(measured)
}

/// One pass under the touch policy of the job.
fn play<A: Allocator>(sampler: Sampler<'_>, allocator: A) -> Result<Measured, Stop> {
    let Sampler { job, windows, pointers, .. } = sampler;
    let mut player = Player::new(&job.shape, windows, pointers, allocator);
    match job.touch {
        Touch::None => player.pass::<{ touch::NONE }>(),
        Touch::Header => player.pass::<{ touch::HEADER }>(),
        Touch::Page => player.pass::<{ touch::PAGE }>(),
        Touch::All => player.pass::<{ touch::ALL }>(),
    }?;
    Ok(Measured { calls: player.region_calls, ..Measured::default() })
}
