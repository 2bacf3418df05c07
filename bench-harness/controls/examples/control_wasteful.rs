//! A control that wastes instructions: two that do nothing in every malloc and two in every free, about
//! 2 % of what a pair of calls takes with the replay around it, and hardly any time.
//!
//! Must be caught by the count of instructions, and by no verification.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::arch::asm;
use core::ffi::c_void;

/// Two instructions.
#[inline]
fn waste() {
    // SAFETY: does nothing.
    unsafe { asm!("nop", "nop", options(nomem, nostack, preserves_flags)) };
}

struct Wasteful;

impl Allocator for Wasteful {
    fn malloc(size: usize) -> *mut c_void {
        waste();
        glibc::malloc(size)
    }

    unsafe fn free(block: *mut c_void) {
        waste();
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }
}

export!(Wasteful);
