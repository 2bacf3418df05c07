//! A control that ignores alignment: one block in `ARENABENCH_CONTROL_EVERY` (default 97) of at
//! most 512 bytes lies 8 bytes off the alignment asked for, 16 for plain malloc. It can be freed,
//! grown and measured like any other.
//!
//! Must be caught by `--verify` as a fault of alignment.
//!
//! Invariant: an address is 8 off a multiple of 16 iff it is one of the blocks off alignment, with
//! glibc's block 8 bytes below; glibc's own addresses are multiples of 16.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::null_mut;

/// How far off the alignment blocks are, in bytes.
const OFFSET: usize = 8;

/// Largest request served off alignment, in bytes.
const LARGEST: usize = 512;

static SHIFT: Pace = Pace::one_in(97);

/// Whether `block` is one of ours, by the invariant.
fn is_shifted(block: *mut c_void) -> bool {
    block.addr() % 16 == OFFSET
}

/// The address off alignment in a block of glibc's that is [`OFFSET`] larger than asked for.
fn shift(block: *mut c_void) -> *mut c_void {
    if block.is_null() { block } else { block.wrapping_byte_add(OFFSET) }
}

/// glibc's block behind one of ours.
fn unshift(block: *mut c_void) -> *mut c_void {
    block.wrapping_byte_sub(OFFSET)
}

struct Misaligned;

impl Allocator for Misaligned {
    fn malloc(size: usize) -> *mut c_void {
        if size <= LARGEST && SHIFT.strikes() {
            shift(glibc::malloc(size + OFFSET))
        } else {
            glibc::malloc(size)
        }
    }

    fn memalign(align: usize, size: usize) -> *mut c_void {
        // glibc's own address must be a multiple of 16 for the invariant's sake.
        let align = align.max(16);
        if size <= LARGEST && SHIFT.strikes() {
            shift(glibc::memalign(align, size + OFFSET))
        } else {
            glibc::memalign(align, size)
        }
    }

    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        if !is_shifted(block) {
            // SAFETY: the caller's promise: a block of glibc's, by the invariant.
            return unsafe { glibc::realloc(block, size) };
        }
        if size == 0 {
            // SAFETY: the caller's promise.
            unsafe { Self::free(block) };
            return null_mut();
        }
        // SAFETY: the caller's promise and the invariant.
        shift(unsafe { glibc::realloc(unshift(block), size.saturating_add(OFFSET)) })
    }

    unsafe fn free(block: *mut c_void) {
        let block = if is_shifted(block) { unshift(block) } else { block };
        // SAFETY: the caller's promise and the invariant.
        unsafe { glibc::free(block) };
    }

    unsafe fn usable_size(block: *mut c_void) -> usize {
        if is_shifted(block) {
            // SAFETY: the caller's promise and the invariant.
            unsafe { glibc::usable_size(unshift(block)) - OFFSET }
        } else {
            // SAFETY: the caller's promise.
            unsafe { glibc::usable_size(block) }
        }
    }
}

export!(Misaligned);
