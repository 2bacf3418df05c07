//! Refilling: where a block comes from when its class has no used pool.
//!
//! In this order: an empty or never-cut pool of the fullest arena that has one; a new arena; null,
//! upon which the caller falls through to the next allocator. Nothing is changed by a refusal.

use core::ptr;

use crate::arena::Arena;
use crate::geometry::Geometry;
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::pool::{Block, Pool};
use crate::source::ArenaSource;

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> ClassicHeap<G, O, S, N> {
    /// A block of `class` from a pool that no class holds, or null when memory is refused.
    #[cold]
    #[inline(never)]
    pub(super) fn refill(&mut self, class: usize) -> *mut u8 {
        let Some(arena) = self.usable.head().or_else(|| self.new_arena()) else {
            return ptr::null_mut();
        };
        self.usable.head_loses_pool(arena);
        let pool = arena.take_pool::<G>(self.arenas.index_of(arena));
        let block = pool.open::<G>(class);
        self.used.push_front(class, pool);
        block.as_ptr()
    }

    /// Gives a pool whose free list ran dry one more block, or takes it out of its list: it is
    /// full. Returns `taken`, the block that was the last on the list.
    #[inline(never)]
    pub(super) fn extend(&mut self, class: usize, pool: Pool, taken: Block) -> *mut u8 {
        if !pool.carve_one::<G>(class) {
            self.used.pop_front(class, pool);
        }
        taken.as_ptr()
    }

    /// Maps an arena and makes it the only usable one. `None` when memory is refused.
    #[cold]
    fn new_arena(&mut self) -> Option<Arena> {
        let slot = self.map_arena()?;
        self.usable.start_with(slot);
        Some(slot)
    }

    /// Maps and marks an arena that is in no list yet. No arena is usable. `None` when memory is
    /// refused for the descriptors, the arena or the ownership tables.
    pub(crate) fn map_arena(&mut self) -> Option<Arena> {
        // The table may move here: no arena is usable, so no list holds a handle.
        let slot = self.arenas.vacant_slot(&mut self.next)?;
        let base = self.source.map(G::ARENA_BYTES);
        if base.is_null() {
            return None;
        }
        if !self.ownership.mark(base.addr(), &mut self.next) {
            // SAFETY: mapped above with this size, and nobody knows of it yet.
            unsafe { self.source.unmap(base, G::ARENA_BYTES) };
            return None;
        }
        if O::HEAD_BYTES > 0 {
            // SAFETY: fresh memory of an arena's size, which no pool uses yet.
            unsafe { self.ownership.stamp(base) };
        }
        self.arenas.add::<G>(slot, base, O::HEAD_BYTES);
        Some(slot)
    }
}
