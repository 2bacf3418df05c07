//! Misuse ends the process with one line that says what was done and where; never silently.

use std::alloc::Layout;
use std::hint::black_box;
use std::ptr::without_provenance_mut as address;
use std::thread;

use arenite::{Arenite, AreniteChecked, ForeignFunctions, Heap};

use crate::child::{Death, alone, each_dies, last_words};

const FOREIGN: &str = "free of foreign pointer";
const INVALID: &str = "invalid free of";
const INTERIOR: &str = "free of interior pointer";
const DOUBLE: &str = "double free of";
const SMASHED: &str = "smashed free link in";

/// Says what is coming and frees.
fn free(misuse: &str, block: *mut u8) {
    last_words(misuse, block);
    // SAFETY: none: the process ends before anything is done to the block.
    unsafe { Arenite::free(block) };
}

fn checked_free(misuse: &str, block: *mut u8) {
    last_words(misuse, block);
    free_checked(block);
}

fn free_checked(block: *mut u8) {
    // SAFETY: live, or else the process ends before anything is done to the block.
    unsafe { AreniteChecked::free(block) };
}

/// A block of the checked heap, among others of its class.
fn checked(size: usize) -> *mut u8 {
    AreniteChecked::prepare();
    let blocks = [0; 4].map(|_| AreniteChecked::malloc(size));
    assert!(blocks.iter().all(|block| !block.is_null()));
    blocks[1]
}

/// A byte of this program's text.
fn text() -> *mut u8 {
    (text as fn() -> *mut u8 as *mut u8).wrapping_add(16)
}

/// First byte of the arena that a small block lies in.
fn arena() -> *mut u8 {
    let block = Arenite::malloc(24);
    block.map_addr(|at| at & !((4 << 20) - 1))
}

