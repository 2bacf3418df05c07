//! Where blocks come from, and in which order.

use crate::subject::{Subject, presets};

/// Frees all blocks and the heap.
fn finish(mut heap: Box<dyn Subject>, blocks: impl IntoIterator<Item = *mut u8>) {
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    heap.assert_sound();
    // SAFETY: no block is left.
    unsafe { heap.give_back() };
}

#[test]
fn a_fresh_pool_hands_out_ascending_addresses_until_its_capacity() {
    for (name, mut heap) in presets() {
        for size in (1..=heap.threshold()).step_by(heap.alignment()) {
            let (capacity, bytes) = (heap.capacity(size), heap.block_bytes(size));
            let blocks: Vec<*mut u8> = (0..=capacity).map(|_| heap.malloc(size)).collect();
            let pool = heap.pool_of(blocks[0]);
            for (number, block) in blocks[..capacity].iter().enumerate() {
                assert_eq!(block.addr(), pool + 48 + number * bytes, "{name}, {size} bytes");
            }
            assert_ne!(heap.pool_of(blocks[capacity]), pool, "{name}, {size} bytes");
            let class = heap.stats().classes()[bytes / heap.alignment() - 1];
            assert_eq!((class.pools, class.live_blocks), (2, capacity + 1));
            for block in blocks {
                // SAFETY: live, freed once.
                unsafe { heap.free(block) };
            }
        }
        finish(heap, []);
    }
}

#[test]
fn freed_blocks_come_back_last_in_first_out() {
    for (_, mut heap) in presets() {
        let blocks: Vec<*mut u8> = (0..20).map(|_| heap.malloc(40)).collect();
        for place in [3, 17, 5, 11] {
            // SAFETY: live, freed once.
            unsafe { heap.free(blocks[place]) };
        }
        for place in [11, 5, 17, 3] {
            assert_eq!(heap.malloc(40), blocks[place]);
        }
        finish(heap, blocks);
    }
}

#[test]
fn a_block_is_cut_only_when_the_free_list_is_dry() {
    for (_, mut heap) in presets() {
        let first = heap.malloc(64);
        let second = heap.malloc(64);
        // SAFETY: live, freed once.
        unsafe { heap.free(first) };
        assert_eq!(heap.malloc(64), first, "a freed block before a virgin one");
        let third = heap.malloc(64);
        assert_eq!(third.addr(), second.addr() + 64);
        finish(heap, [first, second, third]);
    }
}

#[test]
fn a_pool_that_was_full_goes_to_the_front_of_its_class() {
    for (_, mut heap) in presets() {
        let capacity = heap.capacity(128);
        let full: Vec<*mut u8> = (0..capacity).map(|_| heap.malloc(128)).collect();
        let other = heap.malloc(128);
        assert_ne!(heap.pool_of(other), heap.pool_of(full[0]));
        // SAFETY: live, freed once.
        unsafe { heap.free(full[7]) };
        assert_eq!(heap.malloc(128), full[7], "the pool that was full is in front");
        let behind = heap.malloc(128);
        assert_eq!(heap.pool_of(behind), heap.pool_of(other), "and leaves it when full again");
        heap.assert_sound();
        finish(heap, full.into_iter().chain([other, behind]));
    }
}

#[test]
fn used_pools_in_the_middle_and_at_the_end_of_a_list_can_fall_empty() {
    for (_, mut heap) in presets() {
        let capacity = heap.capacity(256);
        let blocks: Vec<*mut u8> = (0..5 * capacity).map(|_| heap.malloc(256)).collect();
        let pools: Vec<&[*mut u8]> = blocks.chunks(capacity).collect();
        // One block from each: a list of five used pools, the last freed in front.
        for pool in &pools {
            // SAFETY: live, freed once.
            unsafe { heap.free(pool[0]) };
        }
        for place in [2, 0, 4, 1, 3] {
            for &block in &pools[place][1..] {
                // SAFETY: live, freed once.
                unsafe { heap.free(block) };
            }
            heap.assert_sound();
        }
        finish(heap, []);
    }
}

#[test]
fn an_empty_pool_is_reused_last_in_first_out_by_any_class() {
    for (_, mut heap) in presets() {
        // Keeps the arena where every empty one is given back.
        let anchor = heap.malloc(256);
        let early = heap.malloc(48);
        let late = heap.malloc(80);
        let (early_pool, late_pool) = (heap.pool_of(early), heap.pool_of(late));
        // SAFETY: live, freed once.
        unsafe { heap.free(early) };
        // SAFETY: live, freed once.
        unsafe { heap.free(late) };
        let first = heap.malloc(200);
        let second = heap.malloc(8);
        assert_eq!(heap.pool_of(first), late_pool);
        assert_eq!(heap.pool_of(second), early_pool);
        assert_eq!(first.addr(), late_pool + 48, "cut anew for the other class");
        finish(heap, [anchor, first, second]);
    }
}

#[test]
fn an_empty_pool_taken_by_the_same_class_keeps_its_free_list() {
    for (_, mut heap) in presets() {
        // Keeps the arena where every empty one is given back.
        let anchor = heap.malloc(256);
        let blocks: Vec<*mut u8> = (0..6).map(|_| heap.malloc(96)).collect();
        for place in [0, 1, 2, 4, 5, 3] {
            // SAFETY: live, freed once.
            unsafe { heap.free(blocks[place]) };
        }
        let again: Vec<*mut u8> = (0..6).map(|_| heap.malloc(96)).collect();
        let expected: Vec<*mut u8> = [3, 5, 4, 2, 1, 0].map(|place| blocks[place]).into();
        assert_eq!(again, expected, "not ascending, as a pool cut anew would be");
        finish(heap, again.into_iter().chain([anchor]));
    }
}
