//! A control that is slow: every malloc and every free spins for `ARENABENCH_CONTROL_SPIN`
//! instructions (default 64, which is 10 to 25 ns; a whole pair of calls to a good allocator takes
//! no more). Nothing else is wrong with it.
//!
//! Must be caught by the comparison of times (slower than `system` beyond the A/A floor) and by
//! that of instruction counts, and by no verification.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Setting, export, glibc};
use core::arch::asm;
use core::ffi::c_void;

static SPIN: Setting = Setting::new(c"ARENABENCH_CONTROL_SPIN", 64);

/// Spins for as many instructions as the setting says, two to a turn of the loop and a cycle.
#[inline]
fn spin() {
    let turns = SPIN.get() / 2;
    if turns > 0 {
        // SAFETY: counts a register down to 0.
        unsafe {
            asm!("2:", "dec {0}", "jnz 2b", inout(reg) turns => _, options(nomem, nostack));
        }
    }
}

struct Slow;

impl Allocator for Slow {
    fn malloc(size: usize) -> *mut c_void {
        spin();
        glibc::malloc(size)
    }

    unsafe fn free(block: *mut c_void) {
        spin();
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }
}

export!(Slow);
