//! The next allocator: what serves the requests that pools do not.
//!
//! Zero sizes, sizes above the threshold and small requests for which no pool can be had go there,
//! and so do `free` and `realloc` of foreign pointers. The heap's own tables (arena descriptors,
//! tree nodes) come from there too. [`SystemMalloc`](crate::SystemMalloc) is the C library's malloc.

pub(crate) mod glibc_malloc;
mod heap;
pub(crate) mod system_malloc;

/// The allocator below a heap, in the shape of C's malloc family.
///
/// # Safety
/// Blocks are as in C: at least as large as asked, aligned to 16 bytes (or as asked; those of a
/// classic heap to its geometry's alignment), the caller's
/// alone until freed, disjoint from all others. A size of zero is served as one byte, so that the
/// result is a distinct block. Null means refused. Nothing unwinds.
pub unsafe trait NextAllocator {
    /// Name in reports, such as `system`.
    const NAME: &'static str;

    /// A block of `size` bytes, or null.
    fn malloc(&mut self, size: usize) -> *mut u8;

    /// A zeroed block of `count * size` bytes, or null, also when the product overflows.
    fn calloc(&mut self, count: usize, size: usize) -> *mut u8;

    /// A block of `size` bytes aligned to `align`, a power of two, or null.
    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8;

    /// Resizes a block, moving it if need be. On null the old block is as it was.
    ///
    /// # Safety
    /// `ptr` is a live block of this allocator, dead after a result that is not null.
    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8;

    /// Frees a block.
    ///
    /// # Safety
    /// `ptr` is a live block of this allocator, dead afterwards.
    unsafe fn free(&mut self, ptr: *mut u8);

    /// Number of bytes of a block that may be used; at least what was asked for.
    ///
    /// # Safety
    /// `ptr` is a live block of this allocator.
    unsafe fn usable_size(&self, ptr: *mut u8) -> usize;
}
