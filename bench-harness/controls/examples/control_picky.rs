//! A control that needs four calls to fail: once a malloc'ed block of a marked size, which leaves
//! [`REST`] over [`MODULUS`], has been freed, a realloc of another block to a marked size that leaves
//! more than 64 bytes in place clears the second half of them.
//!
//! Must be caught by `--verify` as a fault of the realloc prefix, and cut down to the few calls that
//! matter by `trace reduce`.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;
use core::ptr::write_bytes;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicUsize};

/// Sizes that the process around the replay does not ask for.
const MODULUS: usize = 257;
const REST: usize = 131;

/// Address of the last block of a marked size.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// Whether such a block has been freed.
static ARMED: AtomicBool = AtomicBool::new(false);

fn is_marked(size: usize) -> bool {
    size % MODULUS == REST
}

struct Picky;

impl Allocator for Picky {
    fn malloc(size: usize) -> *mut c_void {
        let block = glibc::malloc(size);
        if is_marked(size) {
            LAST.store(block.addr(), Relaxed);
        }
        block
    }

    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        let kept = unsafe { glibc::usable_size(block) }.min(size);
        // SAFETY: the caller's promise.
        let block = unsafe { glibc::realloc(block, size) };
        if !block.is_null() && kept > 64 && is_marked(size) && ARMED.load(Relaxed) {
            let half = block.cast::<u8>().wrapping_add(kept / 2);
            // SAFETY: the second half of `kept` bytes, which the block holds.
            unsafe { write_bytes(half, 0, kept - kept / 2) };
        }
        block
    }

    unsafe fn free(block: *mut c_void) {
        if !block.is_null() && block.addr() == LAST.load(Relaxed) {
            ARMED.store(true, Relaxed);
        }
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }
}

export!(Picky);
