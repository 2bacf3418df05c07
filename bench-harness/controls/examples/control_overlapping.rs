//! A control that hands out the same memory twice: one block in `ARENABENCH_CONTROL_EVERY` (default
//! 500) of at most 1,024 bytes, and the next such block after it, overlap, the second beginning 16
//! bytes into the first. All can be freed, grown and measured like any other.
//!
//! Must be caught by `--verify` as an overlap, and would be by wrong contents.
//!
//! ```text
//! field, 4096 bytes:  0x000 first twin | 0x010 second twin | .. 0x800 | unused
//! ```

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Fields, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::Relaxed;

/// Largest request served twice, in bytes.
const LARGEST: usize = 1024;

/// How far the second twin begins behind the first, in bytes.
const OFFSET: usize = 16;

static STRIKE: Pace = Pace::one_in(500);

/// Second twin that waits for its request, or null.
static WAITING: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// The blocks that are handed out twice.
static FIELDS: Fields<4096, 4096, LARGEST> = Fields::new();

struct Overlapping;

impl Allocator for Overlapping {
    fn malloc(size: usize) -> *mut c_void {
        if size > LARGEST {
            return glibc::malloc(size);
        }
        // A twin of fewer bytes than the offset would overlap nothing.
        if size > OFFSET && STRIKE.strikes() {
            let first = FIELDS.take();
            if !first.is_null() {
                WAITING.store(first.wrapping_byte_add(OFFSET), Relaxed);
                return first;
            }
        }
        if !WAITING.load(Relaxed).is_null() {
            let second = WAITING.swap(null_mut(), Relaxed);
            if !second.is_null() {
                return second;
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

export!(Overlapping);
