//! Each invariant is broken once, at least, and must be named.

use std::boxed::Box;
use std::collections::HashSet;
use std::vec::Vec;

use crate::arena::Arena;
use crate::geometry::{ForeignRealloc, Geometry, Release};
use crate::heap::ClassicHeap;
use crate::next::system_malloc::SystemMalloc;
use crate::ownership::Ownership;
use crate::ownership::radix_tree::RadixTree;
use crate::pool::{Block, Pool};
use crate::size_class::SizeClasses;
use crate::source::mmap::MmapSource;
use crate::validate::{Invariant, Violation};

/// Arenas of 8 pools, one or none of which is lost to alignment.
struct Small<const RELEASE: u8>;

impl<const RELEASE: u8> Geometry for Small<RELEASE> {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 8 << 10;
    const ARENA_BYTES: usize = 64 << 10;
    const RELEASE: Release = match RELEASE {
        0 => Release::Never,
        1 => Release::EveryEmpty,
        _ => Release::AllButLast,
    };
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

type Never = Small<0>;
type EveryEmpty = Small<1>;
type AllButLast = Small<2>;
type Heap<G> = ClassicHeap<G, RadixTree, MmapSource, SystemMalloc>;

const CLASS_512: usize = 31;
const CLASS_256: usize = 15;

/// A heap with everything in it: full, used and empty pools, virgin pools, four usable arenas of
/// which two have equally many free pools, one full arena, vacant slots.
fn furnished() -> Box<Heap<AllButLast>> {
    let mut heap: Box<Heap<AllButLast>> = Box::new(ClassicHeap::new(MmapSource, SystemMalloc));
    let capacity = AllButLast::capacity(CLASS_512);
    let mut arenas: Vec<Vec<*mut u8>> = Vec::new();
    while arenas.len() < 5 {
        let mut blocks = Vec::from([heap.malloc(512)]);
        while heap.arenas.mapped().any(|(_, arena)| arena.free_pools.get() > 0) {
            blocks.extend((0..capacity).map(|_| heap.malloc(512)));
        }
        let missing = (capacity - blocks.len() % capacity) % capacity;
        blocks.extend((0..missing).map(|_| heap.malloc(512)));
        arenas.push(blocks);
    }
    // Whole pools: one of arena 0, two of arenas 1 and 2, three of arena 3, none of arena 4.
    for (arena, pools) in [(0, 1), (1, 2), (2, 2), (3, 3)] {
        for &block in &arenas[arena][..pools * capacity] {
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
    }
    // Three used pools of one class, and one of another.
    for pool in [1, 2, 3] {
        // SAFETY: live, freed once.
        unsafe { heap.free(arenas[4][pool * capacity + 1]) };
    }
    for _ in 0..5 {
        assert!(!heap.malloc(256).is_null());
    }
    assert_eq!(heap.validate(), Ok(()));
    heap
}

/// Damages a furnished heap and checks that exactly this invariant is named. The memory is leaked:
/// nothing that is left of such a heap can be trusted to give it back.
fn breaks(invariant: Invariant, damage: impl FnOnce(&mut Heap<AllButLast>)) {
    let mut heap = furnished();
    damage(&mut heap);
    let found = heap.validate().map_err(|violation| violation.invariant);
    assert_eq!(found, Err(invariant));
    Box::leak(heap);
}

/// A used pool that has a neighbour behind it.
fn used_pool(heap: &Heap<AllButLast>) -> Pool {
    heap.used.front(CLASS_512).unwrap()
}

fn free_block(pool: Pool) -> Block {
    pool.free.get().unwrap()
}

/// The last arena of the usable list.
fn last_usable(heap: &Heap<AllButLast>) -> Arena {
    let mut last = heap.usable.head().unwrap();
    while let Some(next) = last.next.get() {
        last = next;
    }
    last
}

fn add(cell: &core::cell::Cell<u32>, amount: i32) {
    cell.set(cell.get().wrapping_add_signed(amount));
}

#[test]
fn i1_pool_that_names_another_arena() {
    breaks(Invariant::PoolPlace, |heap| add(&used_pool(heap).arena, -1));
}

#[test]
fn i2_pool_with_a_wrong_class_or_cut() {
    breaks(Invariant::PoolCut, |heap| used_pool(heap).class.set(AllButLast::CLASSES as u32));
    breaks(Invariant::PoolCut, |heap| used_pool(heap).class.set(crate::pool::UNBORN_CLASS));
    breaks(Invariant::PoolCut, |heap| add(&used_pool(heap).virgin, 16));
    breaks(Invariant::PoolCut, |heap| add(&used_pool(heap).virgin, 512));
    breaks(Invariant::PoolCut, |heap| add(&used_pool(heap).virgin_max, -16));
}

#[test]
fn i3_free_list_that_is_not_the_free_blocks() {
    breaks(Invariant::FreeList, |heap| add(&used_pool(heap).live, 1));
    breaks(Invariant::FreeList, |heap| used_pool(heap).free.set(None));
    // A cycle, a link into the middle of a block, into another pool, and to nowhere.
    breaks(Invariant::FreeList, |heap| {
        let block = free_block(used_pool(heap));
        block.set_next(Some(block));
    });
    for distance in [16, 8 << 10, 1 << 45] {
        breaks(Invariant::FreeList, |heap| {
            let block = free_block(used_pool(heap));
            // SAFETY: not a block at all, and only the address of it is looked at.
            let astray = unsafe { Block::new(block.as_ptr().wrapping_add(distance)) };
            block.set_next(Some(astray));
        });
    }
}

#[test]
fn i4_used_pool_with_a_dry_list() {
    // The pool of 256-byte blocks has virgin ones left, so it is not full when its list is dry.
    breaks(Invariant::DryWhenFull, |heap| {
        let pool = heap.used.front(CLASS_256).unwrap();
        pool.free.set(None);
        add(&pool.live, 1);
    });
}

#[test]
fn i5_used_list_without_a_used_pool_or_with_another() {
    breaks(Invariant::UsedMembers, |heap| heap.used.fronts[CLASS_512] = None);
    breaks(Invariant::UsedMembers, |heap| used_pool(heap).next.set(None));
    breaks(Invariant::UsedMembers, |heap| {
        let pool = used_pool(heap);
        pool.next.set(Some(pool));
        pool.prev.set(Some(pool));
    });
    breaks(Invariant::UsedMembers, |heap| {
        heap.used.fronts.swap(CLASS_256, CLASS_512);
    });
    // A full pool, in a list where a used one should be.
    breaks(Invariant::UsedMembers, |heap| {
        let arena = heap.arenas.mapped().last().unwrap().1;
        let full = (0..arena.cut_pools::<AllButLast>())
            .map(|position| arena.pool::<AllButLast>(position))
            .find(|pool| pool.free.get().is_none());
        heap.used.fronts[CLASS_256] = full;
    });
}

#[test]
fn i6_used_list_with_a_link_that_does_not_return() {
    breaks(Invariant::UsedLinks, |heap| used_pool(heap).next.get().unwrap().prev.set(None));
}

#[test]
fn i7_vacant_list_without_a_vacant_slot_or_with_a_mapped_one() {
    breaks(Invariant::VacantSlots, |heap| heap.arenas.vacant = None);
    breaks(Invariant::VacantSlots, |heap| {
        heap.arenas.vacant.unwrap().next.set(Some(heap.usable.head().unwrap()));
    });
    breaks(Invariant::VacantSlots, |heap| {
        let slot = heap.arenas.vacant.unwrap();
        slot.next.set(Some(slot));
    });
}

#[test]
fn i8_arena_cut_off_a_pool_boundary_or_outside() {
    for distance in [16, 8 << 10] {
        breaks(Invariant::ArenaCut, |heap| {
            let arena = heap.arenas.mapped().next().unwrap().1;
            arena.virgin.set(arena.virgin.get().wrapping_add(distance));
        });
    }
    breaks(Invariant::ArenaCut, |heap| add(&last_usable(heap).total_pools, 1));
}

#[test]
fn i9_empty_list_that_is_not_the_empty_pools() {
    breaks(Invariant::EmptyPools, |heap| last_usable(heap).empty.set(None));
    breaks(Invariant::EmptyPools, |heap| add(&last_usable(heap).free_pools, 1));
    breaks(Invariant::EmptyPools, |heap| {
        let pool = last_usable(heap).empty.get().unwrap();
        pool.next.set(Some(pool));
    });
    breaks(Invariant::EmptyPools, |heap| {
        last_usable(heap).empty.set(Some(used_pool(heap)));
    });
}

#[test]
fn i10_arena_counters_that_disagree() {
    breaks(Invariant::ArenaCounts, |heap| heap.arenas.ever += 1);
    breaks(Invariant::ArenaCounts, |heap| heap.arenas.reclaimed += 1);
    breaks(Invariant::ArenaCounts, |heap| heap.arenas.high_water = 1);
}

#[test]
fn i11_usable_list_without_a_usable_arena_or_with_a_full_one() {
    breaks(Invariant::UsableMembers, |heap| heap.usable.head = None);
    breaks(Invariant::UsableMembers, |heap| {
        heap.usable.head = heap.usable.head().unwrap().next.get();
    });
    breaks(Invariant::UsableMembers, |heap| {
        let full = heap.arenas.mapped().find(|(_, arena)| arena.free_pools.get() == 0);
        last_usable(heap).next.set(full.map(|(_, arena)| arena));
    });
    breaks(Invariant::UsableMembers, |heap| last_usable(heap).prev.set(None));
}

#[test]
fn i12_usable_list_out_of_order() {
    breaks(Invariant::UsableOrder, |heap| {
        let last = last_usable(heap);
        let before = last.prev.get().unwrap();
        // last moves before the one before it, with all links returned.
        let first = before.prev.get();
        first.unwrap().next.set(Some(last));
        last.prev.set(first);
        last.next.set(Some(before));
        before.prev.set(Some(last));
        before.next.set(None);
    });
}

#[test]
fn i13_finger_on_another_arena_or_left_behind() {
    let finger =
        |heap: &Heap<AllButLast>| heap.usable.rightmost.iter().position(Option::is_some).unwrap();
    breaks(Invariant::Fingers, |heap| heap.usable.rightmost[finger(heap)] = None);
    breaks(Invariant::Fingers, |heap| {
        heap.usable.rightmost[finger(heap)] = Some(last_usable(heap));
    });
    breaks(Invariant::Fingers, |heap| {
        *heap.usable.rightmost.last_mut().unwrap() = Some(last_usable(heap));
    });
}

/// A heap that never gives arenas back holds two wholly free ones; the other rules forbid that.
#[test]
fn i14_wholly_free_arena_that_the_rule_does_not_keep() {
    let mut heap: Box<Heap<Never>> = Box::new(ClassicHeap::new(MmapSource, SystemMalloc));
    let blocks: Vec<*mut u8> = (0..200).map(|_| heap.malloc(512)).collect();
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    assert!(heap.arenas.current() >= 2);
    assert_eq!(heap.validate(), Ok(()));
    let broken = |result: Result<(), Violation>| {
        assert_eq!(result.map_err(|violation| violation.invariant), Err(Invariant::ReleaseRule));
    };
    broken(heap.usable.check::<EveryEmpty>(&heap.arenas));
    broken(heap.usable.check::<AllButLast>(&heap.arenas));
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
}

#[test]
fn i15_ownership_test_that_refuses_a_pool() {
    breaks(Invariant::OwnershipAnswers, |heap| {
        let base = heap.arenas.bases().next().unwrap();
        Ownership::<AllButLast>::unmark(&mut heap.ownership, base);
    });
}

#[test]
fn i16_ownership_record_of_no_arena() {
    breaks(Invariant::OwnershipRecords, |heap| {
        let nowhere = 0x1234_5678_9000;
        assert!(Ownership::<AllButLast>::mark(&mut heap.ownership, nowhere, &mut heap.next));
    });
}

#[test]
fn invariants_are_numbered_in_order_and_print_their_number() {
    for (place, invariant) in Invariant::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(invariant.number()), place + 1);
        let text = std::format!("{}", Violation { invariant, addr: 0x30 });
        assert!(text.starts_with(&std::format!("I{} broken at 0x30: ", place + 1)), "{text}");
    }
    let texts: HashSet<_> =
        Invariant::ALL.map(|invariant| std::format!("{}", Violation { invariant, addr: 0 })).into();
    assert_eq!(texts.len(), Invariant::ALL.len());
}
