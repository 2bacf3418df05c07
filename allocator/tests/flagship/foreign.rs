//! The ownership test on addresses that are not ours: never a fault, never a wrong answer.

use std::ptr::without_provenance as address;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use arenite::Arenite;

use crate::block::{Block, Called, Request};
use crate::child::alone;
use crate::random::Random;

/// Addresses to ask about.
const ADDRESSES: usize = if cfg!(debug_assertions) { 100_000 } else { 10_000_000 };

/// An address that no block of this heap can have: outside of what user space can map, unaligned
/// numbers near null, and this thread's stack and text and the system malloc's blocks.
fn foreign(random: &mut Random, known: &[usize]) -> usize {
    let bits = random.next() as usize;
    match bits % 5 {
        0 => bits >> 52,
        1 => bits | 1 << 47,
        2 => bits | 1 << 63,
        3 => !(bits >> 40),
        _ => known[random.below(known.len())].wrapping_add(bits >> 60),
    }
}

#[test]
fn foreign_addresses_are_never_owned_while_arenas_come_and_go() {
    alone(|| {
        let mut random = Random::seeded("foreign", 11);
        let stack = 0_u64;
        let boxed = Box::new([0_u8; 64]);
        let known = [
            (&raw const stack).addr(),
            boxed.as_ptr().addr(),
            (foreign as fn(&mut Random, &[usize]) -> usize as *const u8).addr(),
        ];
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for lane in 0..2 {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        // Several arenas, and mappings of their own.
                        let make = |size| Block::new(Called, Request::of(size), lane).unwrap();
                        let large: Vec<_> = (0..20).map(|_| make(1 << 20)).collect();
                        let huge = make(2 << 20);
                        drop((large, huge));
                        Arenite::purge();
                    }
                });
            }
            for _ in 0..ADDRESSES {
                let at = foreign(&mut random, &known);
                assert!(!Arenite::owns(address(at)), "{at:#x}");
            }
            // Anywhere: no answer is wrong that can be checked, but none may fault either.
            for _ in 0..ADDRESSES {
                let _either = Arenite::owns(address(random.next() as usize >> 17));
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

/// Every address of a pool and around it, and every OS page of the larger kinds.
#[test]
fn addresses_around_blocks_are_owned_as_far_as_the_block_or_its_pool() {
    alone(|| {
        for size in [0, 1000, 30_000] {
            let block = Block::new(Called, Request::of(size), 1).unwrap();
            for at in 0..=block.usable_size() {
                let inside = at < block.usable_size();
                assert!(Arenite::owns(block.start().wrapping_add(at)) || !inside, "{size} {at}");
            }
        }
        let large = Block::new(Called, Request::of(100_000), 1).unwrap();
        assert!(Arenite::owns(large.start()));
        assert!(!Arenite::owns(large.start().wrapping_add(16 << 10)), "not where it begins");
        let huge = Block::new(Called, Request::of(2 << 20), 1).unwrap();
        assert!(Arenite::owns(huge.start()));
        for at in [-4096, -1, 1, 4096, 2 << 20] {
            assert!(!Arenite::owns(huge.start().wrapping_offset(at)), "{at}");
        }
    });
}

#[test]
fn memory_that_went_back_is_not_owned_any_more() {
    alone(|| {
        let blocks: Vec<_> = [24, 5000, 100_000, 3 << 20]
            .map(|size| Block::new(Called, Request::of(size), 1).unwrap())
            .into();
        let starts: Vec<_> = blocks.iter().map(|block| block.start().addr()).collect();
        drop(blocks);
        Arenite::purge();
        assert!(starts.into_iter().all(|start| !Arenite::owns(address(start))));
    });
}
