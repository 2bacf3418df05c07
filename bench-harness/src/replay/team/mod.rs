//! Plays a plan for threads on one allocator, pass after pass, each row on a thread of its own.
//!
//! The first thread is the child's own. It plays its row like the others, and brings epochs into
//! memory while all others wait at the gate. Every other thread is started where the plan says, by
//! `pthread_create` on the thread that the plan names, and ends where the plan says: it returns from
//! its first function, and whatever the subject does when a thread ends, in destructors of its
//! thread-local data, is part of the replay. Threads that have ended are joined by whoever starts the
//! next one, and by the first thread behind every epoch.
//!
//! A pass's time is that of the epochs of its region, each from the moment when all threads are let
//! go to the moment when the last one has played its row, or has ended.
//!
//! * W1: [`Shared`] outlives every thread that was started: [`Team::pass`] returns only when all of
//!   them have been joined.
//! * W2: whatever goes wrong on one thread stops all: waits end, rows are left between two chunks of
//!   [`CHUNK_WORDS`]. A thread that does not come back from the subject keeps the child waiting until
//!   its time limit.

mod gate;
mod member;
mod roster;
#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};
use std::time::{Duration, Instant};

use self::gate::Gate;
use self::member::Member;
use self::roster::Roster;
pub(super) use self::roster::{create, join};
use super::Tally;
use super::allocator::Allocator;
use super::player::{LOST_HEADER, Stop};
use crate::os::Mapping;
use crate::plan::Shape;
use crate::plan::streams::{Index, Phase, Streams};

/// Words after which a thread looks whether it has to stop.
const CHUNK_WORDS: usize = 16 << 10;

/// Why a subject has a handle for another thread.
pub(super) const SHARED: &str = "subjects that serve one thread are given no plan for threads";

/// Bytes of one thread's progress: two cache lines, since processors fetch lines in pairs.
const PROGRESS_BYTES: usize = 128;

/// What a subject wants to be told of threads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hooks {
    /// Called on a new thread before its first call.
    pub(crate) enter: Option<fn()>,
    /// Called on a thread after its last call.
    pub(crate) leave: Option<fn()>,
}

/// What all threads of a team see.
struct Shared {
    index: Index,
    /// First word of the epoch at hand; changed while all others wait at the gate.
    words: AtomicPtr<u64>,
    pointers: *mut *mut u8,
    /// For each thread the progress it has published, [`PROGRESS_BYTES`] apart.
    progress: Mapping,
    gate: Gate,
    roster: Mutex<Roster>,
    hooks: Hooks,
    /// Number of the pass's first epoch, counted over all passes.
    first_epoch: AtomicU64,
    /// Origin of all times.
    origin: Instant,
    /// When the measured region began, in nanoseconds since the origin, the time between its epochs
    /// left out.
    region_ns: AtomicU64,
    /// Calls by phase, and damage, of rows that have been played.
    calls: [AtomicU64; 3],
    damage: AtomicU64,
    /// The first thing that went wrong.
    failure: Mutex<Option<Stop>>,
}

// SAFETY: the pointer table is shared on purpose; P3 orders what threads do to each of its entries.
// Everything else in it is made for being shared.
unsafe impl Sync for Shared {}

impl Shared {
    fn now_ns(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// The cell that holds a thread's progress.
    fn progress(&self, thread: u32) -> &AtomicU64 {
        let bytes = thread as usize * PROGRESS_BYTES;
        assert!(bytes < self.progress.len());
        let cell: *mut AtomicU64 = self.progress.start().wrapping_add(bytes).cast();
        // SAFETY: the cell lies in the mapping, which lives as long as `self`, is aligned, and is only
        // ever used as an atomic number.
        unsafe { &*cell }
    }

    /// Notes what went wrong, unless something did before, and stops all threads.
    fn fail(&self, stop: Stop) {
        self.failure.lock().expect("no thread panics with a lock held").get_or_insert(stop);
        self.gate.stop();
    }

    fn report(&self, phase: Phase, tally: Tally) {
        self.calls[phase as usize].fetch_add(tally.calls, Relaxed);
        self.damage.fetch_or(tally.damage, Relaxed);
    }
}

/// Plays a plan for threads on one allocator, pass after pass.
pub(crate) struct Team<'a, A> {
    shape: &'a Shape,
    streams: Streams,
    /// For each epoch, how many threads are there beside the first, and how many were there before.
    crowds: Vec<(u32, u32)>,
    shared: Shared,
    _pointers: Mapping,
    /// The first thread's handle on the subject; with the member that plays for it during an epoch.
    first: Option<A>,
    epochs_before: u64,
    /// Calls of the first thread so far, for messages.
    first_calls: u64,
    /// Calls of the measured region in the last pass.
    pub(crate) region_calls: u64,
}

