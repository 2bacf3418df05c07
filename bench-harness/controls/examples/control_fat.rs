//! A control that is fat: one block in `ARENABENCH_CONTROL_EVERY` (default 20) takes twice the memory
//! that was asked for, which is one twentieth more in all. It gives everything back.
//!
//! Must be caught by the memory figures, and by no verification.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static FAT: Pace = Pace::after(0, 20);

struct Fat;

impl Allocator for Fat {
    fn malloc(size: usize) -> *mut c_void {
        let times = if FAT.strikes() { 2 } else { 1 };
        // Touched, so that it is resident whatever the replay touches.
        let size = size.max(16);
        let block = glibc::malloc(size.saturating_mul(times));
        if times == 2 && !block.is_null() {
            // SAFETY: the block has twice `size` bytes.
            unsafe { block.wrapping_byte_add(size).cast::<u8>().write_bytes(0, size) };
        }
        block
    }
}

export!(Fat);
