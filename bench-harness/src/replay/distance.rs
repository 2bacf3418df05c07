//! How far apart two processors are: the round trip of a cache line between them.
//!
//! On the computer where this was written, two cores that share a cache hand a line over and back in 65
//! to 90 nanoseconds, and two that do not in 320 to 500. Under a hypervisor the host moves virtual
//! processors about, for a quarter of a second up to seconds at a time, and tells nobody. A program
//! whose threads free one another's blocks takes two to three times as long on the one kind of pair as
//! on the other: more than what tells two allocators apart. And where the two are one core's, each of
//! them is half as fast whenever both are at work, and a line has no way to go at all.
//!
//! ```text
//! who asks        line = n, asked ----------------> spins ------> n + 1
//! second thread   spins ----------> line = n ------^
//! ```
//! Whether a short way is that of one core is told by the gauge of `calm`: read on the one processor, it
//! takes far longer while the other one does the same.
//!
//! A [`Pair`] can be had where a process may run on two processors and no more: there they are the ones
//! that every workload of two threads runs on. Between two readings its second thread sleeps.
//!
//! * D1: one thread asks, and one answers, by an exchange that fails once the question is another one.
//! * D2: [`Pair`] joins its thread before what the two share goes.

use std::ffi::c_void;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::calm::gauge_ns;
use super::team::{create, join};
use crate::os::processors::{allowed, stay_on};

/// Round trip up to which two processors are taken to share a cache, in nanoseconds.
const NEAR_NS: u64 = 200;
/// Round trip below which they may be one core's.
const ONE_CORE_NS: u64 = 60;
/// Readings of the gauge, of which the shortest counts, and what the other processor's work makes of
/// it on one core at least.
const GAUGES: usize = 10;
const HINDERED: f64 = 1.5;
/// Round trips of a reading, and readings of which the shortest counts.
const TRIPS: u64 = 20;
const READINGS: u64 = 5;
/// Looks at the line after which the second thread is taken not to be running.
const PATIENCE: u32 = 20_000;
/// Lowest bit of a question that was not answered yet.
const ASKED: u64 = 1;

/// What the second thread is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Sleep,
    Answer,
    Work,
    End,
}

/// What the two threads share; the line stands alone, since processors fetch lines in pairs.
#[repr(align(128))]
struct Shared {
    line: AtomicU64,
    beside: Beside,
}

#[repr(align(128))]
struct Beside {
    wish: Mutex<Wish>,
    changed: Condvar,
    /// Whether the second thread looks at the wish again.
    changes: AtomicBool,
    processor: usize,
}

impl Shared {
    fn wish(&self, wish: Wish) {
        let beside = &self.beside;
        let mut current = beside.wish.lock().expect("no thread panics with a lock held");
        *current = wish;
        beside.changes.store(true, Relaxed);
        drop(current);
        beside.changed.notify_all();
    }

    /// On the second thread: does what is wished.
    fn serve(&self) {
        let beside = &self.beside;
        let mut wish = beside.wish.lock().expect("no thread panics with a lock held");
        loop {
            beside.changes.store(false, Relaxed);
            let current = *wish;
            match current {
                Wish::End => return,
                Wish::Sleep => {
                    wish = beside.changed.wait(wish).expect("no thread panics with a lock held");
                }
                Wish::Answer | Wish::Work => {
                    drop(wish);
                    while !beside.changes.load(Relaxed) {
                        if current == Wish::Answer {
                            self.answer();
                            std::hint::spin_loop();
                        } else {
                            gauge_ns();
                        }
                    }
                    wish = beside.wish.lock().expect("no thread panics with a lock held");
                }
            }
        }
    }

    fn answer(&self) {
        let question = self.line.load(Acquire);
        if question & ASKED != 0 {
            // D1. A failure means that nobody waits any more.
            let answer = question & !ASKED;
            let _ = self.line.compare_exchange(question, answer, Release, Relaxed);
        }
    }

    /// The mean of some round trips; as long as can be where the second thread does not answer.
    fn trips(&self, first: u64) -> u64 {
        let begin = Instant::now();
        for trip in first..first + TRIPS {
            let question = (trip + 1) << 1;
            self.line.store(question | ASKED, Release);
            let mut looks = 0;
            while self.line.load(Acquire) != question {
                looks += 1;
                if looks == PATIENCE {
                    return u64::MAX;
                }
                std::hint::spin_loop();
            }
        }
        begin.elapsed().as_nanos() as u64 / TRIPS
    }
}

