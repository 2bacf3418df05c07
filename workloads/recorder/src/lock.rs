//! A lock whose all-zero state is "unlocked", so that memory wiped by fork holds no lock.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// A value behind a lock; both may begin as zeroes.
#[repr(C)]
pub(crate) struct Lock<T> {
    raw: UnsafeCell<libc::pthread_mutex_t>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard alone, and one guard exists at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Waits for the lock. The caller's thread must not hold it.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // SAFETY: a zeroed `pthread_mutex_t` is an unlocked one on Linux, and it never moves while
        // it is shared. Locking such a mutex cannot fail.
        unsafe { libc::pthread_mutex_lock(self.raw.get()) };
        Guard { lock: self }
    }
}

/// The lock, held.
pub(crate) struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard is the only way to the value.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is the only way to the value and is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this thread locked it when the guard was made.
        unsafe { libc::pthread_mutex_unlock(self.lock.raw.get()) };
    }
}