#[test]
fn wild_pointers_die_in_the_release_heap() {
    const DEATHS: &[Death] = &[
        ("null page, before the first block", || free(FOREIGN, address(16))),
        ("null page", || {
            black_box(Arenite::malloc(1));
            free(FOREIGN, address(8));
        }),
        ("stack", || {
            black_box(Arenite::malloc(1));
            let mut word = 0_u64;
            free(FOREIGN, (&raw mut word).cast());
        }),
        ("text", || free(FOREIGN, text())),
        ("not canonical", || free(FOREIGN, address(0x8000_1234_5678_9ab0))),
        ("highest address", || free(FOREIGN, address(usize::MAX))),
        ("memory of another allocator", || {
            black_box(Arenite::malloc(1));
            free(FOREIGN, Box::leak(Box::new([0_u8; 64])).as_mut_ptr());
        }),
        ("tables of the range", || free(INVALID, arena().wrapping_sub(64 << 20))),
        ("before the first arena", || free(INVALID, arena().wrapping_sub(1))),
        ("behind the last arena", || free(INVALID, arena().wrapping_add(4 << 20))),
        ("free slices of an arena", || free(INVALID, arena().wrapping_add((4 << 20) - 16))),
        ("far reserved memory", || free(INVALID, arena().wrapping_add(8 << 30))),
        ("inside a large block", || free(INVALID, Arenite::malloc(100_000).wrapping_add(20_000))),
        ("inside a huge block", || free(FOREIGN, Arenite::malloc(3 << 20).wrapping_add(4096))),
        ("large block freed again", || {
            let block = Arenite::malloc(100_000);
            // SAFETY: live.
            unsafe { Arenite::free(block) };
            free(INVALID, block);
        }),
        ("huge block freed again", || {
            let block = Arenite::malloc(3 << 20);
            // SAFETY: live.
            unsafe { Arenite::free(block) };
            free(FOREIGN, block);
        }),
        ("realloc of foreign memory", || {
            last_words(FOREIGN, address(0x1230));
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { Arenite::realloc(address(0x1230), 10) });
        }),
        ("usable size of foreign memory", || {
            last_words(FOREIGN, address(0x1230));
            // SAFETY: none: the process ends before anything is read.
            black_box(unsafe { Arenite::usable_size(address(0x1230)) });
        }),
        ("realloc of free slices", || {
            let slice = arena().wrapping_add((4 << 20) - 16384);
            last_words(INVALID, slice);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { Arenite::realloc(slice, 10) });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

/// An address inside of the first slice of a large block.
fn inside_large() -> *mut u8 {
    Arenite::malloc(100_000).wrapping_add(4096)
}

#[test]
fn interior_pointers_of_large_blocks_die_in_the_release_heap() {
    const DEATHS: &[Death] = &[
        ("free near the start", || free(INTERIOR, Arenite::malloc(100_000).wrapping_add(16))),
        ("free of the second page", || free(INTERIOR, inside_large())),
        ("unaligned", || free(INTERIOR, Arenite::malloc(100_000).wrapping_add(1))),
        ("realloc that stays", || {
            let inside = inside_large();
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { Arenite::realloc(inside, 90_000) });
        }),
        ("realloc that moves", || {
            let inside = inside_large();
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { Arenite::realloc(inside, 100) });
        }),
        ("usable size", || {
            let inside = inside_large();
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is read.
            black_box(unsafe { Arenite::usable_size(inside) });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

#[test]
fn unaligned_pointers_into_small_blocks_die_in_the_release_heap() {
    const DEATHS: &[Death] = &[
        ("free", || free(INTERIOR, Arenite::malloc(100).wrapping_add(1))),
        ("free half a word in", || free(INTERIOR, Arenite::malloc(5000).wrapping_add(8))),
        ("realloc", || {
            let inside = Arenite::malloc(100).wrapping_add(1);
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { Arenite::realloc(inside, 90) });
        }),
        ("usable size", || {
            let inside = Arenite::malloc(100).wrapping_add(4);
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is read.
            black_box(unsafe { Arenite::usable_size(inside) });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

/// Frees a block of a private heap by the process's call.
fn free_of_private(size: usize) {
    let heap = Heap::new().expect("memory");
    let block = heap.alloc(Layout::from_size_align(size, 1).unwrap());
    assert!(!block.is_null());
    free(FOREIGN, block);
}

/// A private heap may be dropped, with all it holds, whoever gathers its blocks elsewhere.
#[test]
fn blocks_of_a_private_heap_are_foreign_to_the_process() {
    const DEATHS: &[Death] = &[
        ("small", || free_of_private(24)),
        ("medium", || free_of_private(5000)),
        ("large", || free_of_private(100_000)),
        ("huge", || free_of_private(3 << 20)),
        ("small, by a thread with blocks of its own", || {
            black_box(Arenite::malloc(24));
            free_of_private(24);
        }),
        ("small, by another thread", || {
            thread::spawn(|| free_of_private(24)).join().unwrap();
        }),
    ];
    each_dies(|| {}, DEATHS);
}

#[test]
fn double_frees_die_in_the_checked_heap() {
    const DEATHS: &[Death] = &[
        ("small", || {
            let block = checked(24);
            free_checked(block);
            checked_free(DOUBLE, block);
        }),
        ("medium", || {
            let block = checked(5000);
            free_checked(block);
            checked_free(DOUBLE, block);
        }),
        ("after others", || {
            let (first, second) = (checked(24), checked(24));
            free_checked(first);
            free_checked(second);
            checked_free(DOUBLE, first);
        }),
        ("aligned", || {
            AreniteChecked::prepare();
            let block = AreniteChecked::aligned_alloc(256, 100);
            free_checked(block);
            checked_free(DOUBLE, block);
        }),
        ("zeroed", || {
            AreniteChecked::prepare();
            let block = AreniteChecked::calloc(3, 8);
            free_checked(block);
            checked_free(DOUBLE, block);
        }),
        ("large", || {
            let block = checked(100_000);
            free_checked(block);
            checked_free(INVALID, block);
        }),
        ("huge", || {
            let block = checked(3 << 20);
            free_checked(block);
            checked_free(FOREIGN, block);
        }),
        ("by two threads", || {
            let block = checked(24).expose_provenance();
            thread::spawn(move || {
                free_checked(std::ptr::with_exposed_provenance_mut(block));
            })
            .join()
            .unwrap();
            checked_free(DOUBLE, std::ptr::with_exposed_provenance_mut(block));
        }),
        ("of a block that moved", || {
            let block = checked(24);
            // SAFETY: live.
            let moved = unsafe { AreniteChecked::realloc(block, 500) };
            assert_ne!(block, moved);
            checked_free(DOUBLE, block);
        }),
        ("realloc of a freed block", || {
            let block = checked(24);
            free_checked(block);
            last_words(DOUBLE, block);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { AreniteChecked::realloc(block, 500) });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

#[test]
fn pointers_that_begin_no_block_die_in_the_checked_heap() {
    const DEATHS: &[Death] = &[
        ("inside a small block", || checked_free(INTERIOR, checked(48).wrapping_add(16))),
        ("unaligned", || checked_free(INTERIOR, checked(48).wrapping_add(1))),
        ("inside a medium block", || checked_free(INTERIOR, checked(5000).wrapping_add(4096))),
        ("start of a large block", || checked_free(INTERIOR, checked(100_000).wrapping_add(64))),
        ("inside a large block", || checked_free(INVALID, checked(100_000).wrapping_add(16_384))),
        ("inside a huge block", || checked_free(FOREIGN, checked(3 << 20).wrapping_add(4096))),
        ("free slices", || {
            let arena = checked(24).map_addr(|at| at & !((4 << 20) - 1));
            checked_free(INVALID, arena.wrapping_add((4 << 20) - 16));
        }),
        ("stack", || {
            checked(24);
            let mut word = 0_u64;
            checked_free(FOREIGN, (&raw mut word).cast());
        }),
        ("realloc inside a block", || {
            let inside = checked(48).wrapping_add(16);
            last_words(INTERIOR, inside);
            // SAFETY: none: the process ends before anything is done to the block.
            let _ = black_box(unsafe { AreniteChecked::realloc(inside, 500) });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

/// Overwrites the link in a freed block; says that this block is at fault.
fn smash_link(size: usize, link: fn(*mut u8) -> *mut u8) {
    let blocks: Vec<_> = (0..3).map(|_| checked(size)).collect();
    let live = blocks[2];
    free_checked(blocks[1]);
    free_checked(blocks[0]);
    last_words(SMASHED, blocks[0]);
    // SAFETY: dead, but still mapped: what a use after free does.
    unsafe { blocks[0].cast::<*mut u8>().write(link(live)) };
}

/// Overwrites one word of a block that another thread has freed, as one of three in a chain, and has
/// the chain taken home.
fn smash_chain(word: usize, value: fn(*mut u8) -> *mut u8) {
    let live = Arenite::malloc(100);
    let blocks = [0; 3].map(|_| Arenite::malloc(100).expose_provenance());
    let [carrier, ..] = blocks.map(std::ptr::with_exposed_provenance_mut::<u8>);
    thread::spawn(move || {
        for block in blocks {
            // SAFETY: live, freed once.
            unsafe { Arenite::free(std::ptr::with_exposed_provenance_mut(block)) };
        }
    })
    .join()
    .unwrap();
    last_words(SMASHED, carrier);
    // SAFETY: dead, but still mapped: what a use after free does.
    unsafe { carrier.cast::<*mut u8>().wrapping_add(word).write(value(live)) };
    Arenite::purge();
}

/// The thread that freed the blocks keeps their addresses in one of them.
#[test]
fn overwritten_chains_die_in_the_release_heap() {
    const DEATHS: &[Death] = &[
        ("text for the link", || smash_chain(0, |_| address(0x4141_4141_4141_4141))),
        ("live block of another class for the link", || smash_chain(0, |_| Arenite::malloc(64))),
        ("unaligned", || smash_chain(2, |live| live.wrapping_add(8))),
        ("text that looks like no address", || smash_chain(2, |_| address(0x4141_4141_4141_4141))),
        ("null page", || smash_chain(3, |_| address(64))),
        ("block of another class", || smash_chain(2, |_| Arenite::malloc(64))),
        ("large block", || smash_chain(3, |_| Arenite::malloc(100_000))),
        ("arena without blocks", || smash_chain(2, |live| live.wrapping_add(1 << 20))),
        ("text", || smash_chain(2, |_| text())),
    ];
    each_dies(|| {}, DEATHS);
}

/// Twice by another thread: the chain leads into itself.
#[test]
fn chain_with_a_block_twice_dies_in_the_release_heap() {
    const DEATHS: &[Death] = &[("16 bytes", || {
        let block = Arenite::malloc(16).expose_provenance();
        thread::spawn(move || {
            for _ in 0..2 {
                // SAFETY: none: what a double free does.
                unsafe { Arenite::free(std::ptr::with_exposed_provenance_mut(block)) };
            }
        })
        .join()
        .unwrap();
        last_words(SMASHED, std::ptr::with_exposed_provenance_mut(block));
        Arenite::purge();
    })];
    each_dies(|| {}, DEATHS);
}

/// Overwrites a link and allocates.
fn smash(size: usize, link: fn(*mut u8) -> *mut u8) {
    smash_link(size, link);
    for _ in 0..1000 {
        black_box(AreniteChecked::malloc(size));
    }
}

#[test]
fn overwritten_links_die_in_the_checked_heap() {
    const DEATHS: &[Death] = &[
        ("live block", || smash(48, |live| live)),
        ("inside a block", || smash(48, |live| live.wrapping_add(16))),
        ("unaligned", || smash(48, |live| live.wrapping_add(1))),
        ("block of another class", || smash(48, |_| AreniteChecked::malloc(64))),
        ("text that looks like no address", || smash(48, |_| address(0x4141_4141_4141_4141))),
        ("null page", || smash(48, |_| address(64))),
        ("stack", || {
            smash(48, |_| {
                let mut word = 0_u64;
                (&raw mut word).cast()
            });
        }),
        ("medium", || smash(5000, |live| live.wrapping_add(8))),
        ("large block", || smash(48, |_| AreniteChecked::malloc(100_000))),
        ("free slices", || {
            smash(48, |live| {
                live.map_addr(|at| at & !((4 << 20) - 1)).wrapping_add((4 << 20) - 16)
            });
        }),
    ];
    each_dies(|| {}, DEATHS);
}

/// Overwrites a link and has every dead block sent to its pool.
fn smash_and_purge(size: usize, link: fn(*mut u8) -> *mut u8) {
    smash_link(size, link);
    AreniteChecked::purge();
}

/// The link must not be followed to where the range holds no memory.
#[test]
fn overwritten_links_within_the_range_die_when_the_checked_heap_is_purged() {
    const DEATHS: &[Death] = &[
        ("far reserved memory", || smash_and_purge(200, |live| live.wrapping_add(1 << 30))),
        ("free slices", || {
            smash_and_purge(200, |live| {
                live.map_addr(|at| at & !((4 << 20) - 1)).wrapping_add((4 << 20) - 16)
            });
        }),
        ("tables of the range", || smash_and_purge(200, |_| arena().wrapping_sub(64 << 20))),
        ("block of another class", || smash_and_purge(200, |_| AreniteChecked::malloc(64))),
        ("large block", || smash_and_purge(200, |_| AreniteChecked::malloc(100_000))),
        ("medium", || smash_and_purge(5000, |live| live.wrapping_add(1 << 30))),
    ];
    each_dies(|| {}, DEATHS);
}

#[test]
fn foreign_pointers_go_to_the_next_allocator_where_there_is_one() {
    unsafe fn never(_: *mut u8) {}
    unsafe fn moved(_: *mut u8, size: usize) -> *mut u8 {
        address(size)
    }
    unsafe fn measured(block: *mut u8) -> usize {
        block.addr() + 1
    }
    static NEXT: ForeignFunctions =
        ForeignFunctions { free: never, realloc: moved, usable_size: measured };
    alone(|| {
        // SAFETY: the functions take anything.
        unsafe { Arenite::set_next(&NEXT) };
        let foreign = address(0x1230);
        // SAFETY: the next allocator takes anything.
        unsafe { Arenite::free(foreign) };
        // SAFETY: as above.
        assert_eq!(unsafe { Arenite::realloc(foreign, 77) }.addr(), 77);
        // SAFETY: as above.
        assert_eq!(unsafe { Arenite::usable_size(foreign) }, 0x1231);
    });
}
