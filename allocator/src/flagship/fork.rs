//! fork in a program with threads.
//!
//! The forking thread takes every lock, so that the child gets consistent tables, and goes on with
//! its own heap in both processes. The heaps of threads that do not exist in the child stay as they
//! were found: their blocks may be freed there, but nobody adopts them, since their owners may have
//! been in the middle of anything.
//!
//! Handlers of other libraries may allocate between ours and the fork; `thread_local::forking` lets
//! that thread through the locks it holds (L1).

use super::huge::HUGE;
use super::span_store::SPANS;
use super::thread_local;
use super::threads::{LATE, ROSTER};
use crate::sys;

/// Every lock, in the order in which they may be taken.
const LOCKS: [&super::lock::Lock; 4] = [&LATE, &ROSTER, &HUGE, &SPANS];

/// Asks the C library to call us around every fork.
pub(crate) fn register() {
    // SAFETY: the handlers are valid for the life of the process. A refusal (out of memory) leaves
    // a child of a program with threads without the guarantee.
    let _refused = unsafe { sys::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    for lock in LOCKS {
        lock.acquire();
    }
    thread_local::set_forking(true);
}

unsafe extern "C" fn parent() {
    thread_local::set_forking(false);
    for lock in LOCKS.iter().rev() {
        lock.release();
    }
}

unsafe extern "C" fn child() {
    thread_local::set_forking(false);
    for lock in LOCKS {
        lock.reset();
    }
}
