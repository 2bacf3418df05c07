//! A control that is slow once in `ARENABENCH_CONTROL_EVERY` calls of malloc (default 2,500, which is
//! once in 5,000 calls when as many blocks are freed): such a call spins for
//! `ARENABENCH_CONTROL_SPIN` instructions (default 400,000, which is 50 to 100 microseconds). Every
//! other call is glibc's.
//!
//! Must be caught by the times of single calls, in p99.99 and the maximum and in no lower percentile,
//! and by no verification. In the time of a whole replay it is 10 to 20 ns a call.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, Setting, export, glibc};
use core::arch::asm;
use core::ffi::c_void;

static PACE: Pace = Pace::one_in(2_500);
static SPIN: Setting = Setting::new(c"ARENABENCH_CONTROL_SPIN", 400_000);

/// Spins for as many instructions as the setting says, two to a turn of the loop and a cycle.
#[cold]
fn spin() {
    let turns = SPIN.get() / 2;
    if turns > 0 {
        // SAFETY: counts a register down to 0.
        unsafe {
            asm!("2:", "dec {0}", "jnz 2b", inout(reg) turns => _, options(nomem, nostack));
        }
    }
}

struct Stalling;

impl Allocator for Stalling {
    fn malloc(size: usize) -> *mut c_void {
        if PACE.strikes() {
            spin();
        }
        glibc::malloc(size)
    }
}

export!(Stalling);
