//! Random calls: the contents of every live block are known and looked at, by every door; now and
//! then every invariant, and whether the heap counts as many live blocks as there are.

use std::env;

use arenite::{Arenite, AreniteChecked, Heap};

use crate::block::{Block, Called, Checked, Door, Inlined, Request};
use crate::child::alone;
use crate::heap::{assert_empty, assert_sound};
use crate::posix;
use crate::random::Random;

/// Calls between two looks at the whole heap.
const LOOK_EVERY: u64 = 2000;

/// Mostly small, now and then anything up to 4 MiB.
pub(crate) fn random_size(random: &mut Random) -> usize {
    let shift = match random.below(100) {
        0..70 => random.below(9),
        70..95 => random.below(14),
        95..99 => random.below(19),
        _ => random.below(22),
    };
    random.next() as usize & ((2 << shift) - 1)
}

/// One random call on at most `live_max` blocks.
pub(crate) fn step<D: Door>(
    door: D,
    random: &mut Random,
    blocks: &mut Vec<Block<D>>,
    live_max: usize,
) {
    let birth = blocks.is_empty() || blocks.len() < live_max && random.below(2) == 0;
    let size = random_size(random);
    if birth {
        let request = match random.below(8) {
            0 => Request { size, align: 1, zeroed: true },
            1 => Request { size, align: 1 << random.below(17), zeroed: false },
            _ => Request::of(size),
        };
        let place = random.next() as usize;
        blocks.push(Block::new(door, request, place).expect("memory"));
        return;
    }
    let at = random.below(blocks.len());
    if random.below(4) == 0 {
        assert!(blocks[at].resize(size), "memory");
    } else {
        drop(blocks.swap_remove(at));
    }
}

/// `ARENITE_MODEL_OPS` calls, or as many as given.
fn steps<D: Door>(door: D, default: u64, seed: u64) {
    let operations = env::var("ARENITE_MODEL_OPS").ok().and_then(|text| text.parse().ok());
    let mut random = Random::seeded("model", seed);
    let mut blocks = Vec::new();
    for turn in 0..operations.unwrap_or(default) {
        step(door, &mut random, &mut blocks, 2000);
        if turn % LOOK_EVERY == 0 {
            assert_sound();
            assert_eq!(Arenite::stats().live_blocks(), blocks.len(), "call {turn}");
        }
    }
}

#[test]
fn contents_survive_random_calls() {
    alone(|| {
        posix::alarm(0);
        steps(Called, 1_000_000, 1);
        assert_empty();
    });
}

#[test]
fn contents_survive_random_calls_of_a_global_allocator() {
    alone(|| {
        steps(Inlined, 100_000, 2);
        assert_empty();
    });
}

#[test]
fn contents_survive_random_calls_with_checks() {
    alone(|| {
        AreniteChecked::prepare();
        steps(Checked, 100_000, 3);
        assert_empty();
    });
}

#[test]
fn contents_survive_random_calls_in_a_private_heap() {
    alone(|| {
        let heap = Heap::new().expect("memory");
        steps(&heap, 100_000, 4);
        drop(heap);
        assert_empty();
    });
}
