//! `thread-churn`: threads that come, do one piece of work and go.
//!
//! Each of `threads` threads has one turn and makes no call after it. What counts here is what an
//! allocator does with memory that is freed for a thread that has ended, with remote frees that a
//! thread has gathered and still holds when it ends, and with what it keeps for each of many
//! threads. In order:
//! ```text
//! passing  for all threads but an eighth, one after another:
//!     first thread   malloc x BATCH
//!     new thread     free x BATCH, what the first thread allocated one round before
//!                    malloc x BATCH, end
//!     first thread   free x BATCH, what the ended thread allocated
//! filling  once, with the eighth that is left:
//!     new threads    all of them start; each in turn mallocs blocks of 768 bytes, `live` KiB
//!                    in all; all end
//!     first thread   free of all of these; malloc of as many bytes in blocks of 2000 bytes, free
//! alone    for as long as the region goes on:
//!     first thread   malloc x BATCH, free x BATCH
//! ```
//! Filling comes last, on top of what the threads before have left behind: where their memory is
//! lost to the others, peak memory shows both. Batches are requests of a started interpreter
//! (`base_heap`); both sizes of filling are made up.

use super::base_heap::draw_size;
use super::dice::Dice;
use super::emitter::Emitter;
use super::quota::Quota;
use super::{DEFAULT_CHURN_THREADS, DEFAULT_FILL, Spec};
use crate::event::{BlockId, ThreadIndex};

/// Blocks that are handed over at once.
const BATCH: u64 = 100;

/// One thread in so many fills.
const FILLING: u32 = 8;

/// Size of the blocks of threads that fill, in bytes.
pub(super) const FILL_SIZE: u64 = 768;

/// Size of the first thread's blocks after that, in bytes.
pub(super) const REFILL_SIZE: u64 = 2000;

/// Emits a batch of the first thread and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let first = (0..BATCH).map(|_| heap.malloc(draw_size(dice))).collect();
    let mut region = Quota::start(operations, heap);
    take_turns(spec, first, &mut region, dice);
    heap.switch_to(ThreadIndex(0));
}

/// Everything, until the region is full and the answer `None`.
fn take_turns(
    spec: &Spec,
    mut handed: Vec<BlockId>,
    region: &mut Quota<'_, '_>,
    dice: &mut Dice,
) -> Option<()> {
    let filling = filling_threads(spec.threads);
    for _ in filling..spec.threads {
        handed = pass(handed, region, dice)?;
    }
    fill(filling, spec.live << 10, region)?;
    loop {
        let alone = batch(region, dice)?;
        region.free_all(alone)?;
    }
}

/// The turn of a passing thread, which frees `handed`; what the first thread allocates for the next.
fn pass(handed: Vec<BlockId>, region: &mut Quota<'_, '_>, dice: &mut Dice) -> Option<Vec<BlockId>> {
    let next = batch(region, dice)?;
    let thread = region.heap.start_thread();
    region.heap.switch_to(thread);
    region.free_all(handed)?;
    let left_behind = batch(region, dice)?;
    region.heap.end_thread(thread);
    region.heap.switch_to(ThreadIndex(0));
    region.free_all(left_behind)?;
    Some(next)
}

/// The turns of the threads that fill, `bytes` each, and of the first thread after them.
fn fill(threads: u32, bytes: u64, region: &mut Quota<'_, '_>) -> Option<()> {
    let threads: Vec<ThreadIndex> = (0..threads).map(|_| region.heap.start_thread()).collect();
    let mut left_behind = Vec::new();
    for &thread in &threads {
        region.heap.switch_to(thread);
        for _ in 0..bytes / FILL_SIZE {
            left_behind.push(region.malloc(FILL_SIZE)?);
        }
    }
    for &thread in &threads {
        region.heap.end_thread(thread);
    }
    region.heap.switch_to(ThreadIndex(0));
    region.free_all(left_behind)?;
    let refill =
        (0..threads.len() as u64 * bytes / REFILL_SIZE).map(|_| region.malloc(REFILL_SIZE));
    let refill = refill.collect::<Option<_>>()?;
    region.free_all(refill)
}

fn batch(region: &mut Quota<'_, '_>, dice: &mut Dice) -> Option<Vec<BlockId>> {
    (0..BATCH).map(|_| region.malloc(draw_size(dice))).collect()
}

const fn filling_threads(threads: u32) -> u32 {
    if threads < FILLING { 1 } else { threads / FILLING }
}

/// Calls until all threads have had their turn and the first thread is alone.
pub(super) const fn turns_calls(threads: u32, live: u64) -> u64 {
    let filling = filling_threads(threads);
    let passing = (threads - filling) as u64 * 4 * BATCH;
    let (filling, bytes) = (filling as u64, live << 10);
    passing + 2 * (filling * (bytes / FILL_SIZE) + filling * bytes / REFILL_SIZE)
}

// A region of 50,000 calls sees all of it.
const _: () = assert!(turns_calls(DEFAULT_CHURN_THREADS, DEFAULT_FILL) < 48_000);
