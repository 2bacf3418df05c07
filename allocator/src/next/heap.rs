//! A classic heap as the allocator below another layer, such as the debug hooks.

use crate::geometry::Geometry;
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::source::ArenaSource;

// SAFETY: blocks are as in C, aligned to the geometry's alignment; zero is served as one byte.
unsafe impl<G, O, S, N> NextAllocator for ClassicHeap<G, O, S, N>
where
    G: Geometry,
    O: Ownership<G>,
    S: ArenaSource,
    N: NextAllocator,
{
    const NAME: &'static str = "classic";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        self.malloc(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        self.calloc(count, size)
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        self.aligned_alloc(align, size)
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { self.realloc(ptr, size) }
    }

    unsafe fn free(&mut self, ptr: *mut u8) {
        // SAFETY: forwarded to the caller.
        unsafe { self.free(ptr) };
    }

    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { self.usable_size(ptr) }
    }
}
