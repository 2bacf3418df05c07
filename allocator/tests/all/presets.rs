//! The presets as a user meets them.

use arenite::{Preset, Pymalloc23, Pymalloc39, Pymalloc311, SystemMalloc};

use crate::subject::{Subject, presets};

type Heap23 = Pymalloc23<SystemMalloc>;
type Heap39 = Pymalloc39<SystemMalloc>;
type Heap311 = Pymalloc311<SystemMalloc>;

#[test]
fn presets_are_named_by_era_and_strategy() {
    assert_eq!((Heap23::NAME, Heap23::OWNERSHIP), ("pymalloc-2.3", "arena-index-2"));
    assert_eq!((Heap39::NAME, Heap39::OWNERSHIP), ("pymalloc-3.9", "arena-index"));
    assert_eq!((Heap311::NAME, Heap311::OWNERSHIP), ("pymalloc-3.11", "radix-tree"));
    assert_eq!((Heap23::SOURCE, Heap39::SOURCE, Heap311::SOURCE), ("malloc", "mmap", "mmap"));
    assert_eq!((Heap23::ALIGNMENT, Heap39::ALIGNMENT, Heap311::ALIGNMENT), (8, 16, 16));
    for era in [Heap23::ERA, Heap39::ERA, Heap311::ERA] {
        assert!(era.starts_with("CPython ") && era.ends_with('.'), "{era}");
    }
}

/// Blocks of 48 bytes per pool, classes and threshold, as the real interpreters show them.
#[test]
fn presets_have_the_figures_of_their_era() {
    let expected = [
        ("pymalloc-2.3", 8, 256, 32, 84, 256 << 10),
        ("pymalloc-2.7", 8, 512, 64, 84, 256 << 10),
        ("pymalloc-3.9", 16, 512, 32, 84, 256 << 10),
        ("pymalloc-3.11", 16, 512, 32, 340, 1 << 20),
        ("pymalloc-3.15", 16, 512, 32, 340, 2 << 20),
    ];
    for ((name, heap), expected) in presets().into_iter().zip(expected) {
        let stats = heap.stats();
        let classes = stats.classes().len();
        let figures = (
            name,
            heap.alignment(),
            stats.threshold,
            classes,
            heap.capacity(48),
            stats.arena_bytes,
        );
        assert_eq!(figures, expected);
    }
}

#[test]
fn a_preset_works_in_a_static() {
    static mut HEAP: Heap311 = Heap311::preset(SystemMalloc);
    let heap = &raw mut HEAP;
    // SAFETY: the only reference, in one thread.
    let heap = unsafe { &mut *heap };
    let block = heap.malloc(100);
    // SAFETY: live, freed once.
    unsafe { heap.free(block) };
    heap.assert_sound();
    assert_eq!(heap.stats().arenas_current, 1);
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
}

#[test]
fn an_arena_from_malloc_loses_one_pool_to_alignment() {
    let lost = || {
        let (_, mut heap) = presets().remove(0);
        let block = heap.malloc(8);
        let stats = heap.stats();
        assert_eq!(stats.arenas_current, 1);
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
        // SAFETY: no block is left.
        unsafe { heap.give_back() };
        stats.alignment_bytes
    };
    // glibc puts a header before a block, so that a large one never starts on a pool boundary; one that
    // it cuts from memory which other tests have freed does once in 256 times.
    let all: Vec<_> = (0..20).map(|_| lost()).collect();
    assert!(all.iter().all(|&bytes| bytes == 4096 || bytes == 0), "{all:?}");
    assert!(all.contains(&4096), "{all:?}");
}

#[test]
fn a_heap_can_move_to_another_thread_with_its_blocks() {
    let mut heap = Box::new(Heap39::preset(SystemMalloc));
    let block = heap.malloc(64).expose_provenance();
    let thread = std::thread::spawn(move || {
        // SAFETY: live, freed once.
        unsafe { heap.free(std::ptr::with_exposed_provenance_mut(block)) };
        heap.assert_sound();
        // SAFETY: no block is left.
        unsafe { heap.give_back() };
    });
    thread.join().unwrap();
}

#[test]
fn printed_statistics_hold_the_table_and_the_account() {
    for (name, mut heap) in presets() {
        let blocks: Vec<*mut u8> = (0..1000).map(|_| heap.malloc(48)).collect();
        let text = heap.stats().to_string();
        let class = 48 / heap.alignment() - 1;
        let pools = 1000_usize.div_ceil(heap.capacity(48));
        let free = pools * heap.capacity(48) - 1000;
        let row = format!("{class:5} {:6} {pools:11} {:15} {free:13}", 48, 1000);
        assert!(text.lines().any(|line| line == row), "{name}: no {row:?} in\n{text}");
        let mapped = heap.stats().mapped_bytes();
        let sums = text.lines().filter(|line| line.starts_with("Total ")).count();
        assert_eq!(sums, if heap.stats().ownership.total_bytes() > 0 { 2 } else { 1 }, "{name}");
        let total = text.lines().find(|line| line.starts_with("Total ")).unwrap();
        let digits: String = total.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits, mapped.to_string(), "{name}");
        for block in blocks {
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
    }
}
