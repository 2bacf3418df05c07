//! The heap of a started interpreter, on which every workload runs.
//!
//! A workload on an empty heap understates fragmentation: a real region begins on what start-up
//! left behind, with holes in it. The model is CPython 3.11 without pymalloc whose site packages
//! import some seventy modules at start-up, as an application does: 80,000 requests, of which
//! 36,800 blocks and 4.8 MiB survive. A bare interpreter keeps some 10,000 blocks. This file emits
//! as many with the measured sizes, and lets the others die at the measured distances: half within
//! a few calls, the rest spread over the whole of start-up.
//!
//! The same base serves every era, so that eras differ by what they do and not by what they
//! stand on. It holds no realloc.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::dice::Dice;
use super::emitter::Emitter;

/// Blocks that survive start-up.
pub(super) const LIVE_BLOCKS: u64 = 36_800;

/// Requests in a thousand that survive start-up: 36,800 of 80,700.
const SURVIVORS_PER_MILLE: u64 = 456;

/// Exact sizes of frequent requests, in bytes, with their share of all requests in 1/10,000.
const EXACT: [(u64, u64); 12] = [
    (56, 820),
    (64, 790),
    (72, 730),
    (48, 690),
    (32, 660),
    (152, 480),
    (57, 280),
    (55, 260),
    (40, 240),
    (80, 210),
    (59, 210),
    (53, 190),
];

/// Ranges `(low, high]` of request sizes in bytes, with their share of all requests in 1/10,000.
/// What [`EXACT`] takes of a range is taken off before the rest is drawn evenly from it.
const RANGES: [(u64, u64, u64); 39] = [
    (0, 16, 153),
    (16, 32, 803),
    (32, 48, 1382),
    (48, 64, 3531),
    (64, 80, 1406),
    (80, 96, 326),
    (96, 112, 256),
    (112, 128, 226),
    (128, 144, 70),
    (144, 160, 550),
    (160, 176, 62),
    (176, 192, 245),
    (192, 208, 174),
    (208, 224, 128),
    (224, 240, 70),
    (240, 256, 50),
    (256, 272, 43),
    (272, 288, 36),
    (288, 304, 24),
    (304, 320, 19),
    (320, 336, 19),
    (336, 352, 17),
    (352, 368, 15),
    (368, 384, 14),
    (384, 400, 71),
    (400, 416, 10),
    (416, 432, 10),
    (432, 448, 8),
    (448, 464, 9),
    (464, 480, 8),
    (480, 496, 5),
    (496, 512, 11),
    (512, 1024, 182),
    (1024, 2048, 39),
    (2048, 4096, 18),
    (4096, 8192, 4),
    (8192, 16384, 4),
    (16384, 32768, 1),
    (32768, 65536, 2),
];

/// Emits the base heap.
pub(super) fn emit(heap: &mut Emitter<'_>, dice: &mut Dice) {
    let mut survivors = 0;
    // Blocks that will die, by the call before which they do.
    let mut dying = BinaryHeap::new();
    while survivors < LIVE_BLOCKS {
        while dying.peek().is_some_and(|&Reverse((due, _))| due <= heap.calls()) {
            let Some(Reverse((_, block))) = dying.pop() else { break };
            heap.free(block);
        }
        let block = heap.malloc(draw_size(dice));
        if dice.chance(SURVIVORS_PER_MILLE, 1_000) {
            survivors += 1;
        } else {
            dying.push(Reverse((heap.calls() + draw_lifetime(dice), block)));
        }
    }
    while let Some(Reverse((_, block))) = dying.pop() {
        heap.free(block);
    }
}

/// Calls from birth to death: half of the mortal blocks go at once, the others at any distance.
fn draw_lifetime(dice: &mut Dice) -> u64 {
    match dice.below(100) {
        0..50 => dice.below(2),
        50..75 => dice.below(1_000),
        _ => dice.below(60_000),
    }
}

/// A request of a starting interpreter, in bytes.
pub(super) fn draw_size(dice: &mut Dice) -> u64 {
    let exact_total: u64 = EXACT.iter().map(|&(_, share)| share).sum();
    let total: u64 = RANGES.iter().map(|&(_, _, share)| share).sum();
    let mut draw = dice.below(total);
    if draw < exact_total {
        for (size, share) in EXACT {
            if draw < share {
                return size;
            }
            draw -= share;
        }
    }
    draw -= exact_total;
    for (low, high, share) in RANGES {
        let rest = share - exact_share(low, high);
        if draw < rest {
            return low + 1 + dice.below(high - low);
        }
        draw -= rest;
    }
    unreachable!("the shares of the ranges sum to the total")
}

/// Share of the exact sizes inside `(low, high]`, in 1/10,000.
const fn exact_share(low: u64, high: u64) -> u64 {
    let (mut sum, mut at) = (0, 0);
    while at < EXACT.len() {
        let (size, share) = EXACT[at];
        if size > low && size <= high {
            sum += share;
        }
        at += 1;
    }
    sum
}

const _: () = {
    let mut at = 0;
    while at < RANGES.len() {
        let (low, high, share) = RANGES[at];
        assert!(low < high);
        // Every exact size is part of its range's share, or `draw_size` would underflow.
        assert!(share >= exact_share(low, high));
        assert!(at == 0 || RANGES[at - 1].1 == low);
        at += 1;
    }
};
