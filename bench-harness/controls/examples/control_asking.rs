//! A control that asks the kernel for the number of the process's parent in one of `ARENABENCH_CONTROL_EVERY` calls of malloc
//! (default 100). Nothing else is wrong with it.
//!
//! Must be caught by the number of system calls: what a call of the kernel takes is in no instruction of the
//! program.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Pace, export, glibc};
use core::ffi::c_void;

static PACE: Pace = Pace::one_in(100);

#[cold]
fn ask() {
    // SAFETY: has no obligations.
    unsafe { libc::syscall(libc::SYS_getppid) };
}

struct Asking;

impl Allocator for Asking {
    fn malloc(size: usize) -> *mut c_void {
        if PACE.strikes() {
            ask();
        }
        glibc::malloc(size)
    }
}

export!(Asking);
