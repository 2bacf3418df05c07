//! The fingers against a plain vector that is searched from one end to the other.

use core::ptr;
use std::vec::Vec;

use super::{Fate, UsableArenas, group};
use crate::arena::{Arena, ArenaTable};
use crate::geometry::{Geometry, MAX_POOLS_PER_ARENA, Release};
use crate::next::system_malloc::SystemMalloc;
use crate::presets::Python39;

/// The usable list as a vector, most full first.
struct Naive(Vec<Arena>);

impl Naive {
    fn remove(&mut self, arena: Arena) {
        self.0.retain(|&listed| listed != arena);
    }

    /// Re-sorts for an arena that gained a free pool: from its old place it slides right past all
    /// that have fewer.
    fn gained(&mut self, arena: Arena, release: Release) -> Fate {
        let free = arena.free_pools.get();
        let place = self.0.iter().position(|&listed| listed == arena);
        let last = place == Some(self.0.len().wrapping_sub(1));
        let released = free == arena.total_pools.get()
            && match release {
                Release::Never => false,
                Release::EveryEmpty => true,
                Release::AllButLast => !last,
            };
        self.remove(arena);
        if released {
            return Fate::Released;
        }
        let from = place.unwrap_or(0);
        let fewer = |listed: &Arena| listed.free_pools.get() < free;
        let place = from + self.0[from..].iter().take_while(|&listed| fewer(listed)).count();
        self.0.insert(place, arena);
        Fate::Kept
    }

    fn last_with(&self, free: u32) -> Option<Arena> {
        self.0.iter().copied().rfind(|arena| arena.free_pools.get() == free)
    }
}

fn listed(usable: &UsableArenas) -> Vec<Arena> {
    let mut arenas = Vec::new();
    let mut link = usable.head();
    while let Some(arena) = link {
        assert_eq!(arena.prev.get(), arenas.last().copied());
        arenas.push(arena);
        link = arena.next.get();
    }
    arenas
}

/// Random gains and losses on arenas that are descriptors only.
fn check_against_search(release: Release, seed: u64) {
    const ARENAS: usize = 30;
    let mut state = seed;
    let mut random = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let (mut table, mut usable, mut naive) =
        (ArenaTable::EMPTY, UsableArenas::EMPTY, Naive(Vec::new()));
    let mut released = 0;
    for step in 0..20_000 {
        // An arena is mapped only when none is usable, and the table moves only then.
        if usable.head().is_none() && table.current() < ARENAS as u32 {
            let slot = table.vacant_slot(&mut SystemMalloc).unwrap();
            // Some lose a pool to alignment, so that totals differ.
            let base = ptr::without_provenance_mut((step + 1) << 20 | random(2) << 6);
            table.add::<Python39>(slot, base, 0);
            usable.start_with(slot);
            naive.0.push(slot);
        }
        let gain = usable.head().is_none() || random(100) < 45 + 10 * (step / 2000 % 2);
        if gain {
            let mapped: Vec<Arena> = table.mapped().map(|(_, arena)| arena).collect();
            let arena = mapped[random(mapped.len())];
            if arena.free_pools.get() == arena.total_pools.get() {
                continue;
            }
            let fate = usable.gain_pool(arena, release);
            assert_eq!(fate, naive.gained(arena, release), "step {step}");
            if fate == Fate::Released {
                table.remove(arena);
                released += 1;
            }
        } else if let Some(head) = usable.head() {
            usable.head_loses_pool(head);
            head.free_pools.set(head.free_pools.get() - 1);
            if head.free_pools.get() == 0 {
                naive.remove(head);
            }
        }
        assert!(listed(&usable) == naive.0, "seed {seed}, step {step}: order");
        for free in 1..=MAX_POOLS_PER_ARENA as u32 {
            let finger = usable.rightmost[group(free)];
            assert!(finger == naive.last_with(free), "seed {seed}, step {step}: finger {free}");
        }
        if release == Python39::RELEASE {
            assert_eq!(usable.check::<Python39>(&table), Ok(()), "seed {seed}, step {step}");
        }
    }
    assert_eq!(released > 0, release != Release::Never, "seed {seed}");
    table.give_back(&mut SystemMalloc);
}

#[test]
fn fingers_agree_with_a_search_under_every_release_rule() {
    for seed in [0x5eed_0004, 0x5eed_0005] {
        check_against_search(Release::Never, seed);
        check_against_search(Release::EveryEmpty, seed);
        check_against_search(Release::AllButLast, seed);
    }
}

#[test]
fn the_largest_arena_has_a_finger_of_its_own() {
    assert_eq!(group(1), 0);
    assert_eq!(group(MAX_POOLS_PER_ARENA as u32), MAX_POOLS_PER_ARENA - 1);
    const { assert!(Python39::ARENA_BYTES / Python39::POOL_BYTES <= MAX_POOLS_PER_ARENA) }
}
