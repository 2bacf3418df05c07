//! The arena index asked for from a function of its own.
//!
//! CPython's builds for memory debuggers (2.4 to 3.5) moved the test out of `free` and `realloc`, so
//! that what a tool reports of it stands under one frame, and one suppression covers all of it. The
//! loads are the same, and so are the errors. Promises, reach and bounds are those of the 3-clause
//! [`ArenaIndex`](crate::ArenaIndex); what differs is the price of a call.

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::ownership::arena_index::{OS_PAGE_BYTES, index_at, is_in_arena};
use crate::validate::Violation;

/// The 3-clause arena index, out of line: every report names `arenite_address_in_range`.
///
/// *Foreign pointers*: as [`ArenaIndex`](crate::ArenaIndex): right for mapped memory, and unmapped
/// memory faults. *Pool size*: at most an OS page; larger pools do not compile:
///
/// ```compile_fail,E0080
/// use arenite::{ArenaIndexDebugger, ClassicHeap, MmapSource, Python311, SystemMalloc};
/// type Heap = ClassicHeap<Python311, ArenaIndexDebugger, MmapSource, SystemMalloc>; // 16 KiB pools
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ArenaIndexDebugger(());

/// The frame that suppressions name. Not generic: one symbol for all heaps.
///
/// # Safety
/// As for `index_at`.
#[inline(never)]
unsafe fn arenite_address_in_range(
    ptr: *mut u8,
    arenas: &ArenaTable,
    pool_bytes: usize,
    arena_bytes: usize,
) -> bool {
    // SAFETY: forwarded to the caller.
    let index = unsafe { index_at(ptr, pool_bytes) };
    is_in_arena::<3>(ptr.addr(), index, arenas, arena_bytes)
}

// SAFETY: the answers are those of the 3-clause `ArenaIndex`.
unsafe impl<G: Geometry> Ownership<G> for ArenaIndexDebugger {
    const NAME: &'static str = "arena-index-debugger";
    const MAX_POOL_BYTES: usize = OS_PAGE_BYTES;
    const NEW: Self = Self(());

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// `ptr` is null or points into memory that is mapped readable.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: the header of a pool no larger than an OS page lies in the page of `ptr`.
        unsafe { arenite_address_in_range(ptr, arenas, G::POOL_BYTES, G::ARENA_BYTES) }
    }

    fn mark<N: NextAllocator>(&mut self, _base: usize, _next: &mut N) -> bool {
        true
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {}

    /// Nothing is recorded outside of the pool headers, which I1 covers.
    fn check(&self, _arenas: &ArenaTable) -> Result<(), Violation> {
        Ok(())
    }
}
