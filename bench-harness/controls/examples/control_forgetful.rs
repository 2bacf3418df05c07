//! A control whose realloc loses contents: in one call of `ARENABENCH_CONTROL_EVERY` (default 20)
//! that leaves at most 4,096 bytes in place, the second half of them is cleared.
//!
//! Must be caught by `--verify` as a fault of the realloc prefix.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::write_bytes;

/// Most bytes forgotten from, so that the program under test itself hardly suffers.
const LARGEST: usize = 4096;

static STRIKE: Pace = Pace::one_in(20);

struct Forgetful;

impl Allocator for Forgetful {
    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        let kept = unsafe { glibc::usable_size(block) }.min(size);
        // SAFETY: the caller's promise.
        let block = unsafe { glibc::realloc(block, size) };
        if !block.is_null() && (2..=LARGEST).contains(&kept) && STRIKE.strikes() {
            let half = block.cast::<u8>().wrapping_add(kept / 2);
            // SAFETY: the second half of `kept` bytes, which the block holds.
            unsafe { write_bytes(half, 0, kept - kept / 2) };
        }
        block
    }
}

export!(Forgetful);
