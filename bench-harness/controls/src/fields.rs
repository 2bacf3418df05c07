//! Memory for blocks that are handed out twice: a reservation of its own, so that what the program
//! writes into them, and frees twice, never harms glibc's structures and the run goes on to the end.
//!
//! Fields are used in turn; the oldest comes round again after all others.

use core::ffi::c_void;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicUsize};

use crate::glibc;

/// `COUNT` fields of `BYTES` bytes, for blocks of at most `LARGEST` bytes wherever in a field they
/// begin.
pub struct Fields<const BYTES: usize, const COUNT: usize, const LARGEST: usize> {
    /// Null until the first use.
    start: AtomicPtr<c_void>,
    next: AtomicUsize,
}

impl<const BYTES: usize, const COUNT: usize, const LARGEST: usize> Fields<BYTES, COUNT, LARGEST> {
    /// No memory yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in statics alone")]
    pub const fn new() -> Self {
        assert!(LARGEST <= BYTES);
        Self { start: AtomicPtr::new(null_mut()), next: AtomicUsize::new(0) }
    }

    /// The next field, or null when there is no memory for fields.
    pub fn take(&self) -> *mut c_void {
        let mut start = self.start.load(Acquire);
        if start.is_null() {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a new mapping where the kernel likes.
            let mapped = unsafe { libc::mmap(null_mut(), COUNT * BYTES, access, flags, -1, 0) };
            if mapped == libc::MAP_FAILED {
                return null_mut();
            }
            // A mapping that lost the race stays unused.
            start = match self.start.compare_exchange(null_mut(), mapped, AcqRel, Acquire) {
                Ok(_) => mapped,
                Err(winner) => winner,
            };
        }
        start.wrapping_byte_add(self.next.fetch_add(1, Relaxed) % COUNT * BYTES)
    }

    fn holds(&self, block: *mut c_void) -> bool {
        let start = self.start.load(Acquire);
        !start.is_null() && block.addr().wrapping_sub(start.addr()) < COUNT * BYTES
    }

    /// `realloc` of a block in a field, which moves to glibc's heap, or of one of glibc's.
    ///
    /// # Safety
    /// `block` is one of the two.
    pub unsafe fn realloc(&self, block: *mut c_void, size: usize) -> *mut c_void {
        if !self.holds(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            return unsafe { glibc::realloc(block, size) };
        }
        if size == 0 {
            return null_mut();
        }
        let new = glibc::malloc(size);
        if !new.is_null() {
            // SAFETY: from a block on a field holds LARGEST bytes, and `new` holds `size`.
            unsafe { copy_nonoverlapping(block.cast::<u8>(), new.cast(), size.min(LARGEST)) };
        }
        new
    }

    /// `free` of a block in a field, which does nothing, or of one of glibc's.
    ///
    /// # Safety
    /// `block` is one of the two.
    pub unsafe fn free(&self, block: *mut c_void) {
        if !self.holds(block) {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::free(block) };
        }
    }

    /// Usable size of a block in a field, or of one of glibc's.
    ///
    /// # Safety
    /// `block` is one of the two.
    pub unsafe fn usable_size(&self, block: *mut c_void) -> usize {
        if self.holds(block) {
            LARGEST
        } else {
            // SAFETY: the caller's promise: a block of glibc's.
            unsafe { glibc::usable_size(block) }
        }
    }
}
