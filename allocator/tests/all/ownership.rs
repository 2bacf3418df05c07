//! The ownership test at every edge.

use std::cell::Cell;

use arenite::{
    ArenaIndex, ClassicHeap, ForeignRealloc, Geometry, MallocSource, Ownership, Python311,
    RadixTree, Release, SystemMalloc,
};

use crate::sources::{FENCE_BYTES, FencedSource};
use crate::subject::{Subject, TinyAllButLast, TinyNever, presets};

/// Every byte of the cut pools is ours and none around the arena is, whatever stands there where a
/// pool header would be. `shift` moves the arena off its alignment.
fn check_edges<G: Geometry, O: Ownership<G>>(shift: usize) {
    // As an arena index, 0 names the arena itself, 1 to 15 vacant slots, the rest no slot.
    for pattern in [0, 1, 15, 16, 17, 0x7fff_ffff, u32::MAX] {
        let base = Cell::new(0);
        let source = FencedSource { pattern, shift, base: &base };
        let mut heap: Box<ClassicHeap<G, O, _, _>> =
            Box::new(ClassicHeap::new(source, SystemMalloc));
        let mut blocks = vec![heap.malloc(1)];
        while heap.stats().unused_pools > 0 {
            blocks.push(heap.malloc(G::THRESHOLD));
        }
        assert_eq!(heap.stats().arenas_current, 1);
        let block = blocks[0];
        // SAFETY: the arena and the fences around it are mapped.
        let owns = |addr: usize| unsafe { heap.owns(block.with_addr(addr)) };

        let base = base.get();
        let end = base + G::ARENA_BYTES;
        let first_pool = base.next_multiple_of(G::POOL_BYTES);
        let last_pool_end = end & !(G::POOL_BYTES - 1);
        for addr in first_pool..last_pool_end {
            assert!(owns(addr), "pattern {pattern:#x}: byte {} of the pools", addr - first_pool);
        }
        for distance in 1..=FENCE_BYTES {
            assert!(!owns(base - distance), "pattern {pattern:#x}: {distance} below");
            assert!(!owns(end + distance - 1), "pattern {pattern:#x}: {distance} above");
        }
        heap.assert_sound();
        // SAFETY: the blocks are not used after this.
        unsafe { heap.give_back() };
    }
}

#[test]
fn arena_edges_are_exact_for_both_strategies() {
    for shift in [0, 16, 2048, 4080] {
        check_edges::<TinyAllButLast, ArenaIndex<3>>(shift);
        check_edges::<TinyNever, ArenaIndex<2>>(shift);
    }
    for shift in [0, 16, 4096, 12_288] {
        check_edges::<Sixteen, RadixTree>(shift);
    }
}

/// 16 KiB pools, few of them: every byte of the arena is asked about.
struct Sixteen;

impl Geometry for Sixteen {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 16 << 10;
    const ARENA_BYTES: usize = 64 << 10;
    const RELEASE: Release = Release::AllButLast;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

#[test]
fn heap_stack_and_static_memory_is_foreign() {
    static STATIC: [u8; 64] = [0; 64];
    for (name, mut heap) in presets() {
        let kept: Vec<*mut u8> = (0..2000).map(|size| heap.malloc(size % 600)).collect();
        let on_stack = 0_u64;
        let boxes: Vec<Box<[u8]>> =
            (1..500).map(|len| vec![0_u8; len].into_boxed_slice()).collect();
        let mut foreign: Vec<*mut u8> = boxes.iter().map(|b| b.as_ptr().cast_mut()).collect();
        foreign.push((&raw const on_stack).cast_mut().cast());
        foreign.push((&raw const STATIC).cast_mut().cast());
        foreign.push((&raw const *heap).cast_mut().cast());
        foreign.push(heap_stack_and_static_memory_is_foreign as *mut u8);
        for ptr in foreign {
            // SAFETY: mapped memory.
            assert!(!unsafe { heap.owns(ptr) }, "{name}: {ptr:?}");
        }
        for block in kept {
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
        // SAFETY: no block is left.
        unsafe { heap.give_back() };
    }
}

#[test]
fn radix_tree_answers_for_any_bit_pattern() {
    let mut heap: Box<ClassicHeap<Python311, RadixTree, MallocSource, SystemMalloc>> =
        Box::new(ClassicHeap::new(MallocSource, SystemMalloc));
    let owns = |heap: &ClassicHeap<Python311, RadixTree, MallocSource, SystemMalloc>, addr| {
        // SAFETY: the radix tree does not dereference the pointer.
        unsafe { heap.owns(std::ptr::without_provenance_mut(addr)) }
    };
    assert!(!owns(&heap, 0), "before the first arena");
    let block = heap.malloc(100);
    let arena = block.addr();
    let mut random = crate::random::Random::seeded("radix tree", 0x5eed_0002);
    let edges = [0, 1, 4095, 4096, usize::MAX, usize::MAX - 4095, 1 << 47, (1 << 47) - 1, 1 << 63];
    let random: Vec<usize> = (0..200_000).map(|_| random.next() as usize).collect();
    // The same low bits under other top and middle indices.
    let aliases: Vec<usize> = (34..64).map(|bit| arena ^ (1 << bit)).collect();
    for addr in edges.into_iter().chain(random).chain(aliases) {
        let near = addr.abs_diff(arena) < 1 << 20;
        assert!(near || !owns(&heap, addr), "{addr:#x}");
    }
    assert!(owns(&heap, arena));
    // SAFETY: live, freed once.
    unsafe { heap.free(block) };
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
    assert!(!owns(&heap, arena), "no arena any more");
}
