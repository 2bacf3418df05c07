//! A control that is sound on one thread and hands the same memory to two: one block in
//! `ARENABENCH_CONTROL_EVERY` (default 200) of at most 1,024 bytes is kept in mind, and the next such
//! request of another thread gets the same block again, as if two threads had taken it off an
//! unguarded list.
//!
//! Must be caught by `--verify` as an overlap when threads are replayed as threads, and passes when
//! they are flattened into one.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Fields, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU64};

/// Largest request served twice, in bytes, and bytes of a field.
const LARGEST: usize = 1024;

static STRIKE: Pace = Pace::one_in(200);

/// The field that waits for a second taker, or null, and the thread that has it already.
static WAITING: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static TAKER: AtomicU64 = AtomicU64::new(0);

/// The blocks that are handed out twice.
static FIELDS: Fields<LARGEST, 16_384, LARGEST> = Fields::new();

/// A number that no other running thread has.
fn thread() -> u64 {
    // SAFETY: has no obligations.
    unsafe { libc::pthread_self() }
}

struct Racing;

impl Allocator for Racing {
    fn malloc(size: usize) -> *mut c_void {
        if size > LARGEST {
            return glibc::malloc(size);
        }
        if STRIKE.strikes() {
            let block = FIELDS.take();
            if !block.is_null() {
                TAKER.store(thread(), Relaxed);
                WAITING.store(block, Relaxed);
                return block;
            }
        }
        if !WAITING.load(Relaxed).is_null() && TAKER.load(Relaxed) != thread() {
            let block = WAITING.swap(null_mut(), Relaxed);
            if !block.is_null() {
                return block;
            }
        }
        glibc::malloc(size)
    }

    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise: a block of a field or of glibc's.
        unsafe { FIELDS.realloc(block, size) }
    }

    unsafe fn free(block: *mut c_void) {
        // SAFETY: as in `realloc`.
        unsafe { FIELDS.free(block) };
    }

    unsafe fn usable_size(block: *mut c_void) -> usize {
        // SAFETY: as in `realloc`.
        unsafe { FIELDS.usable_size(block) }
    }
}

export!(Racing);
