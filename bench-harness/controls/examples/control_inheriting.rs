//! A control with a lock around malloc that nobody looks after when the process forks: a child that
//! inherits it held waits for ever.
//!
//! Caught by the C contract, which forks while other threads allocate; no workload forks.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;
use core::hint::spin_loop;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

static IS_HELD: AtomicBool = AtomicBool::new(false);

struct Inheriting;

impl Allocator for Inheriting {
    fn malloc(size: usize) -> *mut c_void {
        while IS_HELD.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            spin_loop();
        }
        let block = glibc::malloc(size);
        IS_HELD.store(false, Release);
        block
    }
}

export!(Inheriting);
