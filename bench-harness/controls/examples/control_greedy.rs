//! A control that maps a GiB to be written to before its first block, and does without it where it is refused,
//! as it does without any block then. Nothing else is wrong with it.
//!
//! Must be caught by the C contract, which starts programs in little memory and looks at what they have of it;
//! what nobody writes to is in no figure of resident memory.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

const BYTES: usize = 1 << 30;

static RESERVE: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

#[cold]
fn reserve() {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new memory at an address of the kernel's choice.
    RESERVE.store(unsafe { libc::mmap(null_mut(), BYTES, access, kind, -1, 0) }, Relaxed);
}

struct Greedy;

impl Allocator for Greedy {
    fn malloc(size: usize) -> *mut c_void {
        if RESERVE.load(Relaxed).is_null() {
            reserve();
        }
        if RESERVE.load(Relaxed) == libc::MAP_FAILED { null_mut() } else { glibc::malloc(size) }
    }
}

export!(Greedy);
