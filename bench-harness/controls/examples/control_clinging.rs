//! A control that keeps all of a block that shrinks.
//!
//! Caught by peak memory, where large blocks shrink and more are asked for: `phase-churn` in the gate.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;

struct Clinging;

impl Allocator for Clinging {
    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        let holds = if block.is_null() { 0 } else { unsafe { glibc::usable_size(block) } };
        if size > 0 && size <= holds {
            return block;
        }
        // SAFETY: the caller's promise.
        unsafe { glibc::realloc(block, size) }
    }
}

export!(Clinging);
