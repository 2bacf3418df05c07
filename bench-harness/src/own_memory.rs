//! The harness's own memory. No subject serves it: a preloaded library takes the place of the system's
//! malloc, and a broken one must not break what finds it out.

use std::alloc::{GlobalAlloc, Layout};

use dlmalloc::GlobalDlmalloc;

/// dlmalloc behind calls that are not inlined.
///
/// To the compiler a fresh block is an object of its own, with nothing in front of it. dlmalloc keeps a
/// header there. Where birth and death of a block are both inlined into one function, the compiler may
/// take the read of that header for a read of nothing.
pub(crate) struct OwnMemory;

// SAFETY: dlmalloc's own implementation, called with what the caller gave.
unsafe impl GlobalAlloc for OwnMemory {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.dealloc(block, layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.realloc(block, layout, bytes) }
    }
}
