//! The slow paths' lock: one word, a futex behind it.
//!
//! It allocates nothing, its unlocked state is zero, and a child of fork may set it free whatever
//! the threads that did not survive were doing, since fork happens with every lock held by the
//! forking thread (`fork.rs`). That thread's further calls on the way pass through: **L1** while
//! `thread_local::forking` is set, this thread holds every lock.

use core::sync::atomic::{AtomicU32, Ordering};

use super::os;
use super::thread_local;

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may be asleep.
const CONTENDED: u32 = 2;
/// Turns of waiting before going to sleep.
const SPINS: u32 = 100;

/// A lock without a value; what it guards is said where it is declared.
pub(crate) struct Lock(AtomicU32);

/// The lock, held until this is dropped.
pub(crate) struct Held<'a>(Option<&'a Lock>);

impl Lock {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(FREE))
    }

    /// Waits for the lock. The caller does not hold it.
    #[inline]
    pub(crate) fn hold(&self) -> Held<'_> {
        if thread_local::forking() {
            return Held(None);
        }
        self.acquire();
        Held(Some(self))
    }

    /// Waits for the lock, to be released by [`Lock::release`].
    #[inline]
    pub(crate) fn acquire(&self) {
        // Acquire: pairs with the release of whoever held it before.
        if self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..SPINS {
            core::hint::spin_loop();
            if self.0.load(Ordering::Relaxed) == FREE
                && self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
        }
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            os::sleep_while(&self.0, CONTENDED);
        }
    }

    /// Releases the lock. Only for whoever acquired it.
    #[inline]
    pub(crate) fn release(&self) {
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            os::wake_one(&self.0);
        }
    }

    /// Frees the lock in a child process, where no other thread exists.
    pub(crate) fn reset(&self) {
        self.0.store(FREE, Ordering::Relaxed);
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(lock) = self.0 {
            lock.release();
        }
    }
}
