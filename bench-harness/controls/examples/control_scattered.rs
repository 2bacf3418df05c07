//! A control that looks at memory of its own in every malloc, at another line of a table each time. Nothing
//! else is wrong with it.
//!
//! Must be caught by the misses of the simulated caches: the table is never written to, so that it occupies no
//! memory, and the instructions are few.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Larger than a first-level cache.
const BYTES: usize = 1 << 18;
const LINE_BYTES: usize = 64;

struct Table(UnsafeCell<[u8; BYTES]>);

// SAFETY: nobody writes to it.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new([0; BYTES]));
static AT: AtomicUsize = AtomicUsize::new(0);

struct Scattered;

impl Allocator for Scattered {
    fn malloc(size: usize) -> *mut c_void {
        let at = AT.load(Relaxed);
        AT.store((at + LINE_BYTES) % BYTES, Relaxed);
        let table: *const u8 = TABLE.0.get().cast();
        // SAFETY: inside of the table.
        let _looked = unsafe { table.wrapping_add(at).read_volatile() };
        glibc::malloc(size)
    }
}

export!(Scattered);
