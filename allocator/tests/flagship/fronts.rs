//! Fronts: in a small heap what was freed last is handed out first, however much it is; what lies dead
//! in them keeps nobody from memory; and what a larger heap frees in bulk goes home.

use std::ptr;

use arenite::{Arenite, FlagshipStats, Heap};

use crate::block::{fill, free};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::posix::limit_address_space;

/// Bytes in pools, whether their blocks live, lie in a front or are free.
fn pool_bytes(stats: &FlagshipStats) -> usize {
    stats.live_bytes + stats.free_bytes
}

/// How many of 3,000 blocks of 64 bytes, freed one after the other, come back newest first.
fn newest_first() -> usize {
    let freed: Vec<*mut u8> = (0..3000).map(|_| Arenite::malloc(64)).collect();
    for block in &freed {
        free(*block);
    }
    let taken: Vec<*mut u8> = (0..3000).map(|_| Arenite::malloc(64)).collect();
    let count = freed.iter().rev().zip(&taken).filter(|(freed, taken)| freed == taken).count();
    for block in taken {
        free(block);
    }
    count
}

/// A budget, or a count that is not put back, would send most of them home.
#[test]
fn small_heap_hands_out_what_was_freed_last_however_much_it_is() {
    alone(|| {
        assert_eq!(newest_first(), 3000);
        assert_eq!(newest_first(), 3000);
        assert_empty();
    });
}

#[test]
fn heap_that_was_large_is_loose_again_when_it_grows_anew() {
    alone(|| {
        drop(fill(64 << 20, 128));
        drop(fill(2 << 20, 256));
        assert_eq!(newest_first(), 3000);
        assert_empty();
    });
}

#[test]
fn dead_blocks_of_a_small_heap_serve_other_classes() {
    const BYTES: usize = 6 << 20;
    alone(|| {
        for size in [64, 128, 256, 512, 1024, 5120] {
            drop(fill(BYTES, size));
            let stats = Arenite::stats();
            assert!(pool_bytes(&stats) < BYTES / 4 * 5, "after blocks of {size}: {stats}");
        }
        assert_sound();
        assert_empty();
    });
}

#[test]
fn bulk_frees_of_a_large_heap_go_home() {
    const BYTES: usize = 64 << 20;
    alone(|| {
        let kept = fill(2 << 20, 64);
        drop(fill(BYTES, 128));
        let stats = Arenite::stats();
        assert!(pool_bytes(&stats) < BYTES / 16, "{stats}");
        drop(kept);
        assert_empty();
    });
}

/// Dead blocks of one thread serve no other: with many heaps each keeps less of them.
#[test]
fn heaps_share_what_may_lie_in_fronts() {
    const BYTES: usize = 8 << 20;
    alone(|| {
        let others: Vec<Heap> = (0..40).map(|_| Heap::new().unwrap()).collect();
        drop(fill(BYTES, 128));
        let stats = Arenite::stats();
        assert!(pool_bytes(&stats) < BYTES / 4, "{stats}");
        drop(others);
        assert_empty();
    });
}

/// Blocks that lead to each other by their first words: a list that needs no memory of its own.
struct Chain {
    first: *mut *mut u8,
    count: usize,
}

impl Chain {
    /// Up to `most` blocks of `size` bytes, as far as memory goes.
    fn take(most: usize, size: usize) -> Self {
        let mut chain = Self { first: ptr::null_mut(), count: 0 };
        while chain.count < most {
            let block: *mut *mut u8 = Arenite::malloc(size).cast();
            if block.is_null() {
                break;
            }
            // SAFETY: a live block of 8 bytes or more.
            unsafe { block.write(chain.first.cast()) };
            chain.first = block;
            chain.count += 1;
        }
        chain
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        while !self.first.is_null() {
            let block = self.first;
            // SAFETY: written when the block was taken.
            self.first = unsafe { block.read() }.cast();
            free(block.cast());
        }
    }
}

#[test]
fn dead_blocks_in_fronts_serve_a_request_before_it_is_refused() {
    const DEAD: usize = 8 << 20;
    const LARGE: usize = 64 << 10;
    alone(|| {
        limit_address_space(256 << 20);
        let all = Chain::take(usize::MAX, LARGE).count;
        let leave_dead = || drop(Chain::take(DEAD / 64, 64));
        leave_dead();
        let again = Chain::take(usize::MAX, LARGE).count;
        assert!(again + DEAD / LARGE / 8 > all, "{again} of {all} large blocks");
        // And pools, where large blocks have everything else.
        leave_dead();
        let large = Chain::take(all - DEAD / LARGE, LARGE);
        let small = Chain::take(DEAD / 4 * 3 / 512, 512);
        assert_eq!(small.count, DEAD / 4 * 3 / 512, "beside {} large blocks", large.count);
        drop((large, small));
        assert_sound();
    });
}

/// As above for a heap so small that its fronts do not go home as it grows.
#[test]
fn a_few_dead_blocks_serve_a_pool_before_it_is_refused() {
    const SLICE: usize = 16 << 10;
    alone(|| {
        limit_address_space(256 << 20);
        let all = Chain::take(usize::MAX, 4 * SLICE).count;
        drop(Chain::take(8 * SLICE / 64, 64));
        let large = Chain::take(all - 3, 4 * SLICE);
        let small = Chain::take(8 * SLICE / 512, 512);
        // All but the pool that the class of 64 bytes keeps.
        assert_eq!(small.count, 7 * SLICE / 512, "beside {} large blocks", large.count);
        drop((large, small));
        assert_sound();
    });
}
