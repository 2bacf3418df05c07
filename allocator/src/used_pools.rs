//! The used pools: per size class a list of the pools that have both live and free blocks.
//!
//! ```text
//! front[class] -> pool <-> pool <-> pool -> none
//! ```
//!
//! `malloc` takes from the front. A pool that was full comes back to the front, so the pools at
//! the back fill up least and have the best chance to fall empty. Of a pool's two links, `next` is
//! always true and `prev` has no meaning at the front: a pool that fills up is always the front one,
//! and leaves by one load and one store. Under random churn nearly every pool of a class is full,
//! each free reopens one and each malloc fills it again, so this is a hot path.
//!
//! An all-zero table is an empty one, so that a heap can stand in `.bss`.
//!
//! Invariants:
//! * **I5** List c links exactly the pools of class c with 0 < live < capacity.
//! * **I6** For each pool p in a list that has a next one, `p.next.prev` = p.
//!
//! The lists are pymalloc's `usedpools`, without its circles and list heads that pose as pools.

use crate::arena::ArenaTable;
use crate::geometry::MAX_CLASSES;
use crate::pool::Pool;
use crate::size_class::SizeClasses;
use crate::validate::{Invariant, Violation};

const _: () = assert!(MAX_CLASSES.is_power_of_two(), "`slot` masks");

/// The used lists of a heap.
pub(crate) struct UsedPools {
    pub(crate) fronts: [Option<Pool>; MAX_CLASSES],
}

impl UsedPools {
    pub(crate) const EMPTY: Self = Self { fronts: [None; MAX_CLASSES] };

    /// The pool that serves `class` next.
    #[inline(always)]
    pub(crate) fn front(&self, class: usize) -> Option<Pool> {
        self.fronts[slot(class)]
    }

    /// Puts a pool that is in no list at the front of `class`.
    #[inline(always)]
    pub(crate) fn push_front(&mut self, class: usize, pool: Pool) {
        let front = &mut self.fronts[slot(class)];
        pool.next.set(*front);
        if let Some(second) = front.replace(pool) {
            second.prev.set(Some(pool));
        }
    }

    /// Takes the front pool of `class`, which is `pool`, out of the list.
    #[inline(always)]
    pub(crate) fn pop_front(&mut self, class: usize, pool: Pool) {
        self.fronts[slot(class)] = pool.next.get();
    }

    /// Takes `pool` out of the list of `class`, wherever it stands.
    pub(crate) fn remove(&mut self, class: usize, pool: Pool) {
        if self.front(class) == Some(pool) {
            self.pop_front(class, pool);
            return;
        }
        let (prev, next) = (pool.prev.get(), pool.next.get());
        if let Some(prev) = prev {
            prev.next.set(next);
        }
        if let Some(next) = next {
            next.prev.set(prev);
        }
    }

    /// Checks I5 and I6 against the number of used pools per class that the arenas hold.
    pub(crate) fn check<G: SizeClasses>(
        &self,
        arenas: &ArenaTable,
        used: &[usize; MAX_CLASSES],
    ) -> Result<(), Violation> {
        for (class, (front, &count)) in self.fronts.iter().zip(used).enumerate() {
            let mut length = 0;
            let mut prev: Option<Pool> = None;
            let mut link = *front;
            // A list that ends has no repetition, so its length is enough to know that it holds
            // every used pool of the class.
            while let Some(pool) = link {
                length += 1;
                let known = length <= count && arenas.holds_cut_pool::<G>(pool.addr());
                Invariant::UsedMembers.holds(known, pool.addr())?;
                let live = pool.live.get() as usize;
                let used_here =
                    pool.class.get() as usize == class && live > 0 && live < G::capacity(class);
                Invariant::UsedMembers.holds(used_here, pool.addr())?;
                let returned = prev.is_none() || pool.prev.get() == prev;
                Invariant::UsedLinks.holds(returned, pool.addr())?;
                prev = link;
                link = pool.next.get();
            }
            Invariant::UsedMembers.holds(length == count, length)?;
        }
        Ok(())
    }
}

/// Place of `class` in the table. Classes are below its length (I2); masking instead of checking
/// leaves no panic in the paths that read the class from a pool header.
#[inline(always)]
fn slot(class: usize) -> usize {
    class & (MAX_CLASSES - 1)
}
