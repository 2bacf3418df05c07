//! A control that decides by memory nobody has written: in one call of malloc in
//! `ARENABENCH_CONTROL_EVERY` (default a hundred million, which is once). Nothing comes of the decision.
//!
//! Must be caught by the count of Valgrind's errors, by one, and by no verification.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::arch::asm;
use core::ffi::c_void;
use core::mem::MaybeUninit;

static PACE: Pace = Pace::one_in(100_000_000);

/// A jump to the next instruction, taken or not by an uninitialised word of the stack.
#[cold]
#[inline(never)]
fn decide() {
    let word = MaybeUninit::<u64>::uninit();
    // SAFETY: reads the word, which is on the stack, as the processor finds it.
    unsafe {
        asm!("cmp qword ptr [{0}], 0", "jne 2f", "2:", in(reg) word.as_ptr(), options(nostack, readonly));
    }
}

struct Undefined;

impl Allocator for Undefined {
    fn malloc(size: usize) -> *mut c_void {
        if PACE.strikes() {
            decide();
        }
        glibc::malloc(size)
    }
}

export!(Undefined);
