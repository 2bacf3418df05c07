//! Every request for memory refused in turn.

use arenite::fault::{FaultPlan, FaultyNext, FaultySource};
use arenite::{
    ArenaIndex, ClassicHeap, ForeignRealloc, Geometry, MmapSource, Ownership, Python23, Python39,
    Python311, RadixTree, Release, SystemMalloc,
};

use crate::subject::{Subject, TinyAllButLast, TinyEveryEmpty};

/// Arenas of four pools, so that a short script maps many.
struct FourPools;

impl Geometry for FourPools {
    const ALIGNMENT: usize = 8;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 4 << 10;
    const ARENA_BYTES: usize = 16 << 10;
    const RELEASE: Release = Release::EveryEmpty;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::TakeOver;
}

/// Blocks of all kinds, some resized, freed in another order. Null is accepted everywhere; a block
/// that exists must keep its contents. Leaves nothing alive.
fn script(heap: &mut dyn Subject, blocks_per_size: usize) {
    let mut live: Vec<(*mut u8, usize, u8)> = Vec::new();
    let keep = |live: &mut Vec<(*mut u8, usize, u8)>, block: *mut u8, size: usize| {
        if !block.is_null() {
            let mark = live.len() as u8;
            // SAFETY: in bounds of a live block.
            unsafe { block.write_bytes(mark, size) };
            live.push((block, size, mark));
        }
    };
    let check = |block: *mut u8, size: usize, mark: u8| {
        // SAFETY: in bounds of a live block, written when it was handed out.
        let bytes = unsafe { std::slice::from_raw_parts(block, size) };
        assert!(bytes.iter().all(|&byte| byte == mark));
    };
    for _ in 0..blocks_per_size {
        for size in [512, 480, 256, 200, 64] {
            let block = heap.malloc(size);
            keep(&mut live, block, size);
        }
    }
    for size in [0, 24, 700] {
        let block = heap.calloc(1, size);
        keep(&mut live, block, size);
        let block = heap.aligned_alloc(128, size);
        keep(&mut live, block, size);
    }
    for place in (0..live.len()).step_by(8) {
        let (_, size, mark) = live[place];
        for new in [size / 2, size + 100, 2000, 40] {
            // SAFETY: a live block.
            let moved = unsafe { heap.realloc(live[place].0, new) };
            if moved.is_null() {
                check(live[place].0, live[place].1, mark);
            } else {
                let kept = live[place].1.min(new);
                check(moved, kept, mark);
                // SAFETY: in bounds of a live block.
                unsafe { moved.write_bytes(mark, new) };
                live[place] = (moved, new, mark);
            }
        }
    }
    heap.assert_sound();
    // Every other block from the front, then the rest from the back.
    let (even, odd): (Vec<_>, Vec<_>) =
        live.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    for (_, (block, size, mark)) in even.into_iter().chain(odd.into_iter().rev()) {
        check(block, size, mark);
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    heap.assert_sound();
    assert_eq!(heap.stats().allocated_blocks(), 0);
}

/// Runs the script with request k refused, or all from k on, for every k that the script makes.
/// Returns the number of runs in which something was refused, and the most arenas of a clean run.
fn sweep<G: Geometry, O: Ownership<G>>(blocks_per_size: usize) -> (u64, usize) {
    let (mut points, mut arenas) = (0, 0);
    for and_all_later in [false, true] {
        for first in 0.. {
            let last = if and_all_later { u64::MAX } else { first + 1 };
            let plan = FaultPlan::refusing(first..last);
            let source = FaultySource::new(MmapSource, &plan);
            let next = FaultyNext::new(SystemMalloc, &plan);
            let mut heap: Box<ClassicHeap<G, O, _, _>> = Box::new(ClassicHeap::new(source, next));
            script(&mut *heap, blocks_per_size);
            arenas = heap.stats().arenas_high_water;
            // SAFETY: no block is left.
            unsafe { heap.give_back() };
            assert_eq!(plan.outstanding(), 0, "leak when request {first} is refused");
            if plan.injected() == 0 {
                break;
            }
            points += 1;
        }
    }
    (points, arenas)
}

#[test]
fn any_refused_request_leaves_a_sound_heap_and_no_leak() {
    // Enough arenas for the table to start with 16 slots and to double.
    let (four_pools, arenas) = sweep::<FourPools, ArenaIndex<3>>(160);
    assert!(arenas > 16, "{arenas} arenas: the table did not grow");
    let mut points = four_pools;
    points += sweep::<TinyAllButLast, ArenaIndex<3>>(100).0;
    points += sweep::<TinyEveryEmpty, ArenaIndex<3>>(100).0;
    points += sweep::<Python39, ArenaIndex<3>>(100).0;
    points += sweep::<Python23, ArenaIndex<2>>(100).0;
    // Two nodes of the tree for the first arena, sometimes more.
    points += sweep::<Python311, RadixTree>(100).0;
    println!("{points} points of failure");
    assert!(points >= 2000, "{points} points of failure are too few to mean much");
}

/// The table of arenas, the arena, the tree's two nodes: each of the first four requests.
#[test]
fn a_small_request_falls_through_when_its_pool_is_refused() {
    for refused in 0..4 {
        let plan = FaultPlan::refusing(refused..refused + 1);
        let source = FaultySource::new(MmapSource, &plan);
        let next = FaultyNext::new(SystemMalloc, &plan);
        let mut heap: Box<ClassicHeap<Python311, RadixTree, _, _>> =
            Box::new(ClassicHeap::new(source, next));
        let fell = heap.malloc(100);
        // SAFETY: a live block.
        assert!(!fell.is_null() && !unsafe { heap.owns(fell) }, "request {refused}");
        assert_eq!(plan.injected(), 1);
        let served = heap.malloc(100);
        // SAFETY: a live block.
        assert!(unsafe { heap.owns(served) }, "and the next one is served again");
        heap.assert_sound();
        // SAFETY: live, freed once.
        unsafe { heap.free(fell) };
        // SAFETY: live, freed once.
        unsafe { heap.free(served) };
        // SAFETY: no block is left.
        unsafe { heap.give_back() };
        assert_eq!(plan.outstanding(), 0);
    }
}

#[test]
fn everything_refused_gives_null_and_nothing_else() {
    let plan = FaultPlan::refusing(0..u64::MAX);
    let source = FaultySource::new(MmapSource, &plan);
    let next = FaultyNext::new(SystemMalloc, &plan);
    let mut heap: Box<ClassicHeap<Python39, ArenaIndex<3>, _, _>> =
        Box::new(ClassicHeap::new(source, next));
    for size in [0, 1, 100, 512, 513, 100_000] {
        assert!(heap.malloc(size).is_null());
        assert!(heap.calloc(1, size).is_null());
        assert!(heap.aligned_alloc(64, size).is_null());
    }
    heap.assert_sound();
    assert_eq!(heap.stats().raw_blocks, 0);
    assert_eq!(plan.outstanding(), 0);
}
