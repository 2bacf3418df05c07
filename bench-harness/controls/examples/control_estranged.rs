//! A control that is slow where threads part: a free by another thread than the one that asked for the
//! block spins for `ARENABENCH_CONTROL_SPIN` instructions (default 64). The frees of one thread's own
//! blocks cost the same as everywhere in it.
//!
//! Must be caught by instruction counts of a workload on threads, in turns, and on no workload of one
//! thread.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Askers, Setting, export, glibc};
use core::arch::asm;
use core::ffi::c_void;

static SPIN: Setting = Setting::new(c"ARENABENCH_CONTROL_SPIN", 64);

static ASKERS: Askers = Askers::new();

struct Estranged;

impl Allocator for Estranged {
    fn malloc(size: usize) -> *mut c_void {
        ASKERS.malloc(size)
    }

    unsafe fn free(block: *mut c_void) {
        if ASKERS.is_anothers(block) {
            // One turn at least, so that a thread's own frees cost the same whatever the setting.
            let turns = SPIN.get() / 2 + 1;
            // SAFETY: counts a register of 1 or more down to 0.
            unsafe {
                asm!("2:", "dec {0}", "jnz 2b", inout(reg) turns => _, options(nomem, nostack));
            }
        }
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }
}

export!(Estranged);
