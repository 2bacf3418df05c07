//! A control whose refusals leave no `ENOMEM` in errno.
//!
//! Caught by the C contract, which asks for more than there is; no workload does.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;

struct Mute;

/// Makes a call that leaves errno as it was.
fn silently(call: impl FnOnce() -> *mut c_void) -> *mut c_void {
    // SAFETY: has no obligations.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the calling thread's errno, which is read and written before and behind the call alone.
    let errno = unsafe { &mut *place };
    let before = *errno;
    let block = call();
    *errno = before;
    block
}

impl Allocator for Mute {
    fn malloc(size: usize) -> *mut c_void {
        silently(|| glibc::malloc(size))
    }

    fn calloc(count: usize, size: usize) -> *mut c_void {
        silently(|| glibc::calloc(count, size))
    }
}

export!(Mute);
