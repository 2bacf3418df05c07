//! A control that is sound on one thread and hands the same memory to two: one block in
//! `ARENABENCH_CONTROL_EVERY` (default 200) of at most 1,024 bytes is kept in mind, and the next such
//! request of another thread gets the same block again, as if two threads had taken it off an
//! unguarded list.
//!
//! Must be caught by `--verify` as an overlap when threads are replayed as threads, and passes when
//! they are flattened into one.
//!
//! The memory of such blocks is a reservation of its own, so that what is freed twice harms nobody:
//! ```text
//! field, 1024 bytes, used in turn; the oldest comes round again after 16,384 others
//! ```

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

/// Largest request served twice, in bytes, and bytes of a field.
const LARGEST: usize = 1024;
const FIELDS: usize = 16_384;

static STRIKE: Pace = Pace::one_in(200);

/// The field that waits for a second taker, or null, and the thread that has it already.
static WAITING: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static TAKER: AtomicU64 = AtomicU64::new(0);

/// The reservation, null until its first use.
static FIELD_0: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// A number that no other running thread has.
fn thread() -> u64 {
    // SAFETY: has no obligations.
    unsafe { libc::pthread_self() }
}

/// The next field, or null when there is no memory for fields.
fn field() -> *mut c_void {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut start = FIELD_0.load(Acquire);
    if start.is_null() {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping where the kernel likes.
        let mapped = unsafe { libc::mmap(null_mut(), FIELDS * LARGEST, access, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return null_mut();
        }
        // A mapping that lost the race stays unused.
        start = match FIELD_0.compare_exchange(null_mut(), mapped, AcqRel, Acquire) {
            Ok(_) => mapped,
            Err(winner) => winner,
        };
    }
    start.wrapping_byte_add(NEXT.fetch_add(1, Relaxed) % FIELDS * LARGEST)
}

fn is_field(block: *mut c_void) -> bool {
    let start = FIELD_0.load(Acquire);
    !start.is_null() && block.addr().wrapping_sub(start.addr()) < FIELDS * LARGEST
}

struct Racing;

impl Allocator for Racing {
    fn malloc(size: usize) -> *mut c_void {
        if size > LARGEST {
            return glibc::malloc(size);
        }
        if STRIKE.strikes() {
            let block = field();
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
        if !is_field(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            return unsafe { glibc::realloc(block, size) };
        }
        if size == 0 {
            return null_mut();
        }
        let new = glibc::malloc(size);
        if !new.is_null() {
            // SAFETY: a field holds LARGEST bytes, and `new` holds `size`.
            unsafe { copy_nonoverlapping(block.cast::<u8>(), new.cast(), size.min(LARGEST)) };
        }
        new
    }

    unsafe fn free(block: *mut c_void) {
        if !is_field(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::free(block) };
        }
    }

    unsafe fn usable_size(block: *mut c_void) -> usize {
        if is_field(block) {
            LARGEST
        } else {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::usable_size(block) }
        }
    }
}

export!(Racing);
