//! Every size, alignment, zero, overflow, and calloc on used memory.

use arenite::Arenite;

use crate::block::{Block, Called, Inlined, Request};
use crate::child::alone;

/// Sizes around every edge: of classes, slices, the largest pool block, the largest span.
pub(crate) fn edges() -> Vec<usize> {
    let mut sizes = vec![0];
    let mut size = 1;
    while size <= 64 << 10 {
        let usable = Arenite::good_size(size);
        sizes.extend([usable - 1, usable]);
        size = usable + 1;
    }
    for edge in [128 << 10, 256 << 10, 1 << 20, (1 << 20) + 4096, 3 << 20] {
        sizes.extend([edge - 1, edge, edge + 1]);
    }
    sizes
}

fn block(size: usize) -> Block<Called> {
    Block::new(Called, Request::of(size), size).expect("memory")
}

#[test]
fn usable_size_is_writable_and_good_size_tells_it() {
    alone(|| {
        for size in 1..=65_536 {
            let start = Arenite::malloc(size);
            // SAFETY: live.
            let usable = unsafe { Arenite::usable_size(start) };
            assert!(usable >= size, "{size}");
            assert_eq!(Arenite::good_size(size), usable, "{size}");
            // SAFETY: usable to the last byte.
            unsafe { start.write_bytes(0xa5, usable) };
            // SAFETY: live, freed once.
            unsafe { Arenite::free(start) };
        }
    });
}

#[test]
fn neighbours_filled_to_their_usable_size_do_not_touch_each_other() {
    alone(|| {
        for size in edges() {
            let blocks: Vec<_> = (0..5).map(|_| block(Arenite::good_size(size))).collect();
            for block in &blocks {
                assert_eq!(block.usable_size(), block.size().max(16));
                block.check();
            }
        }
    });
}

#[test]
fn zero_bytes_get_a_block_of_their_own() {
    alone(|| {
        let blocks: Vec<_> = (0..100).map(|_| block(0)).collect();
        let mut starts: Vec<_> = blocks.iter().map(Block::start).collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts.len(), 100);
        for align in (0..=30).map(|shift| 1 << shift) {
            let request = Request { size: 0, align, zeroed: false };
            let two = [1, 2].map(|place| Block::new(Called, request, place).expect("memory"));
            assert_ne!(two[0].start(), two[1].start(), "{align}");
            assert!(two[0].usable_size() > 0, "{align}");
        }
    });
}

#[test]
fn every_alignment_is_kept_for_every_kind_of_size() {
    alone(|| {
        for align in (0..=30).map(|shift| 1_usize << shift) {
            for size in [0, 1, 24, 100, 1000, 1025, 16 << 10, 40_000, 1 << 20, 3 << 20] {
                for zeroed in [false, true] {
                    let request = Request { size, align, zeroed };
                    // Several at once, so that some do not lie where spans and pools begin.
                    let blocks: Vec<_> = (0..3)
                        .map(|at| Block::new(Inlined, request, size + at).expect("memory"))
                        .collect();
                    assert_eq!(blocks.len(), 3);
                }
                let request = Request { size, align, zeroed: false };
                let mut block = Block::new(Inlined, request, size).expect("memory");
                for size in [size / 2, size * 2 + 1, 40_000, 17] {
                    assert!(block.resize(size));
                    assert!(block.start().addr().is_multiple_of(align), "{align} {size}");
                }
            }
        }
    });
}

#[test]
fn alignments_that_are_none_or_too_large_get_nothing() {
    for align in [0, 3, 24, 48, 1 << 31, 1 << 62, 1 << 63, usize::MAX] {
        assert!(Arenite::aligned_alloc(align, 100).is_null(), "{align}");
    }
}

#[test]
fn impossible_sizes_get_nothing_and_leave_the_old_block() {
    alone(|| {
        let limit = isize::MAX as usize;
        for size in [limit - 4096, limit - 1, limit, limit + 1, usize::MAX - 4096, usize::MAX] {
            assert!(Arenite::malloc(size).is_null(), "{size:#x}");
            assert!(Arenite::calloc(1, size).is_null(), "{size:#x}");
            for align in [16, 4096, 1 << 16, 1 << 21, 1 << 30] {
                assert!(Arenite::aligned_alloc(align, size).is_null(), "{align} {size:#x}");
            }
            for old in [10, 5000, 100_000, 3 << 20] {
                assert!(!block(old).resize(size), "{old} to {size:#x}");
            }
        }
    });
}

#[test]
fn calloc_gets_nothing_where_the_product_overflows() {
    for (count, size) in [(usize::MAX, 2), (2, usize::MAX), (1 << 32, 1 << 32), (1 << 33, 1 << 31)]
    {
        assert!(Arenite::calloc(count, size).is_null(), "{count} {size}");
    }
    let block = Arenite::calloc(0, usize::MAX);
    assert!(!block.is_null());
    // SAFETY: live, freed once.
    unsafe { Arenite::free(block) };
}

/// Several blocks of a size, full of ones to the last byte, are freed, and as many are asked for.
#[test]
fn calloc_is_zero_on_memory_that_was_used() {
    alone(|| {
        for size in edges() {
            for _ in 0..2 {
                let dirty: Vec<_> = (0..6).map(|_| Arenite::malloc(size)).collect();
                for &start in &dirty {
                    // SAFETY: live, and usable that far.
                    unsafe { start.write_bytes(0xff, Arenite::good_size(size)) };
                }
                for start in dirty {
                    // SAFETY: live, freed once.
                    unsafe { Arenite::free(start) };
                }
            }
            let zeroed: Vec<_> = (0..12).map(|_| Arenite::calloc(1, size)).collect();
            for start in zeroed {
                // SAFETY: live, and initialised that far.
                let bytes = unsafe { std::slice::from_raw_parts(start, size) };
                assert!(bytes.iter().max().is_none_or(|&max| max == 0), "{size}");
                // SAFETY: live, freed once.
                unsafe { Arenite::free(start) };
            }
        }
    });
}

#[test]
fn null_is_freed_and_measured_as_nothing() {
    // SAFETY: null is allowed.
    unsafe { Arenite::free(std::ptr::null_mut()) };
    // SAFETY: null is allowed.
    assert_eq!(unsafe { Arenite::usable_size(std::ptr::null_mut()) }, 0);
}
