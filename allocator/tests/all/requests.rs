//! Odd requests: nothing, far too much, aligned, zeroed.

use std::collections::HashSet;

use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python39};

use crate::slots::SlottedNext;
use crate::subject::{Subject, presets};

const TOO_LARGE: usize = isize::MAX as usize + 1;

#[test]
fn zero_size_gives_distinct_blocks_of_the_next_allocator() {
    for (name, mut heap) in presets() {
        let blocks = [
            heap.malloc(0),
            heap.malloc(0),
            heap.calloc(0, 8),
            heap.calloc(8, 0),
            heap.aligned_alloc(64, 0),
            // SAFETY: null is allowed.
            unsafe { heap.realloc(std::ptr::null_mut(), 0) },
        ];
        assert!(blocks.iter().all(|block| !block.is_null()), "{name}");
        assert_eq!(blocks.iter().collect::<HashSet<_>>().len(), blocks.len(), "{name}");
        // SAFETY: live blocks.
        assert!(blocks.iter().all(|&block| !unsafe { heap.owns(block) }), "{name}");
        assert_eq!(heap.stats().raw_blocks, blocks.len() as i64);
        for block in blocks {
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
        assert_eq!(heap.stats().raw_blocks, 0);
    }
}

/// `SlottedNext` fails the test when such a size reaches it.
#[test]
fn sizes_above_the_largest_object_are_refused_everywhere() {
    let strict: ClassicHeap<Python39, ArenaIndex<3>, MmapSource, SlottedNext> =
        ClassicHeap::new(MmapSource, SlottedNext::default());
    let strict: Box<dyn Subject> = Box::new(strict);
    for mut heap in presets().into_iter().map(|(_, heap)| heap).chain([strict]) {
        let block = heap.malloc(40);
        let large = heap.malloc(4000);
        for size in [TOO_LARGE, TOO_LARGE + 1, usize::MAX - 15, usize::MAX] {
            assert!(heap.malloc(size).is_null());
            assert!(heap.calloc(1, size).is_null());
            assert!(heap.calloc(size, 1).is_null());
            assert!(heap.aligned_alloc(16, size).is_null());
            assert!(heap.aligned_alloc(4096, size).is_null());
            // SAFETY: null and live blocks; refused, so they stay alive.
            assert!(unsafe { heap.realloc(std::ptr::null_mut(), size) }.is_null());
            // SAFETY: as above.
            assert!(unsafe { heap.realloc(block, size) }.is_null());
            // SAFETY: as above.
            assert!(unsafe { heap.realloc(large, size) }.is_null());
        }
        // Products that wrap around to nothing, to large and to small sizes.
        let wrapping = [(1 << 32, 1 << 32), (usize::MAX / 2, 3), ((1 << 60) + 1, 16)];
        for (count, size) in wrapping.into_iter().chain([(usize::MAX, usize::MAX)]) {
            assert!(heap.calloc(count, size).is_null(), "{count} * {size}");
        }
        assert_eq!(heap.stats().allocated_blocks(), 2);
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
        // SAFETY: live, freed once.
        unsafe { heap.free(large) };
        heap.assert_sound();
    }
}

#[test]
fn the_threshold_parts_pools_from_the_next_allocator() {
    for (_, mut heap) in presets() {
        let (small, large) = (heap.malloc(heap.threshold()), heap.malloc(heap.threshold() + 1));
        // SAFETY: a live block.
        assert!(unsafe { heap.owns(small) });
        // SAFETY: a live block.
        assert!(!unsafe { heap.owns(large) });
        // SAFETY: live, freed once.
        unsafe { heap.free(small) };
        // SAFETY: live, freed once.
        unsafe { heap.free(large) };
    }
}

#[test]
fn free_of_null_does_nothing() {
    for (_, mut heap) in presets() {
        // SAFETY: null is allowed, also before the first allocation.
        unsafe { heap.free(std::ptr::null_mut()) };
        assert_eq!(heap.stats().allocated_blocks(), 0);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { heap.usable_size(std::ptr::null_mut()) }, 0);
    }
}

#[test]
fn foreign_blocks_can_be_freed_before_the_first_allocation() {
    for (name, mut heap) in presets() {
        // The test program's own allocator is the system's.
        let block = Box::leak(vec![7_u8; 100_000].into_boxed_slice()).as_mut_ptr();
        // SAFETY: a live block of the system malloc, freed once.
        unsafe { heap.free(block) };
        assert_eq!(heap.stats().raw_blocks, -1, "{name}");
    }
}

#[test]
fn alignment_wider_than_the_geometry_goes_to_the_next_allocator() {
    for (name, mut heap) in presets() {
        for align in (0..17).map(|shift| 1_usize << shift) {
            for size in [1, 17, 100, 512, 5000] {
                let block = heap.aligned_alloc(align, size);
                assert!(block.addr().is_multiple_of(align), "{name}: {align}, {size}");
                // SAFETY: a live block.
                let owned = unsafe { heap.owns(block) };
                assert_eq!(owned, align <= heap.alignment() && heap.is_small(size));
                // SAFETY: in bounds of a live block.
                unsafe { block.write_bytes(0xa5, size) };
                // SAFETY: live, freed once.
                unsafe { heap.free(block) };
            }
        }
        for align in [0, 3, 24, usize::MAX] {
            assert!(heap.aligned_alloc(align, 32).is_null(), "{name}: {align}");
        }
        assert_eq!(heap.stats().allocated_blocks(), 0);
    }
}

#[test]
fn calloc_clears_the_requested_bytes_of_recycled_blocks_and_no_more() {
    for (name, mut heap) in presets() {
        // Keeps the arena where every empty one is given back.
        let anchor = heap.malloc(1);
        for size in 1..=heap.threshold() {
            let usable = heap.block_bytes(size);
            let dirty = heap.malloc(size);
            // SAFETY: in bounds of a live block.
            unsafe { dirty.write_bytes(0xa5, usable) };
            // SAFETY: live, freed once.
            unsafe { heap.free(dirty) };
            let block = heap.calloc(1, size);
            assert_eq!(block, dirty, "{name}: the dirty block is recycled");
            // SAFETY: the whole block was written above; its first word by the free list since.
            let bytes = unsafe { std::slice::from_raw_parts(block, usable) };
            assert!(bytes[..size].iter().all(|&byte| byte == 0), "{name}, {size} bytes");
            let rest = bytes[size.max(8)..].iter().all(|&byte| byte == 0xa5);
            assert!(rest, "{name}, {size} bytes: the rest of the block is left alone");
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
        // SAFETY: live, freed once.
        unsafe { heap.free(anchor) };
    }
}

#[test]
fn every_usable_byte_of_every_small_size_can_be_written() {
    for (name, mut heap) in presets() {
        let blocks: Vec<*mut u8> =
            (0..=2 * heap.threshold()).map(|size| heap.malloc(size)).collect();
        for (size, &block) in blocks.iter().enumerate() {
            // SAFETY: a live block.
            let usable = unsafe { heap.usable_size(block) };
            assert!(usable >= size, "{name}");
            // SAFETY: in bounds of a live block.
            unsafe { block.write_bytes(size as u8, usable) };
        }
        heap.assert_sound();
        for (size, &block) in blocks.iter().enumerate() {
            // SAFETY: in bounds of a live block, written above.
            let bytes = unsafe { std::slice::from_raw_parts(block, size) };
            assert!(bytes.iter().all(|&byte| byte == size as u8), "{name}: {size}");
            // SAFETY: live, freed once.
            unsafe { heap.free(block) };
        }
        heap.assert_sound();
    }
}
