//! `growth-churn`: buffers that are appended to.
//!
//! Lists, byte arrays and writers grow by a share of their size and are given back whole. Whether a
//! large block grows where it is, or is allocated anew and copied, shows nowhere else: recorded
//! programs do it in one call of hundreds. One step on a live set of buffers, at a random one:
//! ```text
//! realloc x to x + x/8 + 48    until the size is reached that it was born for
//! free x, malloc x' 64         then; or, one in eight, calloc x' of its last size
//! ```
//! The growth is that of a CPython list; the last sizes have a heavy tail. What is born whole is
//! `bytes(n)`, and the only large block that has to be cleared, seldom enough that clearing it is not
//! what is counted.

use super::Spec;
use super::dice::Dice;
use super::emitter::Emitter;
use crate::event::{BlockId, Op};

/// Bytes of a new buffer.
const FIRST: u64 = 64;

/// Least and largest size that a buffer is born for, in bytes.
const LAST: (u64, u64) = (16 << 10, 4 << 20);

/// One buffer in so many is born whole.
const WHOLE: u64 = 8;

struct Buffer {
    block: BlockId,
    size: u64,
    last: u64,
}

/// Emits the live set and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    // The first buffers are on their way already, or all of them would be large at the same time.
    let mut live: Vec<Buffer> = (0..spec.live)
        .map(|_| {
            let last = dice.heavy_tail(LAST.0, LAST.1);
            let sizes: Vec<u64> =
                std::iter::successors(Some(FIRST), |&size| grown(size, last)).collect();
            let size = sizes[dice.below(sizes.len() as u64) as usize];
            Buffer { block: heap.malloc(size), size, last }
        })
        .collect();
    heap.mark(Op::RegionStart);
    let start = heap.calls();
    while heap.calls() - start < operations {
        let buffer = &mut live[dice.below(spec.live) as usize];
        if let Some(size) = grown(buffer.size, buffer.last) {
            heap.realloc(buffer.block, size);
            buffer.size = size;
        } else {
            heap.free(buffer.block);
            let last = dice.heavy_tail(LAST.0, LAST.1);
            *buffer = if dice.chance(1, WHOLE) {
                Buffer { block: heap.calloc(last, 1), size: last, last }
            } else {
                Buffer { block: heap.malloc(FIRST), size: FIRST, last }
            };
        }
    }
}

/// The size after `size` on the way to `last`; `None` at its end.
fn grown(size: u64, last: u64) -> Option<u64> {
    (size < last).then(|| (size + size / 8 + 48).min(last))
}
