//! The used pools: per size class a ring of the pools that have both live and free blocks.
//!
//! ```text
//! front[class] -> pool <-> pool <-> pool
//!                  ^------------------^      (next of the last is the first, and back)
//! ```
//!
//! `malloc` takes from the front. A pool that was full comes back to the front, so the pools at
//! the back fill up least and have the best chance to fall empty. A class without used pools has
//! an empty front; nothing but pools is linked, so an all-zero table is an empty one and a heap
//! can stand in `.bss`.
//!
//! Invariants:
//! * **I5** Ring c links exactly the pools of class c with 0 < live < capacity.
//! * **I6** For each pool p in a ring, `p.next.prev` = p and `p.prev.next` = p.
//!
//! The rings are pymalloc's `usedpools`, without its list heads that pose as pools.

use crate::arena::ArenaTable;
use crate::geometry::MAX_CLASSES;
use crate::pool::Pool;
use crate::size_class::SizeClasses;
use crate::validate::{Invariant, Violation};

/// The rings of a heap.
pub(crate) struct UsedPools {
    pub(crate) front: [Option<Pool>; MAX_CLASSES],
}

impl UsedPools {
    pub(crate) const EMPTY: Self = Self { front: [None; MAX_CLASSES] };

    /// The pool that serves `class` next.
    #[inline(always)]
    pub(crate) fn front(&self, class: usize) -> Option<Pool> {
        self.front[class]
    }

    /// Puts a pool that is in no list at the front of the ring of `class`.
    pub(crate) fn push_front(&mut self, class: usize, pool: Pool) {
        let (next, prev) = match self.front[class] {
            Some(front) => (front, front.prev.get().unwrap_or(front)),
            None => (pool, pool),
        };
        // In this order: in a ring of one, `next` and `prev` are the pool itself.
        pool.next.set(Some(next));
        pool.prev.set(Some(prev));
        next.prev.set(Some(pool));
        prev.next.set(Some(pool));
        self.front[class] = Some(pool);
    }

    /// Takes `pool` out of the ring of `class`.
    pub(crate) fn remove(&mut self, class: usize, pool: Pool) {
        // I6: both links of a pool in a ring are set.
        let next = pool.next.get().unwrap_or(pool);
        let prev = pool.prev.get().unwrap_or(pool);
        prev.next.set(Some(next));
        next.prev.set(Some(prev));
        if self.front[class] == Some(pool) {
            self.front[class] = if next == pool { None } else { Some(next) };
        }
    }

    /// Checks I5 and I6 against the number of used pools per class that the arenas hold.
    pub(crate) fn check<G: SizeClasses>(
        &self,
        arenas: &ArenaTable,
        used: &[usize; MAX_CLASSES],
    ) -> Result<(), Violation> {
        for (class, &count) in used.iter().enumerate() {
            let Some(front) = self.front[class] else {
                Invariant::RingMembers.holds(count == 0, class)?;
                continue;
            };
            let mut pool = front;
            // A ring with all links returned has no repetition, so counting it is enough to
            // know that it holds every used pool of the class.
            for position in 1.. {
                let known = arenas.holds_cut_pool::<G>(pool.addr());
                Invariant::RingMembers.holds(known && position <= count, pool.addr())?;
                let live = pool.live.get() as usize;
                let used_here =
                    pool.class.get() as usize == class && live > 0 && live < G::capacity(class);
                Invariant::RingMembers.holds(used_here, pool.addr())?;
                let next = pool.next.get().filter(|n| arenas.holds_cut_pool::<G>(n.addr()));
                let returned = next.is_some_and(|n| n.prev.get() == Some(pool));
                Invariant::RingLinks.holds(returned, pool.addr())?;
                pool = next.unwrap_or(front);
                if pool == front {
                    Invariant::RingMembers.holds(position == count, pool.addr())?;
                    break;
                }
            }
        }
        Ok(())
    }
}
