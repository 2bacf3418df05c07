//! The ownership lab: an ownership strategy with its arenas and nothing else, for measuring.
//!
//! ```text
//! ClassicHeap:   used lists   usable arenas   arena table   ownership   source
//!                 (empty)       (empty)        \___ what the lab works on ___/
//! ```
//!
//! The lab is a classic heap that hands out no block: arenas are mapped, marked and cut by the
//! heap's own code, and the question goes through [`ClassicHeap::owns`], so that what is measured
//! is what a heap asks. It also inherits the heap's compile-time checks: a strategy that is not safe
//! with the geometry does not compile.
//!
//! * **L1** No list of the heap holds an arena, so the table may grow at any time.
//!
//! The harness's command `arenabench ownership` is the caller.

use crate::geometry::Geometry;
use crate::heap::ClassicHeap;
use crate::next::system_malloc::SystemMalloc;
use crate::ownership::Ownership;
use crate::source::ArenaSource;

/// An ownership strategy `O` over arenas of geometry `G` from the source `S`.
///
/// ```
/// use arenite::{MmapSource, OwnershipLab, Python311, RadixTree};
///
/// let mut lab = Box::new(OwnershipLab::<Python311, RadixTree, _>::new(MmapSource));
/// let base = lab.add_arena(2).expect("memory for one arena");
/// let foreign = 0_u64;
/// // SAFETY: the radix tree reads nothing on behalf of an address.
/// unsafe {
///     assert!(lab.owns(base.wrapping_add(32 << 10)));
///     assert!(!lab.owns((&raw const foreign).cast_mut().cast()));
/// }
/// ```
///
/// An unsafe combination is refused as in a heap:
///
/// ```compile_fail,E0080
/// use arenite::{ArenaIndex, MmapSource, OwnershipLab, Python311};
/// let lab = OwnershipLab::<Python311, ArenaIndex<3>, _>::new(MmapSource);
/// ```
pub struct OwnershipLab<G: Geometry, O: Ownership<G>, S: ArenaSource> {
    heap: ClassicHeap<G, O, S, SystemMalloc>,
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource> OwnershipLab<G, O, S> {
    /// A lab without arenas.
    #[must_use]
    pub const fn new(source: S) -> Self {
        Self { heap: ClassicHeap::new(source, SystemMalloc) }
    }

    /// Maps one more arena, marks it and cuts its first `cut_pools` pools, or as many as it has, so
    /// that their headers are truthful. Pools follow each other from the first multiple of
    /// `POOL_BYTES` in the arena. With 0 the arena's memory is not touched.
    ///
    /// Returns the arena's base; `None` when memory is refused.
    pub fn add_arena(&mut self, cut_pools: usize) -> Option<*mut u8> {
        // L1 is what `map_arena` asks for.
        let arena = self.heap.map_arena()?;
        let index = self.heap.arenas.index_of(arena);
        for _ in 0..cut_pools.min(arena.free_pools.get() as usize) {
            let _pool = arena.take_pool::<G>(index);
        }
        Some(arena.base.get())
    }

    /// Whether `ptr` lies in an arena of the lab.
    ///
    /// # Safety
    /// As [`Ownership::owns`] of the strategy says.
    #[inline(always)]
    pub unsafe fn owns(&self, ptr: *mut u8) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { self.heap.owns(ptr) }
    }
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource> Drop for OwnershipLab<G, O, S> {
    /// Gives every arena and table back.
    fn drop(&mut self) {
        // SAFETY: the lab hands out no block, and nobody else knows of its pools.
        unsafe { self.heap.give_back() };
    }
}

/// Arenas that do not exist: addresses, one after the other, behind which there is no memory.
///
/// For a lab with more arenas than memory can be mapped for. A strategy that reads nothing on
/// behalf of an address cannot tell them from mapped ones.
#[derive(Debug)]
pub struct MadeUpSource {
    next: usize,
}

impl MadeUpSource {
    /// Arenas from the address `start` upwards.
    ///
    /// # Safety
    /// * The source serves an [`OwnershipLab`] whose arenas are added with no cut pool.
    /// * The lab's strategy reads nothing on behalf of an address, and writes to no arena.
    #[must_use]
    pub const unsafe fn new(start: usize) -> Self {
        Self { next: start }
    }
}

// SAFETY: nobody touches the arenas (caller of `new`), so that it does not matter that there is no
// memory behind them; the addresses are handed out once each.
unsafe impl ArenaSource for MadeUpSource {
    const NAME: &'static str = "made-up";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let base = self.next;
        match base.checked_add(bytes) {
            Some(end) => self.next = end,
            None => return core::ptr::null_mut(),
        }
        core::ptr::without_provenance_mut(base)
    }

    unsafe fn unmap(&mut self, _base: *mut u8, _bytes: usize) {}
}
