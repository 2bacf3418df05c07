//! Which arena serves a pool, and when an arena goes back.

use arenite::{ArenaIndex, ClassicHeap, Geometry, Release, SystemMalloc};

use crate::sources::{Log, RecordingSource};
use crate::subject::{Subject, Tiny, TinyAllButLast, TinyEveryEmpty, TinyNever};

type Heap<'a, G> = ClassicHeap<G, ArenaIndex<3>, RecordingSource<'a>, SystemMalloc>;

/// A block per pool: 7 blocks of 512 bytes fill a 4 KiB pool, 8 pools an arena.
const SIZE: usize = 512;
const BLOCKS_PER_POOL: usize = 7;
const POOLS_PER_ARENA: usize = 8;

/// Fills `arenas` arenas; pools of blocks in the order they were handed out, per arena.
fn fill<G: Geometry>(heap: &mut Heap<'_, G>, arenas: usize) -> Vec<Vec<Vec<*mut u8>>> {
    let pool = |heap: &mut Heap<'_, G>| -> Vec<*mut u8> {
        (0..BLOCKS_PER_POOL).map(|_| heap.malloc(SIZE)).collect()
    };
    let filled = (0..arenas).map(|_| (0..POOLS_PER_ARENA).map(|_| pool(heap)).collect()).collect();
    assert_eq!(heap.stats().arenas_current, arenas);
    assert_eq!(heap.stats().unused_pools, 0);
    filled
}

fn free_all<G: Geometry>(heap: &mut Heap<'_, G>, blocks: impl IntoIterator<Item = *mut u8>) {
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    heap.assert_sound();
}

fn arena_of(log: &Log, block: *mut u8) -> usize {
    let base = log.live().into_iter().find(|&base| block.addr().wrapping_sub(base) < 32 << 10);
    base.expect("in an arena")
}

fn arenas_left_by_freeing_all<G: Geometry>() -> (usize, u64) {
    let log = Log::default();
    let mut heap: Heap<'_, G> = ClassicHeap::new(log.source(), SystemMalloc);
    let arenas = fill(&mut heap, 5);
    free_all(&mut heap, arenas.into_iter().flatten().flatten());
    let stats = heap.stats();
    assert_eq!(log.live().len(), stats.arenas_current);
    assert_eq!((stats.arenas_ever, stats.arenas_high_water), (5, 5));
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
    assert_eq!(log.live().len(), 0, "everything goes back in the end");
    (stats.arenas_current, stats.arenas_reclaimed)
}

#[test]
fn empty_arenas_go_back_as_the_era_says() {
    assert_eq!(arenas_left_by_freeing_all::<TinyNever>(), (5, 0));
    assert_eq!(arenas_left_by_freeing_all::<TinyEveryEmpty>(), (0, 5));
    assert_eq!(arenas_left_by_freeing_all::<TinyAllButLast>(), (1, 4));
}

/// Allocates and frees across the edge of an arena again and again; how many arenas that mapped.
fn arenas_mapped_by_thrashing<G: Geometry>() -> usize {
    let log = Log::default();
    let mut heap: Heap<'_, G> = ClassicHeap::new(log.source(), SystemMalloc);
    let full = fill(&mut heap, 1);
    for _ in 0..10 {
        let over = heap.malloc(SIZE);
        free_all(&mut heap, [over]);
    }
    let mapped = log.mapped.borrow().len();
    free_all(&mut heap, full.into_iter().flatten().flatten());
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
    mapped
}

#[test]
fn keeping_the_last_empty_arena_stops_thrashing() {
    assert_eq!(arenas_mapped_by_thrashing::<TinyNever>(), 2);
    assert_eq!(arenas_mapped_by_thrashing::<TinyEveryEmpty>(), 11);
    assert_eq!(arenas_mapped_by_thrashing::<TinyAllButLast>(), 2);
}

#[test]
fn pools_come_from_the_fullest_arena_that_has_room() {
    let log = Log::default();
    let mut heap: Heap<'_, TinyAllButLast> = ClassicHeap::new(log.source(), SystemMalloc);
    let arenas = fill(&mut heap, 4);
    let bases = log.live();
    // Arena 0 gets 3 free pools, arena 1 gets 1, arena 2 gets 2, arena 3 stays full. In turns, so
    // that the arenas have to be sorted again and again.
    for (arena, pool) in [(0, 0), (2, 1), (0, 5), (1, 7), (2, 3), (0, 2)] {
        free_all(&mut heap, arenas[arena][pool].iter().copied());
    }
    let mut served = Vec::new();
    let mut blocks = Vec::new();
    for _ in 0..6 {
        let pool: Vec<*mut u8> = (0..BLOCKS_PER_POOL).map(|_| heap.malloc(SIZE)).collect();
        served.push(bases.iter().position(|&base| base == arena_of(&log, pool[0])).unwrap());
        blocks.extend(pool);
        heap.assert_sound();
    }
    assert_eq!(served, [1, 2, 2, 0, 0, 0]);
    // SAFETY: the blocks are not used after this.
    unsafe { heap.give_back() };
}

#[test]
fn a_thin_arena_drains_while_others_are_filled() {
    let log = Log::default();
    let mut heap: Heap<'_, TinyEveryEmpty> = ClassicHeap::new(log.source(), SystemMalloc);
    let arenas = fill(&mut heap, 2);
    let thin = arena_of(&log, arenas[0][0][0]);
    // Arena 0 keeps one pool only, arena 1 loses three: new pools must go to arena 1.
    for pool in &arenas[0][1..] {
        free_all(&mut heap, pool.iter().copied());
    }
    for pool in &arenas[1][5..] {
        free_all(&mut heap, pool.iter().copied());
    }
    let new: Vec<*mut u8> = (0..3 * BLOCKS_PER_POOL).map(|_| heap.malloc(SIZE)).collect();
    assert!(new.iter().all(|&block| arena_of(&log, block) != thin));
    free_all(&mut heap, arenas[0][0].iter().copied());
    assert_eq!(*log.unmapped.borrow(), [thin]);
    // SAFETY: the blocks are not used after this.
    unsafe { heap.give_back() };
}

#[test]
fn slots_of_arenas_that_went_back_are_used_again() {
    let log = Log::default();
    let mut heap: Heap<'_, TinyEveryEmpty> = ClassicHeap::new(log.source(), SystemMalloc);
    // More than 16 arenas, twice: the table doubles once and is then reused.
    for _ in 0..3 {
        let arenas = fill(&mut heap, 40);
        heap.assert_sound();
        free_all(&mut heap, arenas.into_iter().flatten().flatten());
        assert_eq!(heap.stats().arenas_current, 0);
    }
    let last = fill(&mut heap, 1);
    let stats = heap.stats();
    assert_eq!((stats.arenas_ever, stats.arenas_reclaimed), (121, 120));
    assert_eq!(stats.arenas_high_water, 40, "of all times, not of the last");
    free_all(&mut heap, last.into_iter().flatten().flatten());
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
}

#[test]
fn a_heap_can_be_used_again_after_giving_everything_back() {
    let log = Log::default();
    let mut heap: Heap<'_, Tiny<2>> = ClassicHeap::new(log.source(), SystemMalloc);
    assert_eq!(heap.release(), Release::AllButLast);
    for _ in 0..2 {
        let blocks = fill(&mut heap, 3);
        assert!(!blocks.is_empty());
        // SAFETY: the blocks are not used after this.
        unsafe { heap.give_back() };
        heap.assert_sound();
        assert_eq!(heap.stats().arenas_ever, 0);
    }
    assert_eq!(log.live().len(), 0);
}
