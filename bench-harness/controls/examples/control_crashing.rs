//! A control that crashes: it dies of SIGSEGV after `ARENABENCH_CONTROL_AFTER`
//! mallocs.
//!
//! Must show as a cell of status `signal`, with every other cell intact.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static STRIKE: Pace = Pace::one_in(1);

struct Crashing;

impl Allocator for Crashing {
    fn malloc(size: usize) -> *mut c_void {
        if STRIKE.strikes() {
            // A signal that a handler of the program's cannot turn into something else.
            //
            // SAFETY: has no obligations.
            unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
            // SAFETY: has no obligations.
            unsafe { libc::raise(libc::SIGSEGV) };
        }
        glibc::malloc(size)
    }
}

export!(Crashing);
