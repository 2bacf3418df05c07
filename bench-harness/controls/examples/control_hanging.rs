//! A control that hangs: after `ARENABENCH_CONTROL_AFTER` mallocs none returns any more. It sleeps,
//! so that it takes no time from its neighbours.
//!
//! Must show as a cell of status `timeout`, its process gone.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static STRIKE: Pace = Pace::one_in(1);

struct Hanging;

impl Allocator for Hanging {
    fn malloc(size: usize) -> *mut c_void {
        if STRIKE.strikes() {
            loop {
                // SAFETY: has no obligations.
                unsafe { libc::pause() };
            }
        }
        glibc::malloc(size)
    }
}

export!(Hanging);
