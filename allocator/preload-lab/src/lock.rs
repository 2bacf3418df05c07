//! The one lock: the C library's, which is zero while it is free, allocates nothing, and is held
//! around fork.
//!
//! Handlers of fork run in the order of their registration behind it and in the opposite order
//! before it. Ours is registered by the first call of all, so that it runs innermost and no other
//! handler allocates while it holds the lock.

use core::cell::UnsafeCell;
use core::ffi::c_int;

/// `pthread_mutex_t` of glibc on x86-64: 40 bytes, aligned to 8.
#[repr(C)]
struct Mutex([u64; 5]);

unsafe extern "C" {
    fn pthread_mutex_lock(mutex: *mut Mutex) -> c_int;
    fn pthread_mutex_unlock(mutex: *mut Mutex) -> c_int;
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
}

struct Shared(UnsafeCell<Mutex>);

// SAFETY: a mutex is made to be shared.
unsafe impl Sync for Shared {}

static LOCK: Shared = Shared(UnsafeCell::new(Mutex([0; 5])));

/// The lock, held until this is dropped.
pub(crate) struct Held(());

/// Waits for the lock. The caller does not hold it.
pub(crate) fn hold() -> Held {
    // SAFETY: the initial value of glibc's mutexes is zero.
    unsafe { acquire() };
    Held(())
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: held.
        unsafe { release() };
    }
}

unsafe extern "C" fn acquire() {
    // SAFETY: the mutex lives as long as the process.
    let _always = unsafe { pthread_mutex_lock(LOCK.0.get()) };
}

unsafe extern "C" fn release() {
    // SAFETY: the mutex is held by this thread, in a child of fork by the one that forked.
    let _always = unsafe { pthread_mutex_unlock(LOCK.0.get()) };
}

/// Has the lock held around every fork. Not under the lock: the C library may allocate here.
pub(crate) fn hold_around_fork() {
    // SAFETY: the handlers live as long as the process. A refusal leaves a child of a program with
    // threads without the guarantee.
    let _refused = unsafe { pthread_atfork(Some(acquire), Some(release), Some(release)) };
}