impl<'a, A: Allocator> Team<'a, A> {
    /// A team for the plan in `streams`; `pointers` has room for all its slots, and `shape` says how
    /// many calls there are.
    ///
    /// # Errors
    /// When there is no memory for the threads' progress.
    pub(crate) fn new(
        shape: &'a Shape,
        streams: Streams,
        pointers: Mapping,
        mut first: A,
        hooks: Hooks,
    ) -> std::io::Result<Self> {
        // SAFETY: there is room for every slot.
        unsafe { first.assign(pointers.start().cast()) };
        let index = streams.index.clone();
        let shared = Shared {
            words: AtomicPtr::new(std::ptr::null_mut()),
            pointers: pointers.start().cast(),
            progress: Mapping::reserved(index.spans.len() * PROGRESS_BYTES)?,
            gate: Gate::default(),
            roster: Mutex::default(),
            hooks,
            first_epoch: AtomicU64::new(1),
            origin: Instant::now(),
            region_ns: AtomicU64::new(0),
            calls: Default::default(),
            damage: AtomicU64::new(0),
            failure: Mutex::new(None),
            index,
        };
        let crowds = (0..shared.index.epochs.len()).map(|at| shared.index.crowd(at)).collect();
        Ok(Self {
            shape,
            streams,
            crowds,
            shared,
            _pointers: pointers,
            first: Some(first),
            epochs_before: 0,
            first_calls: 0,
            region_calls: 0,
        })
    }

    /// Base heap, measured region, drain; the time of the region.
    ///
    /// # Errors
    /// When the subject returns null on any thread, loses a block's contents, the plan cannot be
    /// read or a thread cannot be started. No further pass can be played then.
    pub(crate) fn pass<const TOUCH: u8>(&mut self) -> Result<Duration, Stop> {
        let elapsed = self.play::<TOUCH>();
        // W1: also after a stop.
        self.join_all();
        let failure = self.shared.failure.lock().expect("no thread panics with a lock held").take();
        match failure {
            Some(stop) => Err(stop),
            None => self.conclude().map(|()| elapsed),
        }
    }

    fn play<const TOUCH: u8>(&mut self) -> Duration {
        let epochs = self.crowds.len();
        self.shared.first_epoch.store(self.epochs_before + 1, Release);
        self.epochs_before += epochs as u64;
        for thread in 0..self.shared.index.spans.len() as u32 {
            self.shared.progress(thread).store(0, Relaxed);
        }
        let mut elapsed_ns = 0;
        for epoch in 0..epochs {
            match self.epoch::<TOUCH>(epoch, elapsed_ns) {
                Some(ns) if self.shared.index.epochs[epoch].phase == Phase::Region => {
                    elapsed_ns += ns;
                }
                Some(_) => {}
                None => break,
            }
        }
        Duration::from_nanos(elapsed_ns)
    }

    /// Plays one epoch; its time in nanoseconds, or `None` after a stop.
    fn epoch<const TOUCH: u8>(&mut self, epoch: usize, elapsed_ns: u64) -> Option<u64> {
        let shared = &self.shared;
        match self.streams.load(epoch) {
            Ok(words) => shared.words.store(words.cast_mut(), Release),
            Err(error) => {
                shared.fail(Stop::Io(error));
                return None;
            }
        }
        let (present, waiting) = self.crowds[epoch];
        let number = shared.first_epoch.load(Relaxed) + epoch as u64;
        if !shared.gate.prepare(number, waiting) {
            return None;
        }
        let first = self.first.take().expect("the handle is given back after every epoch");
        let mut member = Member::<A, TOUCH>::new(first, shared, 0);
        member.calls = self.first_calls;
        let begin_ns = shared.now_ns();
        // Begins with the first epoch of the region; base heap and drain wait for no time.
        shared.region_ns.store(begin_ns - elapsed_ns.min(begin_ns), Relaxed);
        shared.gate.let_go(number);
        let passed = member.play(epoch);
        let own_ns = shared.now_ns();
        self.first_calls = member.calls;
        self.first = Some(member.into_handle());
        if !passed || !shared.gate.await_arrivals(present) {
            return None;
        }
        let mut end_ns = shared.gate.take_last_arrival_ns().max(own_ns);
        if roster::join_ended(&shared.roster) {
            end_ns = shared.now_ns();
        }
        Some(end_ns - begin_ns)
    }

    fn join_all(&self) {
        roster::join_running(&self.shared.roster);
    }

    fn conclude(&mut self) -> Result<(), Stop> {
        let shape = self.shape;
        let calls = [0, 1, 2].map(|phase: usize| self.shared.calls[phase].swap(0, Acquire));
        self.region_calls = calls[Phase::Region as usize];
        if self.shared.damage.swap(0, Acquire) != 0 {
            return Err(Stop::Mismatch(LOST_HEADER.to_owned()));
        }
        let expected = [shape.base_calls, shape.calls, shape.drain_calls];
        if calls != expected {
            let (made, of) = (calls.iter().sum::<u64>(), expected.iter().sum::<u64>());
            return Err(Stop::Mismatch(format!("{made} of {of} calls were made")));
        }
        Ok(())
    }
}
