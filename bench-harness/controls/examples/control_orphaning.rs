//! A control that loses what is freed by another thread than asked for it.
//!
//! Caught by peak memory of a workload whose threads free for one another, in turns: `thread-churn` in the
//! gate.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Askers, export, glibc};
use core::ffi::c_void;

static ASKERS: Askers = Askers::new();

struct Orphaning;

impl Allocator for Orphaning {
    fn malloc(size: usize) -> *mut c_void {
        ASKERS.malloc(size)
    }

    unsafe fn free(block: *mut c_void) {
        if !ASKERS.is_anothers(block) {
            // SAFETY: the caller's promise.
            unsafe { glibc::free(block) };
        }
    }
}

export!(Orphaning);
