//! The recorder's functions, called as a program would, made safe by ownership of the block.

use std::ffi::c_void;
use std::ptr::null_mut;

/// A live block, or null. Dropping it leaks.
pub(super) struct Block(pub(super) *mut c_void);

// SAFETY: a block may be used and freed by any one thread.
unsafe impl Send for Block {}

impl Block {
    pub(super) const NULL: Self = Self(null_mut());

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(super) fn malloc(size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::malloc(size) })
    }

    pub(super) fn calloc(count: usize, size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::calloc(count, size) })
    }

    pub(super) fn memalign(align: usize, size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::memalign(align, size) })
    }

    pub(super) fn aligned_alloc(align: usize, size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::aligned_alloc(align, size) })
    }

    pub(super) fn posix_memalign(align: usize, size: usize) -> Self {
        let mut place = null_mut();
        // SAFETY: `place` is writable.
        let error = unsafe { crate::posix_memalign(&raw mut place, align, size) };
        assert_eq!(error != 0, place.is_null());
        Self(place)
    }

    pub(super) fn valloc(size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::valloc(size) })
    }

    pub(super) fn pvalloc(size: usize) -> Self {
        // SAFETY: has no obligations.
        Self(unsafe { crate::pvalloc(size) })
    }

    /// The block in its new size, or the old one when that cannot be had.
    pub(super) fn realloc(self, size: usize) -> Result<Self, Self> {
        // SAFETY: the block is live and given up.
        let new = Self(unsafe { crate::realloc(self.0, size) });
        if new.is_null() && size > 0 { Err(self) } else { Ok(new) }
    }

    /// Like [`Block::realloc`].
    pub(super) fn reallocarray(self, count: usize, size: usize) -> Result<Self, Self> {
        // SAFETY: the block is live and given up.
        let new = Self(unsafe { crate::reallocarray(self.0, count, size) });
        if new.is_null() { Err(self) } else { Ok(new) }
    }

    pub(super) fn free(self) {
        // SAFETY: the block is live and given up.
        unsafe { crate::free(self.0) };
    }
}
