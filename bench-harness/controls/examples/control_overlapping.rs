//! A control that hands out the same memory twice: one block in `ARENABENCH_CONTROL_EVERY` (default
//! 500) of at most 1,024 bytes, and the next such block after it, overlap, the second beginning 16
//! bytes into the first. All can be freed, grown and measured like any other.
//!
//! Must be caught by `--verify` as an overlap, and would be by wrong contents.
//!
//! The memory of such twins is a reservation of its own, so that what the program writes into it
//! never harms glibc's structures and the run goes on to the end:
//! ```text
//! field, 4096 bytes:  0x000 first twin | 0x010 second twin | .. 0x800 | unused
//! ```
//! Fields are used in turn; the oldest comes round again after 4,096 others.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicUsize};

/// Largest request served twice, in bytes.
const LARGEST: usize = 1024;

/// How far the second twin begins behind the first, in bytes.
const OFFSET: usize = 16;

/// Bytes of a field, and fields of the reservation.
const FIELD_BYTES: usize = 4096;
const FIELDS: usize = 4096;

static STRIKE: Pace = Pace::one_in(500);

/// Second twin that waits for its request, or null.
static WAITING: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// The reservation, null until its first use.
static FIELD_0: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// The next field, or null when there is no memory for fields.
fn field() -> *mut c_void {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut start = FIELD_0.load(Acquire);
    if start.is_null() {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping where the kernel likes.
        let mapped = unsafe { libc::mmap(null_mut(), FIELDS * FIELD_BYTES, access, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return null_mut();
        }
        // A mapping that lost the race stays unused.
        start = match FIELD_0.compare_exchange(null_mut(), mapped, AcqRel, Acquire) {
            Ok(_) => mapped,
            Err(winner) => winner,
        };
    }
    start.wrapping_byte_add(NEXT.fetch_add(1, Relaxed) % FIELDS * FIELD_BYTES)
}

/// Whether `block` lies in a field.
fn is_twin(block: *mut c_void) -> bool {
    let start = FIELD_0.load(Acquire);
    !start.is_null() && block.addr().wrapping_sub(start.addr()) < FIELDS * FIELD_BYTES
}

struct Overlapping;

impl Allocator for Overlapping {
    fn malloc(size: usize) -> *mut c_void {
        if size > LARGEST {
            return glibc::malloc(size);
        }
        // A twin of fewer bytes than the offset would overlap nothing.
        if size > OFFSET && STRIKE.strikes() {
            let first = field();
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
        if !is_twin(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            return unsafe { glibc::realloc(block, size) };
        }
        if size == 0 {
            return null_mut();
        }
        let new = glibc::malloc(size);
        if !new.is_null() {
            // SAFETY: a field holds LARGEST bytes from either twin on, and `new` holds `size`.
            unsafe { copy_nonoverlapping(block.cast::<u8>(), new.cast(), size.min(LARGEST)) };
        }
        new
    }

    unsafe fn free(block: *mut c_void) {
        if !is_twin(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::free(block) };
        }
    }

    unsafe fn usable_size(block: *mut c_void) -> usize {
        if is_twin(block) {
            LARGEST
        } else {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::usable_size(block) }
        }
    }
}

export!(Overlapping);
