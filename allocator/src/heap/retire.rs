//! Retiring: what happens when a pool stops being full or falls empty.

use crate::arena::Arena;
use crate::geometry::{Geometry, MAX_CLASSES};
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::pool::Pool;
use crate::source::ArenaSource;
use crate::usable_arenas::{Fate, UsableArenas};
use crate::used_pools::UsedPools;

const _: () = assert!(MAX_CLASSES <= 0xffff, "UNBORN_CLASS must name no class");

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> ClassicHeap<G, O, S, N> {
    /// full -> used: the pool got a block back. It goes to the front of its class.
    #[inline(never)]
    pub(super) fn reopen(&mut self, pool: Pool) {
        self.used.push_front(pool.class.get() as usize, pool);
    }

    /// used -> empty: the pool's last block came back. It goes to its arena, which may go back to
    /// the source.
    #[inline(never)]
    pub(super) fn retire(&mut self, pool: Pool) {
        self.used.remove(pool.class.get() as usize, pool);
        // SAFETY: the pool names its arena (I1), which has a slot.
        let arena = unsafe { self.arenas.slot_unchecked(pool.arena.get()) };
        pool.next.set(arena.empty.get());
        arena.empty.set(Some(pool));
        if self.usable.gain_pool(arena, G::RELEASE) == Fate::Released {
            self.unmap_arena(arena);
        }
    }

    /// Gives back an arena that is in no list and has no live block.
    fn unmap_arena(&mut self, arena: Arena) {
        self.ownership.unmark(arena.base.get().addr());
        let base = self.arenas.remove(arena);
        if O::HEAD_BYTES > 0 {
            // SAFETY: the arena is still mapped, and its head is the strategy's.
            unsafe { self.ownership.erase(base) };
        }
        // SAFETY: mapped in `new_arena` with this size; no pool of it is in use or in a list.
        unsafe { self.source.unmap(base, G::ARENA_BYTES) };
    }

    /// Gives all memory back, blocks that still live included, and leaves an empty heap.
    ///
    /// Blocks that the next allocator served stay as they are. The counts of arenas and raw blocks
    /// start again at zero.
    ///
    /// # Safety
    /// No block that came from a pool of this heap is used any more.
    pub unsafe fn give_back(&mut self) {
        self.used = UsedPools::EMPTY;
        self.usable = UsableArenas::EMPTY;
        for index in 0..self.arenas.slots() {
            // SAFETY: below the number of slots.
            let arena = unsafe { self.arenas.slot_unchecked(index) };
            if !arena.base.get().is_null() {
                self.unmap_arena(arena);
            }
        }
        self.ownership.give_back(&mut self.next);
        self.arenas.give_back(&mut self.next);
        self.raw_blocks = 0;
    }
}
