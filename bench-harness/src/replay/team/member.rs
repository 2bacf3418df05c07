//! One thread of a team: what it plays, and what it owes the others.

use std::ffi::c_void;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::roster;
use super::{CHUNK_WORDS, Shared, gate};
use crate::plan::op::{Extent, Meeting, Place};
use crate::replay::allocator::Allocator;
use crate::replay::player::Stop;
use crate::replay::{Halt, Tally};

/// Time before a recorded time at which a waiting thread stops sleeping, in nanoseconds.
const AWAKE_NS: u64 = 100_000;

/// A thread's handle on the subject, with the meetings of its row.
pub(super) struct Member<'s, A, const TOUCH: u8> {
    allocator: A,
    shared: &'s Shared,
    thread: u32,
    /// Calls so far, for messages.
    pub(super) calls: u64,
}

/// What a new thread is given.
struct Start<A> {
    allocator: A,
    shared: *const Shared,
    thread: u32,
    /// The epoch in which it begins.
    epoch: u32,
}

impl<'s, A: Allocator, const TOUCH: u8> Member<'s, A, TOUCH> {
    pub(super) fn new(allocator: A, shared: &'s Shared, thread: u32) -> Self {
        Self { allocator, shared, thread, calls: 0 }
    }

    /// The handle on the subject.
    pub(super) fn into_handle(self) -> A {
        self.allocator
    }

    /// Plays the thread's row of an epoch; false after a stop.
    pub(super) fn play(&mut self, epoch: usize) -> bool {
        let shared = self.shared;
        let plan = &shared.index.epochs[epoch];
        let row = plan.row(self.thread);
        self.allocator.enter(plan.phase);
        let first = shared.words.load(Acquire).wrapping_add(row.start);
        // SAFETY: the epoch's words are in memory and stay as they are until all threads have arrived;
        // the index says where the row lies in them.
        let words = unsafe { std::slice::from_raw_parts(first.cast_const(), row.len()) };
        let mut tally = Tally::default();
        let mut at = 0;
        while at < words.len() && !shared.gate.stopped().load(Relaxed) {
            let stop = words.len().min(at + CHUNK_WORDS);
            let pointers = shared.pointers;
            // SAFETY: the plan is the compiler's work, which keeps P1 to P3, and `at` is a place where
            // an operation ended before.
            let played = unsafe {
                crate::replay::run::<Self, TOUCH>(words, at, stop, pointers, self, &mut tally)
            };
            match played {
                Ok(next) => at = next,
                Err(Halt::Stopped) => break,
                Err(Halt::Null { size }) => {
                    let (thread, call) = (self.thread, self.calls + tally.calls - 1);
                    shared.fail(Stop::NullOn { thread, call, size });
                    break;
                }
            }
        }
        self.calls += tally.calls;
        shared.report(plan.phase, tally);
        at >= words.len()
    }

    /// Plays the rows of a started thread, from its first epoch to its last.
    fn live(&mut self, first: u32) {
        let shared = self.shared;
        let (_, last) = shared.index.spans[self.thread as usize];
        for epoch in first..=last {
            if epoch > first {
                shared.gate.arrive(shared.now_ns());
                let number = shared.first_epoch.load(Relaxed) + u64::from(epoch);
                if !shared.gate.pass(number) {
                    return;
                }
            }
            if !self.play(epoch as usize) {
                return;
            }
        }
    }

    /// Starts another thread of the team; false when it cannot be started.
    #[cold]
    fn start(&self, thread: u32) -> bool {
        let shared = self.shared;
        let (epoch, _) = shared.index.spans[thread as usize];
        let allocator = self.allocator.another().expect(super::SHARED);
        let start = Box::new(Start { allocator, shared: &raw const *shared, thread, epoch });
        let argument = Box::into_raw(start);
        // SAFETY: `main` takes the box it is given, and ends with `roster::end`. W1: what it points to
        // outlives the thread.
        let started = unsafe {
            roster::start(&shared.roster, thread, main::<A, TOUCH>, argument.cast::<c_void>())
        };
        match started {
            Ok(()) => true,
            Err(error) => {
                // SAFETY: no thread was started, so the box is still ours.
                drop(unsafe { Box::from_raw(argument) });
                shared.fail(Stop::Thread(error));
                false
            }
        }
    }

    fn await_progress(&self, thread: u32, value: u64) -> bool {
        let progress = self.shared.progress(thread);
        // Pairs with `publish`: what the other thread did before is seen.
        progress.load(Acquire) >= value
            || gate::wait(self.shared.gate.stopped(), || progress.load(Acquire) >= value)
    }

    /// Waits until so many nanoseconds of the region have passed.
    #[cold]
    fn await_time(&self, since_ns: u64) -> bool {
        let shared = self.shared;
        let until = shared.region_ns.load(Relaxed) + since_ns;
        loop {
            let left = until.saturating_sub(shared.now_ns());
            if left == 0 {
                return true;
            }
            if shared.gate.stopped().load(Relaxed) {
                return false;
            }
            if left > AWAKE_NS {
                // In pieces, so that a stop is noticed.
                let nap = (left - AWAKE_NS).min(10_000_000);
                std::thread::sleep(std::time::Duration::from_nanos(nap));
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// First function of every thread but the first.
extern "C" fn main<A: Allocator, const TOUCH: u8>(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `Member::start` gives every thread a box of its own.
    let start = unsafe { Box::from_raw(argument.cast::<Start<A>>()) };
    let Start { allocator, shared, thread, epoch } = *start;
    // SAFETY: W1.
    let shared = unsafe { &*shared };
    if let Some(enter) = shared.hooks.enter {
        enter();
    }
    Member::<A, TOUCH>::new(allocator, shared, thread).live(epoch);
    if let Some(leave) = shared.hooks.leave {
        leave();
    }
    roster::end(&shared.roster, thread);
    shared.gate.arrive(shared.now_ns());
    std::ptr::null_mut()
}

// SAFETY: hands on what the subject returns.
unsafe impl<A: Allocator, const TOUCH: u8> Allocator for Member<'_, A, TOUCH> {
    const ASSIGNED: bool = A::ASSIGNED;
    const MIN_SIZE: usize = A::MIN_SIZE;

    #[inline(always)]
    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.allocator.malloc(slot, size)
    }

    #[inline(always)]
    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.allocator.calloc(slot, size)
    }

    #[inline(always)]
    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        self.allocator.aligned(slot, extent)
    }

    #[inline(always)]
    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.allocator.realloc_new(slot, size)
    }

    #[inline(always)]
    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        unsafe { self.allocator.realloc(slot, ptr, old, size) }
    }

    #[inline(always)]
    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent) {
        // SAFETY: the caller's obligation.
        unsafe { self.allocator.free(slot, ptr, old) };
    }

    #[inline(always)]
    fn free_null(&mut self) {
        self.allocator.free_null();
    }

    fn meet(&mut self, meeting: Meeting, thread: u32, argument: u64) -> bool {
        match meeting {
            Meeting::Publish => {
                // Pairs with `await_progress`.
                self.shared.progress(thread).store(argument, Release);
                true
            }
            Meeting::Wait => self.await_progress(thread, argument),
            Meeting::Start => self.start(thread),
            Meeting::Until => self.await_time(argument),
            Meeting::Turn | Meeting::End => {
                unreachable!("P3: {meeting:?} in a plan of several rows")
            }
        }
    }
}
