//! Where all threads of a team meet between two epochs, and how any thread waits for another.
//!
//! ```text
//! first thread   await_arrivals .. prepare(n) ------------------> let_go(n)   plays
//! any other      arrive, pass(n): sleeps -> is ready, spins ----> goes        plays
//! ```
//! Sleeping threads are woken before the clock starts and spin for the start, so that all begin
//! together. Threads that end in an epoch arrive too, and threads that begin in it come without
//! passing the gate.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Looks at what is waited for before the processor is given to others.
const SPINS: u32 = 200;
/// Times the processor is given to others before the thread sleeps.
const YIELDS: u32 = 200;
/// Longest sleep: how late a thread may notice what it waits for, once it has waited long.
const SLEEP: Duration = Duration::from_micros(50);

/// Waits until `done`; false when `stopped` came first.
///
/// Spins first, since another processor may be about to do it; then gives the processor away, in case
/// that the thread that is to do it waits for one; then sleeps in between.
#[cold]
pub(super) fn wait(stopped: &AtomicBool, mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..SPINS {
        if done() {
            return true;
        }
        std::hint::spin_loop();
    }
    let mut rounds = 0;
    while !done() {
        if stopped.load(Relaxed) {
            return false;
        }
        if rounds < YIELDS {
            std::thread::yield_now();
            rounds += 1;
        } else {
            std::thread::sleep(SLEEP);
        }
    }
    true
}

#[derive(Default)]
struct State {
    /// The last epoch that was prepared.
    opened: u64,
    /// Threads that have played their row of it.
    arrived: u32,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    opened: Condvar,
    arrived: Condvar,
    /// Threads that are awake and wait to be let go.
    ready: AtomicU32,
    /// The last epoch that threads were let go into.
    gone: AtomicU64,
    last_arrival_ns: AtomicU64,
    stopped: AtomicBool,
}

impl Gate {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with a lock held")
    }

    /// Set for good once anything went wrong.
    pub(super) fn stopped(&self) -> &AtomicBool {
        &self.stopped
    }

    /// Ends all waits, now and from now on.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
        // With the lock taken, no thread is between its look at the flag and its sleep.
        let _state = self.lock();
        self.opened.notify_all();
        self.arrived.notify_all();
    }

    /// Notes that a thread other than the first has played its row.
    pub(super) fn arrive(&self, now_ns: u64) {
        self.last_arrival_ns.fetch_max(now_ns, Relaxed);
        self.lock().arrived += 1;
        self.arrived.notify_all();
    }

    /// Waits until threads are let go into an epoch; false after a stop.
    pub(super) fn pass(&self, epoch: u64) -> bool {
        let mut state = self.lock();
        while state.opened < epoch {
            if self.stopped.load(Relaxed) {
                return false;
            }
            state = self.opened.wait(state).expect("no thread panics with a lock held");
        }
        drop(state);
        self.ready.fetch_add(1, AcqRel);
        // Pairs with `let_go`: what the first thread has prepared is seen.
        wait(&self.stopped, || self.gone.load(Acquire) >= epoch)
    }

    /// Wakes the `waiting` threads and waits until they are ready; false after a stop.
    pub(super) fn prepare(&self, epoch: u64, waiting: u32) -> bool {
        let mut state = self.lock();
        (state.opened, state.arrived) = (epoch, 0);
        drop(state);
        self.opened.notify_all();
        let all = wait(&self.stopped, || self.ready.load(Acquire) == waiting);
        self.ready.store(0, Relaxed);
        all && !self.stopped.load(Relaxed)
    }

    /// Lets the threads go that are ready.
    pub(super) fn let_go(&self, epoch: u64) {
        self.gone.store(epoch, Release);
    }

    /// Waits until `present` threads have arrived; false after a stop.
    pub(super) fn await_arrivals(&self, present: u32) -> bool {
        let mut state = self.lock();
        while state.arrived < present {
            if self.stopped.load(Relaxed) {
                return false;
            }
            state = self.arrived.wait(state).expect("no thread panics with a lock held");
        }
        true
    }

    /// When the last thread arrived, in nanoseconds; 0 when none did.
    pub(super) fn take_last_arrival_ns(&self) -> u64 {
        self.last_arrival_ns.swap(0, Relaxed)
    }
}
