//! Realloc: which blocks stay, and what happens to those that move.

use arenite::fault::{FaultPlan, FaultyNext, FaultySource};
use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python23, SystemMalloc};

use crate::slots::{BEYOND, SlottedNext};
use crate::subject::presets;

/// Marks the first `len` bytes.
fn mark(block: *mut u8, len: usize) {
    for offset in 0..len {
        // SAFETY: in bounds of a live block.
        let byte = unsafe { block.add(offset) };
        // SAFETY: as above.
        unsafe { byte.write(offset as u8 ^ 0x5a) };
    }
}

fn assert_marked(block: *mut u8, len: usize) {
    // SAFETY: in bounds of a live block, written before.
    let bytes = unsafe { std::slice::from_raw_parts(block, len) };
    assert!(bytes.iter().enumerate().all(|(offset, &byte)| byte == offset as u8 ^ 0x5a));
}

#[test]
fn a_block_stays_iff_it_fits_and_wastes_less_than_a_quarter() {
    for (name, mut heap) in presets() {
        for old in 1..=512.min(heap.threshold()) {
            let block_bytes = heap.block_bytes(old);
            for new in 1..=600 {
                let block = heap.malloc(old);
                mark(block, old.min(16));
                // SAFETY: a live block.
                let moved = unsafe { heap.realloc(block, new) };
                let stays = (block_bytes * 3 / 4 + 1..=block_bytes).contains(&new);
                assert_eq!(moved == block, stays, "{name}: {old} -> {new}");
                assert_marked(moved, old.min(new).min(16));
                // SAFETY: live, freed once.
                unsafe { heap.free(moved) };
            }
        }
        heap.assert_sound();
        assert_eq!(heap.stats().allocated_blocks(), 0);
    }
}

#[test]
fn every_class_resized_to_every_class_keeps_the_contents() {
    for (_, mut heap) in presets() {
        let sizes: Vec<usize> = (1..=heap.threshold()).step_by(heap.alignment()).collect();
        for &old in &sizes {
            for &new in &sizes {
                let (old, new) = (heap.block_bytes(old), heap.block_bytes(new));
                let block = heap.malloc(old);
                mark(block, old);
                // SAFETY: a live block.
                let moved = unsafe { heap.realloc(block, new) };
                assert_marked(moved, old.min(new));
                // SAFETY: a live block.
                let usable = unsafe { heap.usable_size(moved) };
                assert_eq!(usable, if moved == block { old } else { new });
                // SAFETY: live, freed once.
                unsafe { heap.free(moved) };
            }
        }
        heap.assert_sound();
    }
}

#[test]
fn shrinking_within_one_class_moves_to_another_block_of_it() {
    for (_, mut heap) in presets().into_iter().filter(|(_, heap)| heap.alignment() == 16) {
        let block = heap.malloc(16);
        // SAFETY: a live block.
        let moved = unsafe { heap.realloc(block, 8) };
        assert_ne!(moved, block);
        // SAFETY: a live block.
        assert_eq!(unsafe { heap.usable_size(moved) }, 16);
        // SAFETY: live, freed once.
        unsafe { heap.free(moved) };
    }
}

#[test]
fn growing_past_the_threshold_leaves_the_pools_and_counts_a_raw_block() {
    for (_, mut heap) in presets() {
        let block = heap.malloc(200);
        mark(block, 200);
        // SAFETY: a live block.
        let moved = unsafe { heap.realloc(block, 100_000) };
        assert_marked(moved, 200);
        // SAFETY: a live block.
        assert!(!unsafe { heap.owns(moved) });
        assert_eq!((heap.stats().pool_blocks(), heap.stats().raw_blocks), (0, 1));
        // SAFETY: live, freed once.
        unsafe { heap.free(moved) };
        assert_eq!(heap.stats().raw_blocks, 0);
    }
}

#[test]
fn resizing_an_owned_block_to_nothing_gives_a_foreign_byte() {
    for (_, mut heap) in presets() {
        let block = heap.malloc(64);
        // SAFETY: a live block.
        let moved = unsafe { heap.realloc(block, 0) };
        // SAFETY: a live block.
        assert!(!moved.is_null() && !unsafe { heap.owns(moved) });
        assert_eq!(heap.stats().pool_blocks(), 0);
        // SAFETY: live, freed once.
        unsafe { heap.free(moved) };
    }
}

#[test]
fn a_foreign_block_stays_foreign_or_is_taken_over_by_era() {
    for (name, mut heap) in presets() {
        for new in [0, 1, 100, heap.threshold(), heap.threshold() + 1, 3000, 50_000] {
            let block = heap.malloc(2000);
            mark(block, 2000);
            // SAFETY: a live block.
            let moved = unsafe { heap.realloc(block, new) };
            assert_marked(moved, new.min(2000));
            let expected = heap.takes_over() && new <= heap.threshold();
            // SAFETY: a live block.
            assert_eq!(unsafe { heap.owns(moved) }, expected, "{name}: 2000 -> {new}");
            assert_eq!(heap.stats().allocated_blocks(), 1, "{name}: 2000 -> {new}");
            assert_eq!(heap.stats().raw_blocks, i64::from(!expected));
            // SAFETY: live, freed once.
            unsafe { heap.free(moved) };
        }
        assert_eq!(heap.takes_over(), name == "pymalloc-2.3");
    }
}

/// The block that is taken over is smaller than its new size: only what it holds may be read.
#[test]
fn taking_over_a_growing_foreign_block_reads_only_what_it_holds() {
    let mut heap: Box<ClassicHeap<Python23, ArenaIndex<2>, MmapSource, SlottedNext>> =
        Box::new(ClassicHeap::new(MmapSource, SlottedNext::default()));
    let block = heap.malloc(0);
    mark(block, 1);
    // SAFETY: a live block.
    let moved = unsafe { heap.realloc(block, 200) };
    // SAFETY: a live block.
    assert!(unsafe { heap.owns(moved) });
    assert_marked(moved, 1);
    // SAFETY: a fresh block of a fresh mapping, so all of it is initialised.
    let bytes = unsafe { std::slice::from_raw_parts(moved, 200) };
    // The first word once linked free blocks: any byte may stand in an address.
    assert!(!bytes[8..].contains(&BEYOND), "bytes beyond the foreign block were copied");
    // SAFETY: live, freed once.
    unsafe { heap.free(moved) };
    assert_eq!(heap.stats().allocated_blocks(), 0);
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
}

#[test]
fn refused_take_over_leaves_the_foreign_block_as_it_was() {
    // Request 0 serves the foreign block, all others are refused.
    let plan = FaultPlan::refusing(1..u64::MAX);
    let source = FaultySource::new(MmapSource, &plan);
    let next = FaultyNext::new(SystemMalloc, &plan);
    let mut heap: Box<ClassicHeap<Python23, ArenaIndex<2>, _, _>> =
        Box::new(ClassicHeap::new(source, next));
    let block = heap.malloc(1000);
    mark(block, 1000);
    // SAFETY: a live block, which stays alive when the result is null.
    assert!(unsafe { heap.realloc(block, 100) }.is_null());
    // SAFETY: as above.
    let shrunk = unsafe { heap.realloc(block, 0) };
    assert_eq!(shrunk, block, "shrinking to nothing is never refused");
    assert_marked(block, 1000);
    // SAFETY: live, freed once.
    unsafe { heap.free(block) };
    assert_eq!((heap.stats().allocated_blocks(), plan.outstanding()), (0, 0));
}
