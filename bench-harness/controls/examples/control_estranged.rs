//! A control that is slow where threads part: a free by another thread than the one that asked for the
//! block spins for `ARENABENCH_CONTROL_SPIN` instructions (default 64). The frees of one thread's own
//! blocks cost the same as everywhere in it.
//!
//! Must be caught by instruction counts of a workload on threads, in turns, and on no workload of one
//! thread.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Setting, export, glibc};
use core::arch::asm;
use core::ffi::c_void;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

static SPIN: Setting = Setting::new(c"ARENABENCH_CONTROL_SPIN", 64);

/// Who asked for a block, by a part of its address: the rest of the address, and of the thread's
/// number. A block whose place another has taken passes for the thread's own.
static ASKED: [AtomicU64; 1 << 16] = [const { AtomicU64::new(0) }; 1 << 16];

fn place(block: *mut c_void) -> &'static AtomicU64 {
    &ASKED[block.addr() / 16 % ASKED.len()]
}

fn asked_here(block: *mut c_void) -> u64 {
    // SAFETY: has no obligations.
    let thread = unsafe { libc::pthread_self() };
    (block.addr() as u64) << 32 | thread >> 12 & u64::from(u32::MAX)
}

struct Estranged;

impl Allocator for Estranged {
    fn malloc(size: usize) -> *mut c_void {
        let block = glibc::malloc(size);
        place(block).store(asked_here(block), Relaxed);
        block
    }

    unsafe fn free(block: *mut c_void) {
        let asked = place(block).load(Relaxed);
        let here = asked_here(block);
        let turns = SPIN.get() / 2;
        if asked >> 32 == here >> 32 && asked != here && turns > 0 {
            // SAFETY: counts a register down to 0.
            unsafe {
                asm!("2:", "dec {0}", "jnz 2b", inout(reg) turns => _, options(nomem, nostack));
            }
        }
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }
}

export!(Estranged);
