//! A control that gives memory back to the kernel and asks for it again at once: an OS page of its own in one
//! of `ARENABENCH_CONTROL_EVERY` calls of malloc (default 1,000). Nothing else is wrong with it.
//!
//! Must be caught by the page faults of later passes: neither the peak of memory nor what is left of it
//! tells, and the instructions are the kernel's.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::cell::UnsafeCell;
use core::ffi::c_void;

const PAGE_BYTES: usize = 4096;

#[repr(align(4096))]
struct Page(UnsafeCell<[u8; PAGE_BYTES]>);

// SAFETY: it is written to with one value, and read by nobody.
unsafe impl Sync for Page {}

static PACE: Pace = Pace::one_in(1_000);
static PAGE: Page = Page(UnsafeCell::new([0; PAGE_BYTES]));

#[cold]
fn refault() {
    let page: *mut u8 = PAGE.0.get().cast();
    // SAFETY: a page of this library's own.
    let _refused = unsafe { libc::madvise(page.cast(), PAGE_BYTES, libc::MADV_DONTNEED) };
    // SAFETY: as above.
    unsafe { page.write_volatile(1) };
}

struct Refaulting;

impl Allocator for Refaulting {
    fn malloc(size: usize) -> *mut c_void {
        if PACE.strikes() {
            refault();
        }
        glibc::malloc(size)
    }
}

export!(Refaulting);