/// The two processors of this process.
pub(crate) struct Pair {
    shared: Box<Shared>,
    thread: libc::pthread_t,
    processors: [usize; 2],
}

impl Pair {
    /// Starts the second thread; `None` unless this process may run on exactly two processors.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn of_this_process() -> io::Result<Option<Self>> {
        let Ok(processors) = <[usize; 2]>::try_from(allowed()) else { return Ok(None) };
        let beside = Beside {
            wish: Mutex::new(Wish::Sleep),
            changed: Condvar::new(),
            changes: AtomicBool::new(false),
            processor: processors[1],
        };
        let shared = Box::new(Shared { line: AtomicU64::new(0), beside });
        let argument = (&raw const *shared).cast_mut().cast();
        // SAFETY: D2: what the thread is given is there until it has been joined.
        let thread = unsafe { create(main, argument) }?;
        Ok(Some(Self { shared, thread, processors }))
    }

    /// How far apart they are now. Takes some tens of microseconds, some milliseconds where the other
    /// processor is taken. The calling thread may run on both processors before and afterwards.
    pub(crate) fn distance(&self) -> Distance {
        stay_on(&self.processors[..1]);
        self.shared.wish(Wish::Answer);
        let readings = (0..READINGS).map(|reading| self.shared.trips(reading * TRIPS));
        let round_trip_ns = readings.min().unwrap_or(u64::MAX);
        let one_core = round_trip_ns < ONE_CORE_NS && self.hinder_each_other();
        self.shared.wish(Wish::Sleep);
        stay_on(&self.processors);
        Distance { round_trip_ns, one_core }
    }

    fn hinder_each_other(&self) -> bool {
        let gauge = |wish| {
            self.shared.wish(wish);
            // The other thread, which is awake, notices within the first readings.
            (0..GAUGES).map(|_| gauge_ns()).skip(GAUGES / 2).min().unwrap_or(0) as f64
        };
        // In this order: waking a thread takes longer than all readings together.
        let both = gauge(Wish::Work);
        let alone = gauge(Wish::Sleep);
        both > HINDERED * alone
    }
}

/// What a [`Pair`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Distance {
    /// The round trip, the shortest of some; `u64::MAX` when one of the processors was busy with
    /// something else.
    pub(crate) round_trip_ns: u64,
    /// Whether the two are one core's.
    pub(crate) one_core: bool,
}

impl Distance {
    /// Whether they are two cores that share a cache.
    pub(crate) fn is_near(self) -> bool {
        self.round_trip_ns <= NEAR_NS && !self.one_core
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.shared.wish(Wish::End);
        join(self.thread);
    }
}

extern "C" fn main(argument: *mut c_void) -> *mut c_void {
    // SAFETY: D2.
    let shared = unsafe { &*argument.cast::<Shared>() };
    stay_on(&[shared.beside.processor]);
    shared.serve();
    std::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processors_are_at_a_distance_and_stay_both_allowed() {
        let before = allowed();
        let Some(pair) = Pair::of_this_process().unwrap() else {
            assert_ne!(before.len(), 2);
            return;
        };
        // On a busy computer a processor may be taken for a while.
        let mut trips = (0..1000).map(|_| pair.distance().round_trip_ns);
        assert!(trips.any(|ns| (1..100_000).contains(&ns)));
        assert_eq!(allowed(), before);
        drop(pair);
    }

    #[test]
    fn two_cores_that_share_a_cache_are_near_and_others_are_not() {
        let near = |round_trip_ns, one_core| Distance { round_trip_ns, one_core }.is_near();
        assert!(near(75, false) && near(NEAR_NS, false));
        assert!(!near(40, true) && !near(NEAR_NS + 1, false) && !near(u64::MAX, false));
    }

    #[test]
    fn a_thread_that_does_not_answer_is_as_far_as_can_be() {
        let beside = Beside {
            wish: Mutex::new(Wish::Sleep),
            changed: Condvar::new(),
            changes: AtomicBool::new(false),
            processor: 0,
        };
        let shared = Shared { line: AtomicU64::new(0), beside };
        assert_eq!(shared.trips(0), u64::MAX);
    }
}
