//! The rest of the malloc family: calloc, aligned_alloc, realloc, usable_size.

use core::ptr;

use crate::geometry::{ForeignRealloc, Geometry};
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::pool::Pool;
use crate::size_class::SizeClasses;
use crate::source::ArenaSource;

/// Whether a block of `block_bytes` stays where it is when it is resized to `size` bytes: it must
/// fit, and must not waste a quarter or more of the block.
#[inline(always)]
fn stays(block_bytes: usize, size: usize) -> bool {
    // `size` is at most a block size here, so the product cannot overflow.
    size <= block_bytes && 4 * size > 3 * block_bytes
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> ClassicHeap<G, O, S, N> {
    /// A block of `count * size` bytes, all of them zero, or null when it is refused.
    ///
    /// Served like [`malloc`](Self::malloc). A product above `isize::MAX` is refused. Only the
    /// requested bytes are zeroed, not the rest of the block.
    #[inline]
    pub fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(total) = count.checked_mul(size).filter(|&total| total <= isize::MAX as usize)
        else {
            return ptr::null_mut();
        };
        let block = self.pool_malloc(total);
        if block.is_null() {
            return self.calloc_next(count, size);
        }
        // SAFETY: the block is fresh and at least `total` bytes long.
        unsafe { block.write_bytes(0, total) };
        block
    }

    #[inline(never)]
    pub(crate) fn calloc_next(&mut self, count: usize, size: usize) -> *mut u8 {
        let block = self.next.calloc(count, size);
        self.raw_blocks += i64::from(!block.is_null());
        block
    }

    /// A block of `size` bytes aligned to `align`, or null when it is refused.
    ///
    /// Alignments up to the geometry's are met by [`malloc`](Self::malloc); wider ones go to the
    /// next allocator, since pymalloc has no aligned allocation. Null if `align` is no power of
    /// two or `size` is above `isize::MAX`.
    pub fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        if !align.is_power_of_two() || size > isize::MAX as usize {
            return ptr::null_mut();
        }
        if align <= G::ALIGNMENT {
            return self.malloc(size);
        }
        let block = self.next.aligned_alloc(align, size);
        self.raw_blocks += i64::from(!block.is_null());
        block
    }

    /// Number of bytes that the caller may use in a block; at least what was asked for.
    ///
    /// The block size for a block of a pool, the next allocator's answer for a foreign one, 0 for
    /// null.
    ///
    /// # Safety
    /// `ptr` is null, a live block of this heap, or a live block of the next allocator.
    pub unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        if ptr.is_null() {
            return 0;
        }
        // SAFETY: forwarded to the caller.
        if unsafe { self.owns(ptr) } {
            // SAFETY: owned and live, hence in a cut pool.
            let pool = unsafe { Pool::of_block::<G>(ptr) };
            G::block_bytes(pool.class.get() as usize)
        } else {
            // SAFETY: not ours, hence a live block of the next allocator (caller).
            unsafe { self.next.usable_size(ptr) }
        }
    }

    /// Resizes a block, keeping the contents up to the smaller of the two sizes.
    ///
    /// A block of a pool stays in place iff the new size fits and is more than three quarters of
    /// the block; otherwise it moves, even within one class. A foreign block is resized by the next
    /// allocator and stays foreign, except where the geometry takes foreign blocks over. A size of
    /// zero gives a distinct block of one byte; null in gives [`malloc`](Self::malloc). On null out
    /// the old block is as it was; sizes above `isize::MAX` are refused. Cost: a copy.
    ///
    /// # Safety
    /// * `ptr` is null, a live block of this heap, or a live block of the next allocator.
    /// * It is dead after a result that is not null, unless that is the same pointer.
    pub unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        if ptr.is_null() {
            return self.malloc(size);
        }
        if size > isize::MAX as usize {
            return ptr::null_mut();
        }
        // SAFETY: forwarded to the caller.
        if !unsafe { self.owns(ptr) } {
            // SAFETY: not ours, hence a live block of the next allocator (caller).
            return unsafe { self.realloc_foreign(ptr, size) };
        }
        // SAFETY: owned and live, hence in a cut pool.
        let pool = unsafe { Pool::of_block::<G>(ptr) };
        let block_bytes = G::block_bytes(pool.class.get() as usize);
        if stays(block_bytes, size) {
            return ptr;
        }
        let moved = self.malloc(size);
        if !moved.is_null() {
            // SAFETY: both blocks are live and distinct, and at least as long as the smaller size.
            unsafe { ptr::copy_nonoverlapping(ptr, moved, block_bytes.min(size)) };
            // SAFETY: owned and live, dead from here on.
            unsafe { self.pool_free(ptr) };
        }
        moved
    }

    /// Resizes a block of the next allocator, which keeps it.
    ///
    /// # Safety
    /// `ptr` is a live block of the next allocator, dead after a result that is not null.
    pub(crate) unsafe fn realloc_next(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { self.next.realloc(ptr, size) }
    }

    /// Usable size of a block of the next allocator.
    ///
    /// # Safety
    /// `ptr` is a live block of the next allocator.
    pub(crate) unsafe fn next_usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { self.next.usable_size(ptr) }
    }

    /// # Safety
    /// `ptr` is a live block of the next allocator, dead after a result that is not null.
    unsafe fn realloc_foreign(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        match G::FOREIGN_REALLOC {
            ForeignRealloc::TakeOver if size <= G::THRESHOLD => {
                // SAFETY: forwarded to the caller.
                unsafe { self.take_over(ptr, size) }
            }
            // The count of raw blocks stays: one block before, one after.
            // SAFETY: forwarded to the caller.
            _ => unsafe { self.next.realloc(ptr, size) },
        }
    }

    /// Moves a foreign block into a pool. A size of zero is taken as one.
    ///
    /// # Safety
    /// As `realloc_foreign`.
    unsafe fn take_over(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        let moved = self.malloc(size.max(1));
        if moved.is_null() {
            // A shrink to nothing can always be met: by the block itself.
            return if size == 0 { ptr } else { moved };
        }
        // SAFETY: a live block of the next allocator (caller).
        let held = unsafe { self.next.usable_size(ptr) };
        // SAFETY: both blocks are live and distinct, and at least as long as the smaller size.
        unsafe { ptr::copy_nonoverlapping(ptr, moved, held.min(size)) };
        // SAFETY: a live block of the next allocator, dead from here on.
        unsafe { self.free_next(ptr) };
        moved
    }
}
