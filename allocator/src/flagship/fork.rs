//! fork in a program with threads.
//!
//! The forking thread takes every lock, so that the child gets consistent tables, and goes on with
//! its own heap in both processes. The heaps of threads that do not exist in the child stay as they
//! were found: their blocks may be freed there, but nobody adopts them, since their owners may have
//! been in the middle of anything.
//!
//! The handlers are asked for by the first call of the process, and the C library does not call them for a fork
//! that has begun before: a first call beside another thread's fork may leave the child with a lock held. The
//! preload libraries serve a process before it has threads; so does the global allocator of a program.
//!
//! Handlers of other libraries may allocate between ours and the fork; `thread_local::forking` lets
//! that thread through the locks it holds (L1).

use super::huge::HUGE;
use super::span_store::SPANS;
use super::thread_local;
use super::threads::{LATE, ROSTER};
use super::watched::WATCH;
use crate::sys;

/// Every lock, in the order in which they may be taken.
const LOCKS: [&super::lock::Lock; 5] = [&WATCH, &LATE, &ROSTER, &HUGE, &SPANS];

/// Asks the C library to call us around every fork.
pub(crate) fn register() {
    // SAFETY: the handlers are valid for the life of the process. A refusal (out of memory) leaves
    // a child of a program with threads without the guarantee.
    let _refused = unsafe { sys::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    if thread_local::forking() {
        // Registered twice, by a process and by the child that took over from it.
        return;
    }
    // fork itself takes the lock of the list of streams, and a thread that holds it may wait for a
    // stream whose holder waits for one of ours: it has to come first. It is recursive.
    stdio::hold();
    for lock in LOCKS {
        lock.acquire();
    }
    thread_local::set_forking(true);
}

unsafe extern "C" fn parent() {
    if !thread_local::forking() {
        return;
    }
    thread_local::set_forking(false);
    for lock in LOCKS.iter().rev() {
        lock.release();
    }
    stdio::release();
}

unsafe extern "C" fn child() {
    thread_local::set_forking(false);
    // The C library frees its locks in the child of a process with several threads, and nowhere else.
    stdio::reset();
    for lock in LOCKS {
        lock.reset();
    }
}

/// glibc's lock of the list of streams, where the C library has one by that name.
///
/// It may not be released where it is not held: glibc counts how often it is, in some versions below zero.
/// So a child, which has one thread, frees it whole, as glibc does.
mod stdio {
    use core::arch::global_asm;

    global_asm!(
        ".pushsection .data.rel.ro.arenite_list_lock,\"aw\",@progbits",
        ".balign 8",
        ".weak _IO_list_lock",
        ".weak _IO_list_unlock",
        ".weak _IO_list_resetlock",
        ".globl arenite_list_lock_0_1",
        ".hidden arenite_list_lock_0_1",
        ".type arenite_list_lock_0_1,@object",
        ".size arenite_list_lock_0_1,24",
        "arenite_list_lock_0_1: .quad _IO_list_lock",
        ".quad _IO_list_unlock",
        ".quad _IO_list_resetlock",
        ".popsection",
    );

    unsafe extern "C" {
        /// Lock, unlock and reset; null in a C library that does not have them.
        #[link_name = "arenite_list_lock_0_1"]
        static FUNCTIONS: [Option<unsafe extern "C" fn()>; 3];
    }

    /// Takes the lock.
    pub(super) fn hold() {
        // SAFETY: the dynamic linker wrote the words before any code of ours ran.
        if let Some(lock) = unsafe { FUNCTIONS[0] } {
            // SAFETY: no preconditions.
            unsafe { lock() };
        }
    }

    /// Releases the lock.
    pub(super) fn release() {
        // SAFETY: as in `hold`.
        if let Some(unlock) = unsafe { FUNCTIONS[1] } {
            // SAFETY: `hold` was called before.
            unsafe { unlock() };
        }
    }

    /// Frees the lock, however often this thread, the only one, has taken it.
    pub(super) fn reset() {
        // SAFETY: as in `hold`.
        if let Some(reset) = unsafe { FUNCTIONS[2] } {
            // SAFETY: no other thread is there that could hold it.
            unsafe { reset() };
        }
    }
}
