//! The usable arenas: those with a free pool, most full first, kept sorted in constant time.
//!
//! ```text
//! head -> [1 free] <-> [1 free] <-> [3 free] <-> [3 free] <-> [64 free]
//!                         ^                         ^            ^
//! fingers           rightmost[1]              rightmost[3]  rightmost[64]
//! ```
//!
//! Pools are always taken from the head. An arena that is nearly empty therefore sits at the end,
//! is left alone, and has the best chance to drain and go back to its source.
//!
//! A pool gained or lost changes an arena's number of free pools by one. Losing happens at the head
//! only, which stays the head. Gaining moves the arena from its group to the next one, whose place
//! begins right behind the last arena of the old group: `rightmost[n]` names that arena, so that no
//! search is needed however many arenas there are.
//!
//! Invariants:
//! * **I11** The list holds exactly the arenas with free pools, and links return both ways.
//! * **I12** It is sorted by ascending number of free pools.
//! * **I13** `rightmost[n]` is the last arena in the list with n free pools, or none.
//! * **I14** Only what the release rule keeps is wholly free: anything under `Never`, nothing under
//!   `EveryEmpty`, the last arena of the list under `AllButLast`.
//!
//! The list is pymalloc's `usable_arenas`; the fingers are its `nfp2lasta`, there since 3.8. All
//! presets use them, the older eras too, whose linear search gave the same order at a cost that
//! grew with the number of arenas.

#[cfg(test)]
mod tests;

use crate::arena::{Arena, ArenaTable};
use crate::geometry::{Geometry, MAX_POOLS_PER_ARENA, Release};
use crate::validate::{Invariant, Violation};

/// The sorted list of arenas with free pools, and its fingers.
pub(crate) struct UsableArenas {
    pub(crate) head: Option<Arena>,
    /// `rightmost[n]` at place `group(n)`.
    pub(crate) rightmost: [Option<Arena>; MAX_POOLS_PER_ARENA],
}

/// What is to be done with an arena that gained a free pool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// It was taken out of the list and is to be given back.
    Released,
}

impl UsableArenas {
    pub(crate) const EMPTY: Self = Self { head: None, rightmost: [None; MAX_POOLS_PER_ARENA] };

    /// The most full arena that has room.
    pub(crate) fn head(&self) -> Option<Arena> {
        self.head
    }

    /// Enters a fresh arena into the list, which is empty.
    pub(crate) fn start_with(&mut self, arena: Arena) {
        self.head = Some(arena);
        self.rightmost[group(arena.free_pools.get())] = Some(arena);
    }

    /// Re-sorts for the head, which is about to lose a free pool. Call it before the pool is taken.
    pub(crate) fn head_loses_pool(&mut self, head: Arena) {
        let free = head.free_pools.get();
        // The head is the first of its group: if it is the last too, the group ends.
        if self.rightmost[group(free)] == Some(head) {
            self.rightmost[group(free)] = None;
        }
        if free > 1 {
            // No arena had fewer free pools, so the head starts a group of its own.
            self.rightmost[group(free - 1)] = Some(head);
        } else {
            self.unlink(head);
        }
    }

    /// Re-sorts for an arena that gains a free pool, and counts the pool.
    pub(crate) fn gain_pool(&mut self, arena: Arena, release: Release) -> Fate {
        let before = arena.free_pools.get();
        let after = before + 1;
        let last_of_group = if before == 0 { None } else { self.rightmost[group(before)] };
        if last_of_group == Some(arena) {
            let prev = arena.prev.get();
            self.rightmost[group(before)] = prev.filter(|prev| prev.free_pools.get() == before);
        }
        arena.free_pools.set(after);

        // Case 1: no pool of it is in use, and the era gives such an arena back.
        // (More than one pool per arena, so `before > 0`: it is in the list.)
        if after == arena.total_pools.get() {
            let give_back = match release {
                Release::Never => false,
                Release::EveryEmpty => true,
                Release::AllButLast => arena.next.get().is_some(),
            };
            if give_back {
                self.unlink(arena);
                return Fate::Released;
            }
        }

        // Case 2: it was full and in no list. It has the fewest free pools there are: to the head.
        if before == 0 {
            self.link(arena, None);
            self.rightmost[group(after)].get_or_insert(arena);
            return Fate::Kept;
        }

        // It leads the group it joins, so it is that group's last only if it is alone there.
        self.rightmost[group(after)].get_or_insert(arena);
        if last_of_group == Some(arena) {
            // Case 3: it was the last of its group; the next group begins where it stands.
            return Fate::Kept;
        }
        // Case 4: others of its old group stand behind it. Move it behind the last of them.
        self.unlink(arena);
        self.link(arena, last_of_group);
        Fate::Kept
    }

    /// Links `arena`, which is in no list, behind `prev` or at the head.
    fn link(&mut self, arena: Arena, prev: Option<Arena>) {
        let next = match prev {
            Some(prev) => prev.next.replace(Some(arena)),
            None => self.head.replace(arena),
        };
        arena.prev.set(prev);
        arena.next.set(next);
        if let Some(next) = next {
            next.prev.set(Some(arena));
        }
    }

    fn unlink(&mut self, arena: Arena) {
        let (prev, next) = (arena.prev.get(), arena.next.get());
        match prev {
            Some(prev) => prev.next.set(next),
            None => self.head = next,
        }
        if let Some(next) = next {
            next.prev.set(prev);
        }
    }

    /// Checks I11 to I14. Cost: quadratic in the arenas.
    pub(crate) fn check<G: Geometry>(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        let usable = arenas.mapped().filter(|(_, arena)| arena.free_pools.get() > 0).count();
        let mut last_of = [None; MAX_POOLS_PER_ARENA];
        let mut length = 0;
        let mut prev: Option<Arena> = None;
        let mut link = self.head;
        while let Some(arena) = link {
            length += 1;
            let known = length <= usable && arenas.mapped().any(|(_, mapped)| mapped == arena);
            Invariant::UsableMembers.holds(known, arena.addr())?;
            let free = arena.free_pools.get();
            let returned = free > 0 && arena.prev.get() == prev;
            Invariant::UsableMembers.holds(returned, arena.addr())?;
            let sorted = prev.is_none_or(|prev| prev.free_pools.get() <= free);
            Invariant::UsableOrder.holds(sorted, arena.addr())?;
            if free == arena.total_pools.get() {
                let allowed = match G::RELEASE {
                    Release::Never => true,
                    Release::EveryEmpty => false,
                    Release::AllButLast => arena.next.get().is_none(),
                };
                Invariant::ReleaseRule.holds(allowed, arena.addr())?;
            }
            // I9 was checked before: the number is at most `total_pools`.
            last_of[group(free)] = Some(arena);
            prev = link;
            link = arena.next.get();
        }
        Invariant::UsableMembers.holds(length == usable, length)?;
        for (group, (found, finger)) in last_of.iter().zip(&self.rightmost).enumerate() {
            Invariant::Fingers.holds(found == finger, group + 1)?;
        }
        Ok(())
    }
}

/// Place of the finger for arenas with `free` free pools, which are 1 to 256. No index that can
/// be made here is out of bounds, so that no panic is left in the paths that use it.
#[inline(always)]
fn group(free: u32) -> usize {
    free.wrapping_sub(1) as usize % MAX_POOLS_PER_ARENA
}
