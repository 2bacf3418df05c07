//! `phase-churn`: a program that goes over to blocks of another size, again and again.
//!
//! An allocator that keeps what one size has freed from every other size, or that gives nothing
//! back of a block that shrank, needs several times the memory here. Replacing blocks in a live set
//! shows neither: the sizes there stay those they were. One cycle, with `live` in KiB:
//! ```text
//! 128, 512, 2048, 8192, 40000   for each size in turn: malloc until `live` KiB are there, free all
//! shrinking                     malloc 1 MiB, realloc it to 40000 bytes, and so on; free all
//! ```
//! Of a phase's blocks the older half is freed in order of allocation, the younger in random order.
//! Nothing is alive between two phases. Before they shrink, the blocks of the last phase come to
//! [`SHRINKING_TIMES`] times the bytes of another phase; at most one of them is large at a time.
//!
//! The sizes are made up.

use super::dice::Dice;
use super::emitter::Emitter;
use super::quota::Quota;
use super::{DEFAULT_PHASE_LIVE, MIN_LIVE, Spec};
use crate::event::BlockId;

/// Sizes of the phases of one size, in bytes.
pub(super) const SIZES: [u64; 5] = [128, 512, 2048, 8192, 40_000];

/// Size of a shrinking block before and after, in bytes.
pub(super) const SHRINKING: (u64, u64) = (1 << 20, 40_000);

/// Bytes of all shrinking blocks before they shrink, in times the bytes of a phase of one size: so many
/// that most bytes are alive, and memory is read, where the last of them has not shrunk yet.
const SHRINKING_TIMES: u64 = 16;

/// Emits the region up to, but without, its end mark; there is no live set before it.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let bytes = spec.live << 10;
    let mut region = Quota::start(operations, heap);
    while cycle(bytes, &mut region, dice).is_some() {}
}

/// All phases once; `None` when the region is full.
fn cycle(bytes: u64, region: &mut Quota<'_, '_>, dice: &mut Dice) -> Option<()> {
    for size in SIZES {
        let blocks: Option<Vec<BlockId>> = (0..bytes / size).map(|_| region.malloc(size)).collect();
        region.free_all(in_order_of_death(blocks?, dice))?;
    }
    let (large, small) = SHRINKING;
    let shrunk: Option<Vec<BlockId>> = (0..shrinking_blocks(bytes))
        .map(|_| {
            let block = region.malloc(large)?;
            region.realloc(block, small)?;
            Some(block)
        })
        .collect();
    region.free_all(in_order_of_death(shrunk?, dice))
}

/// Blocks in order of birth, with the younger half shuffled.
fn in_order_of_death(mut blocks: Vec<BlockId>, dice: &mut Dice) -> Vec<BlockId> {
    let half = blocks.len() / 2;
    let younger = &mut blocks[half..];
    for at in (1..younger.len()).rev() {
        younger.swap(at, dice.below(at as u64 + 1) as usize);
    }
    blocks
}

const fn shrinking_blocks(bytes: u64) -> u64 {
    SHRINKING_TIMES * bytes / SHRINKING.0
}

/// Calls of one cycle.
pub(super) const fn cycle_calls(live: u64) -> u64 {
    let bytes = live << 10;
    // A malloc, a realloc and a free of each.
    let mut calls = 3 * shrinking_blocks(bytes);
    let mut at = 0;
    while at < SIZES.len() {
        calls += 2 * (bytes / SIZES[at]);
        at += 1;
    }
    calls
}

// A region of 50,000 calls sees every phase, and the first one again.
const _: () = assert!(cycle_calls(DEFAULT_PHASE_LIVE) < 48_000);

// No phase is empty: a cycle without calls would never end.
const _: () = assert!(MIN_LIVE << 10 >= SIZES[4] && shrinking_blocks(MIN_LIVE << 10) > 0);
