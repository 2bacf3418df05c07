//! `larson`: threads that replace blocks in tables, and hand the tables on to new threads.
//!
//! The load of Larson and Krishnan: a server whose threads come and go while what they allocated
//! lives on. Each of `threads` places has a table of `live` blocks. The first thread fills the
//! tables; then every place has a thread of its own, which goes on like this:
//! ```text
//! free x         a block at a random place of the table, most often another thread's work when the
//!                thread is young
//! malloc x'      a request of a started interpreter (`base_heap`), in its stead
//! ...            for a life of so many steps; then
//! start          of a new thread, which takes the table over
//! end            of the old thread, whose blocks stay alive
//! ```
//! A life is [`STEPS_PER_BLOCK`] steps for every block of the table, shortened where the region
//! would see fewer than [`LEAST_LIVES`] threads at a place. The region ends in the middle of the
//! last ones.
//!
//! The free comes before the malloc, as in the original.
//!
//! Source: P. Larson, M. Krishnan: Memory allocation for long-running server applications, ISMM
//! 1998; the sizes are those of `base_heap` instead of evenly spread ones.

use super::Spec;
use super::base_heap::draw_size;
use super::dice::Dice;
use super::emitter::Emitter;
use crate::event::{BlockId, Op, ThreadIndex};

/// Steps of a thread's life for every block of its table.
const STEPS_PER_BLOCK: u64 = 8;

/// Threads that a region has at every place, one after another, at least.
const LEAST_LIVES: u64 = 4;

/// Most steps that one thread takes in a row in the order of the trace.
const MOST_STEPS_IN_A_ROW: u64 = 32;

/// A table and the thread that works on it.
struct Place {
    thread: ThreadIndex,
    table: Vec<BlockId>,
    /// Steps before the thread ends.
    left: u64,
}

/// Emits the tables and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let steps_per_place = operations.div_ceil(2 * u64::from(spec.threads));
    let lives = steps_per_place.div_ceil(STEPS_PER_BLOCK * spec.live).max(LEAST_LIVES);
    let life = steps_per_place.div_ceil(lives).max(1);
    let tables: Vec<Vec<BlockId>> = (0..spec.threads)
        .map(|_| (0..spec.live).map(|_| heap.malloc(draw_size(dice))).collect())
        .collect();
    let start = |table: Vec<BlockId>, heap: &mut Emitter<'_>| Place {
        thread: heap.start_thread(),
        table,
        left: life,
    };
    let mut places: Vec<Place> = tables.into_iter().map(|table| start(table, heap)).collect();

    heap.mark(Op::RegionStart);
    let before = heap.calls();
    while heap.calls() - before < operations {
        let place = &mut places[dice.below(u64::from(spec.threads)) as usize];
        heap.switch_to(place.thread);
        let row = (1 + dice.below(MOST_STEPS_IN_A_ROW)).min(place.left);
        place.left -= row;
        for _ in 0..row {
            if heap.calls() - before >= operations {
                break;
            }
            let block = &mut place.table[dice.below(spec.live) as usize];
            heap.free(*block);
            *block = heap.malloc(draw_size(dice));
        }
        if place.left == 0 {
            let table = std::mem::take(&mut place.table);
            let old = std::mem::replace(place, start(table, heap));
            heap.end_thread(old.thread);
        }
    }
    heap.switch_to(ThreadIndex(0));
}
