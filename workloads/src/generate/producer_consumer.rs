//! `producer-consumer`: half the threads allocate, the other half free what those allocated.
//!
//! ```text
//! producer   malloc x BATCH, requests of a started interpreter (`base_heap`)  ->  queue
//! queue      at most `live` blocks, first in, first out
//! consumer   queue  ->  free x BATCH, in order of allocation
//! ```
//! One queue serves all threads. A batch is made and freed in one piece of the trace's order, and
//! which thread is next is drawn at random, so that the queue's length wanders between empty and
//! full. When the region begins it is half full. No block is freed by the thread that allocated
//! it: every free is remote.

use std::collections::VecDeque;

use super::Spec;
use super::base_heap::draw_size;
use super::dice::Dice;
use super::emitter::Emitter;
use crate::event::{BlockId, Op, ThreadIndex};

/// Blocks that are handed over at once.
const BATCH: u64 = 100;

/// Bytes of the queue besides one pointer for every batch it has room for.
const QUEUE_HEAD: u64 = 64;

/// Emits the queue, the threads, the filling of the queue, and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let pairs = spec.threads / 2;
    let room = (spec.live / BATCH).max(1);
    heap.malloc(QUEUE_HEAD + 8 * room);
    let mut start = |_| heap.start_thread();
    let producers: Vec<ThreadIndex> = (0..pairs).map(&mut start).collect();
    let consumers: Vec<ThreadIndex> = (0..pairs).map(&mut start).collect();
    let room = room as usize;
    let mut queue: VecDeque<Vec<BlockId>> = VecDeque::with_capacity(room);
    let produce = |thread, heap: &mut Emitter<'_>, dice: &mut Dice| -> Vec<BlockId> {
        heap.switch_to(thread);
        (0..BATCH).map(|_| heap.malloc(draw_size(dice))).collect()
    };
    let pick = |of: &[ThreadIndex], dice: &mut Dice| of[dice.below(u64::from(pairs)) as usize];
    while queue.len() < room / 2 {
        queue.push_back(produce(pick(&producers, dice), heap, dice));
    }

    heap.switch_to(ThreadIndex(0));
    heap.mark(Op::RegionStart);
    let before = heap.calls();
    while heap.calls() - before < operations {
        if dice.chance(1, 2) {
            if queue.len() < room {
                queue.push_back(produce(pick(&producers, dice), heap, dice));
            }
        } else if let Some(batch) = queue.pop_front() {
            heap.switch_to(pick(&consumers, dice));
            for block in batch {
                heap.free(block);
            }
        }
    }
    heap.switch_to(ThreadIndex(0));
}
