//! A control that leaks: of the blocks given back, one in `ARENABENCH_CONTROL_EVERY` (default 2)
//! is never used again. Nothing else is wrong with it.
//!
//! Must be caught by the memory figures: its peak RSS over peak live bytes grows with the length
//! of the run, and its RSS after everything is freed does not go down. No verification sees it.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static LEAK: Pace = Pace::after(0, 2);

struct Leaking;

impl Allocator for Leaking {
    unsafe fn free(block: *mut c_void) {
        if !LEAK.strikes() {
            // SAFETY: the caller's promise.
            unsafe { glibc::free(block) };
        }
    }
}

export!(Leaking);
