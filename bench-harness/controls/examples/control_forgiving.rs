//! A control that passes over a second free of the block that was freed last.
//!
//! Caught by seeded bugs: glibc's malloc ends such a program, and says why.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::SeqCst};

/// The block that was freed last, unless it was handed out again.
static LAST: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

struct Forgiving;

/// Notes that a block is handed out.
fn handed_out(block: *mut c_void) -> *mut c_void {
    // Where it is another one there is nothing to note.
    let _ = LAST.compare_exchange(block, ptr::null_mut(), SeqCst, SeqCst);
    block
}

impl Allocator for Forgiving {
    fn malloc(size: usize) -> *mut c_void {
        handed_out(glibc::malloc(size))
    }

    unsafe fn free(block: *mut c_void) {
        // Noted first: once it is freed another thread may have it again.
        if block.is_null() || LAST.swap(block, SeqCst) != block {
            // SAFETY: the caller's promise.
            unsafe { glibc::free(block) };
        }
    }

    fn calloc(count: usize, size: usize) -> *mut c_void {
        handed_out(glibc::calloc(count, size))
    }

    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        handed_out(unsafe { glibc::realloc(block, size) })
    }

    fn memalign(align: usize, size: usize) -> *mut c_void {
        handed_out(glibc::memalign(align, size))
    }
}

export!(Forgiving);
