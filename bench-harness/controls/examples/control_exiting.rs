//! A control that gives up: it ends the process with status 3 after `ARENABENCH_CONTROL_AFTER`
//! mallocs, without a word.
//!
//! Must show as a cell of status `exit`.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static STRIKE: Pace = Pace::one_in(1);

struct Exiting;

impl Allocator for Exiting {
    fn malloc(size: usize) -> *mut c_void {
        if STRIKE.strikes() {
            // SAFETY: has no obligations.
            unsafe { libc::_exit(3) };
        }
        glibc::malloc(size)
    }
}

export!(Exiting);
