//! A control whose memory moves: after the first calls it takes, and touches, as many OS pages as the
//! process's number says, between 1 and 1021. Nothing else is wrong with it.
//!
//! Must be caught by memory over time, which is read in two processes and has to be the same in both.
//! No verification sees it.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

/// Once in practice: calls between two strikes are more than a replay makes.
static TAKE: Pace = Pace::one_in(1 << 40);

const PAGE_BYTES: usize = 4096;

#[cold]
fn take() {
    // SAFETY: getpid has no preconditions.
    let process = unsafe { libc::getpid() };
    let bytes = (1 + process as usize % 1021) * PAGE_BYTES;
    let block = glibc::malloc(bytes).cast::<u8>();
    if block.is_null() {
        return;
    }
    for at in (0..bytes).step_by(PAGE_BYTES) {
        // SAFETY: `at` lies inside the block.
        let byte = unsafe { block.add(at) };
        // SAFETY: as above; the block is this function's own.
        unsafe { byte.write_volatile(1) };
    }
}

struct Wavering;

impl Allocator for Wavering {
    fn malloc(size: usize) -> *mut c_void {
        if TAKE.strikes() {
            take();
        }
        glibc::malloc(size)
    }
}

export!(Wavering);
