//! Plays a plan on one allocator, pass after pass.
//!
//! A pass is the base heap, the measured region and the drain; its time is the region's. The memory
//! pass is cut into [`MEMORY_STEPS`] parts with the clock stopped between them to read the resident
//! size; it is the one that runs on a cold heap. `life` reads it more often, and after the drain.

pub(crate) mod life;

use std::io;
use std::time::Duration;
use std::time::Instant;

use super::allocator::Allocator;
use super::calm::Parts;
use super::{Halt, Tally};
use crate::os::{self, Mapping};
use crate::plan::Shape;
use crate::plan::streams::Phase;
use crate::plan::window::Windows;
use crate::valgrind::requests::Region;

/// Parts of the memory pass: the resident size is read after each.
const MEMORY_STEPS: u64 = 64;

/// What is said of a block that breaks T1 of `touch`.
pub(super) const LOST_HEADER: &str = "a block lost what was written into its first bytes";

/// Why a replay did not go through.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The subject returned null.
    Null { call: u64, size: usize },
    /// The subject returned null on one of several threads, at that thread's call.
    NullOn { thread: u32, call: u64, size: usize },
    /// A thread could not be started.
    Thread(io::Error),
    /// The counter that calls are timed by does not keep pace with the system's clock.
    Clock,
    /// Contents or the number of calls were wrong.
    Mismatch(String),
    /// The plan could not be read.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What the memory pass found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Time of the measured region.
    pub(crate) elapsed: Duration,
    /// Peak growth of anonymous resident memory, in bytes.
    pub(crate) rss_peak_bytes: u64,
    /// Growth of anonymous resident memory that is left after the drain, in bytes.
    pub(crate) rss_retained_bytes: u64,
    /// Page faults, base heap included.
    pub(crate) page_faults: u64,
}

/// Plays a plan on one allocator, pass after pass.
pub(crate) struct Player<'a, A> {
    shape: &'a Shape,
    windows: Windows,
    pointers: Mapping,
    allocator: A,
    /// Calls of the measured region in the last pass.
    pub(crate) region_calls: u64,
    /// Calls of all passes before, for messages.
    calls_before: u64,
}

impl<'a, A: Allocator> Player<'a, A> {
    /// A player of the plan in `windows`; `pointers` has room for all its slots.
    pub(crate) fn new(
        shape: &'a Shape,
        windows: Windows,
        pointers: Mapping,
        mut allocator: A,
    ) -> Self {
        assert!(pointers.len() >= shape.slots as usize * size_of::<*mut u8>());
        // SAFETY: there is room for every slot.
        unsafe { allocator.assign(pointers.start().cast()) };
        Self { shape, windows, pointers, allocator, region_calls: 0, calls_before: 0 }
    }

    /// Base heap, measured region, drain; the time of the region.
    ///
    /// # Errors
    /// When the subject returns null, loses a block's contents, or the plan cannot be read.
    pub(crate) fn pass<const TOUCH: u8>(&mut self) -> Result<Duration, Stop> {
        let shape = self.shape;
        let mut tally = Tally::default();
        self.allocator.enter(Phase::Base);
        self.play::<TOUCH>(0, shape.region_start, &mut tally)?;
        let base = tally.calls;
        self.allocator.enter(Phase::Region);
        let elapsed = self.play::<TOUCH>(shape.region_start, shape.region_end, &mut tally)?;
        let calls = tally.calls - base;
        self.allocator.enter(Phase::Drain);
        self.play::<TOUCH>(shape.region_end, shape.words, &mut tally)?;
        self.conclude(&tally, calls)?;
        Ok(elapsed)
    }

    /// Room for the times of [`Player::parted_pass`].
    pub(crate) fn parts(&self) -> Parts {
        Parts::of(self.shape.region_end - self.shape.region_start)
    }

    /// As [`Player::pass`], the region played and timed in parts; its time as the clock has it.
    ///
    /// # Errors
    /// As [`Player::pass`].
    pub(crate) fn parted_pass<const TOUCH: u8>(
        &mut self,
        parts: &mut Parts,
    ) -> Result<Duration, Stop> {
        let shape = self.shape;
        let mut tally = Tally::default();
        self.play::<TOUCH>(0, shape.region_start, &mut tally)?;
        let base = tally.calls;
        let mut elapsed = Duration::ZERO;
        let mut at = shape.region_start;
        for stop in parts.stops(shape.region_start, shape.region_end) {
            if at < stop {
                // Brought in before the gauge is read, not between it and the clock.
                self.windows.from(at, u64::MAX)?;
            }
            parts.settle();
            let (end, time) = self.play_until::<TOUCH>(at, stop, &mut tally)?;
            parts.part(time);
            at = end;
            elapsed += time;
        }
        let calls = tally.calls - base;
        self.play::<TOUCH>(shape.region_end, shape.words, &mut tally)?;
        self.conclude(&tally, calls)?;
        Ok(elapsed)
    }

    /// The first pass: as [`Player::pass`], with the measured region told to callgrind; the page
    /// faults of the region.
    ///
    /// # Errors
    /// As [`Player::pass`].
    pub(crate) fn counted_pass<const TOUCH: u8>(&mut self) -> Result<u64, Stop> {
        let region = Region::of_this_process();
        let mut faults = 0;
        self.framed_pass::<TOUCH>(|is_inside| {
            if is_inside {
                faults = os::page_faults();
                region.begin();
            } else {
                region.end();
                faults = os::page_faults() - faults;
            }
        })?;
        Ok(faults)
    }

