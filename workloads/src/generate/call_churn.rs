//! `calloc-churn`, `realloc-churn`, `aligned-churn`, `large-churn`: calls that interpreters make
//! seldom, each in a workload of its own.
//!
//! A change that makes `calloc` slower by a tenth hides in a workload of which `calloc` is one call
//! in fifty; here it is every second call. One step on a live set of blocks:
//! ```text
//! calloc-churn   calloc x', free x        x at a random place, of 1 to 8 elements
//! aligned-churn  aligned_alloc x', free x     alignments of 16 bytes to 4 KiB, small ones more often;
//!                                         from 64 bytes to 32 KiB
//! realloc-churn  realloc x                to a size drawn anew, larger or smaller; one in eight
//!                                         times realloc(x, 0) and realloc(NULL) instead
//! large-churn    malloc x', free x       from 32 KiB to 4 MiB
//! ```
//! Sizes have a heavy tail: half of the blocks are below twice the least size, and every doubling
//! holds about as many bytes as the one before. Blocks that are cleared or copied are small, and
//! large ones are neither, so that what is counted is the allocator and not the C library's copying.

use super::dice::Dice;
use super::emitter::Emitter;
use super::{Spec, Workload};
use crate::event::{BlockId, Op};

/// Least and largest request of `calloc-churn`, rounded up to whole elements, and `realloc-churn`, in
/// bytes.
const SMALL: (u64, u64) = (16, 4 << 10);

/// Least and largest request of `aligned-churn`, in bytes.
const ALIGNED: (u64, u64) = (64, 32 << 10);

/// Least and largest request of `large-churn`, in bytes.
const LARGE: (u64, u64) = (32 << 10, 4 << 20);

/// Most elements of a `calloc`.
const MOST_ELEMENTS: u64 = 8;

/// Least alignment, in bytes, and how often it may double.
const LEAST_ALIGN: u64 = 16;
const MOST_DOUBLINGS: u64 = 8;

/// Emits the live set and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let workload = spec.workload;
    let mut live: Vec<BlockId> = (0..spec.live).map(|_| new(workload, heap, dice)).collect();
    heap.mark(Op::RegionStart);
    let start = heap.calls();
    while heap.calls() - start < operations {
        let block = &mut live[dice.below(spec.live) as usize];
        match workload {
            Workload::ReallocChurn if dice.chance(1, 8) => {
                heap.realloc_free(*block);
                *block = new(workload, heap, dice);
            }
            Workload::ReallocChurn => heap.realloc(*block, size(SMALL, dice)),
            _ => {
                let displaced = std::mem::replace(block, new(workload, heap, dice));
                heap.free(displaced);
            }
        }
    }
}

/// A new block by the call that the workload is about.
fn new(workload: Workload, heap: &mut Emitter<'_>, dice: &mut Dice) -> BlockId {
    match workload {
        Workload::CallocChurn => {
            let count = 1 + dice.below(MOST_ELEMENTS);
            heap.calloc(count, size(SMALL, dice).div_ceil(count))
        }
        Workload::AlignedChurn => {
            let doublings = (0..MOST_DOUBLINGS).take_while(|_| dice.chance(1, 2)).count();
            heap.aligned_alloc(LEAST_ALIGN << doublings, size(ALIGNED, dice))
        }
        Workload::ReallocChurn => heap.realloc_new(size(SMALL, dice)),
        _ => heap.malloc(size(LARGE, dice)),
    }
}

fn size((least, most): (u64, u64), dice: &mut Dice) -> u64 {
    dice.heavy_tail(least, most)
}
