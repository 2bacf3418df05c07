//! A control whose calloc does not zero: the last byte of one block in `ARENABENCH_CONTROL_EVERY`
//! (default 10) of at most 1,024 bytes is as if left over from an earlier use. So that nothing
//! hangs on luck, it is set.
//!
//! Must be caught by `--verify` as a fault of calloc zeroing.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

/// Largest block left dirty, in bytes. What libraries calloc for themselves is mostly larger.
const LARGEST: usize = 1024;

static STRIKE: Pace = Pace::one_in(10);

struct Dirty;

impl Allocator for Dirty {
    fn calloc(count: usize, size: usize) -> *mut c_void {
        let block = glibc::calloc(count, size);
        let bytes = count.saturating_mul(size);
        if !block.is_null() && (1..=LARGEST).contains(&bytes) && STRIKE.strikes() {
            let last = block.cast::<u8>().wrapping_add(bytes - 1);
            // SAFETY: the last byte of a block of `bytes` bytes.
            unsafe { last.write(0xa5) };
        }
        block
    }
}

export!(Dirty);