    /// As [`Player::pass`]; `frame` is called with `true` right before the measured region and with
    /// `false` right behind it.
    ///
    /// # Errors
    /// As [`Player::pass`].
    pub(crate) fn framed_pass<const TOUCH: u8>(
        &mut self,
        mut frame: impl FnMut(bool),
    ) -> Result<(), Stop> {
        let shape = self.shape;
        let mut tally = Tally::default();
        self.play::<TOUCH>(0, shape.region_start, &mut tally)?;
        let base = tally.calls;
        // The region's first window is brought in beforehand.
        self.windows.from(shape.region_start.min(shape.words.saturating_sub(1)), shape.words)?;
        frame(true);
        let played = self.play::<TOUCH>(shape.region_start, shape.region_end, &mut tally);
        frame(false);
        played?;
        let calls = tally.calls - base;
        self.play::<TOUCH>(shape.region_end, shape.words, &mut tally)?;
        self.conclude(&tally, calls)
    }

    /// The first pass: as [`Player::pass`], with the resident size read on the way.
    ///
    /// # Errors
    /// As [`Player::pass`].
    pub(crate) fn memory_pass<const TOUCH: u8>(&mut self) -> Result<Memory, Stop> {
        let shape = self.shape;
        // The first window is part of the baseline.
        self.windows.from(0, shape.words.min(1))?;
        let faults = os::page_faults();
        let baseline = os::anonymous_resident_bytes()?;
        let mut peak = baseline;
        let mut tally = Tally::default();
        self.play::<TOUCH>(0, shape.region_start, &mut tally)?;
        let base = tally.calls;
        let mut elapsed = Duration::ZERO;
        let mut at = shape.region_start;
        for stop in self.stops(MEMORY_STEPS) {
            if stop > at {
                let (end, time) = self.play_until::<TOUCH>(at, stop, &mut tally)?;
                at = end;
                elapsed += time;
            }
            peak = peak.max(os::anonymous_resident_bytes()?);
        }
        let calls = tally.calls - base;
        let page_faults = os::page_faults() - faults;
        self.play::<TOUCH>(shape.region_end, shape.words, &mut tally)?;
        let rss_retained_bytes = os::anonymous_resident_bytes()?.saturating_sub(baseline);
        self.conclude(&tally, calls)?;
        let rss_peak_bytes = peak - baseline;
        Ok(Memory { elapsed, rss_peak_bytes, rss_retained_bytes, page_faults })
    }

    /// Word positions after which the resident size is read: evenly spaced, the point of most live
    /// bytes, and the end of the region.
    fn stops(&self, parts: u64) -> Vec<u64> {
        let shape = self.shape;
        let words = shape.region_end - shape.region_start;
        let mut stops: Vec<_> =
            (0..=parts).map(|step| shape.region_start + words * step / parts).collect();
        if shape.live_peak_word >= shape.region_start {
            stops.push(shape.live_peak_word);
        }
        stops.sort_unstable();
        stops
    }

    fn conclude(&mut self, tally: &Tally, calls: u64) -> Result<(), Stop> {
        let shape = self.shape;
        self.calls_before += tally.calls;
        self.region_calls = calls;
        if tally.damage != 0 {
            return Err(Stop::Mismatch(LOST_HEADER.to_owned()));
        }
        let expected = shape.base_calls + shape.calls + shape.drain_calls;
        if tally.calls != expected || calls != shape.calls {
            return Err(Stop::Mismatch(format!("{} of {expected} calls were made", tally.calls)));
        }
        Ok(())
    }

    fn play<const TOUCH: u8>(
        &mut self,
        start: u64,
        end: u64,
        tally: &mut Tally,
    ) -> Result<Duration, Stop> {
        Ok(self.play_until::<TOUCH>(start, end, tally)?.1)
    }

    /// Plays the operations that begin in `[start, end)`; where the last one ended, and the time.
    fn play_until<const TOUCH: u8>(
        &mut self,
        start: u64,
        end: u64,
        tally: &mut Tally,
    ) -> Result<(u64, Duration), Stop> {
        let mut at = start;
        let mut elapsed = Duration::ZERO;
        while at < end {
            // The last operation may end behind `end`, but never behind its window (P2).
            let words = self.windows.from(at, u64::MAX)?;
            let stop = (end - at).min(words.len() as u64) as usize;
            let pointers = self.pointers.start().cast();
            let begin = Instant::now();
            // SAFETY: the plan is the compiler's work, which keeps P1 and P2, and `at` is a place
            // where an operation ended before.
            let played = unsafe {
                super::run::<A, TOUCH>(words, 0, stop, pointers, &mut self.allocator, tally)
            };
            elapsed += begin.elapsed();
            match played {
                Ok(next) => at += next as u64,
                Err(Halt::Null { size }) => {
                    return Err(Stop::Null { call: self.calls_before + tally.calls - 1, size });
                }
                Err(Halt::Stopped) => return Err(Stop::Thread(self.allocator.refusal())),
            }
        }
        Ok((at, elapsed))
    }
}
