//! Replay plans: a trace compiled, before anything is measured, into what the replay loop reads.
//!
//! `compile` turns events into packed operations in a file, `window` brings them into a child's
//! memory a window at a time; `step` is what both have in common with `streams`, a plan with a row
//! of operations for every thread of the trace. The file has no name, so that it is gone however the parent ends;
//! children open it through the parent's descriptor. No subject serves any byte of it.
//!
//! ```text
//! plan file, words of 8 bytes, native byte order, read only by the process tree that wrote it:
//! 0                    operations (see `op`), `Shape::words` of them
//! 8 * words            for each slot, the largest size it ever holds, `Shape::slots` of them
//! ```

pub(crate) mod compile;
pub(crate) mod op;
mod step;
pub(crate) mod streams;
pub(crate) mod window;

use serde::{Deserialize, Serialize};

/// Words of a window: 64 MiB. Operations never straddle two windows.
pub(crate) const WINDOW_WORDS: u64 = 8 << 20;

/// What a child must know of a plan before it reads a word of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Words of operations in the file.
    pub(crate) words: u64,
    /// First word of the measured region; everything before builds the base heap.
    pub(crate) region_start: u64,
    /// First word of the drain, which frees what the region leaves alive.
    pub(crate) region_end: u64,
    /// Slots of the pointer table.
    pub(crate) slots: u32,
    /// Sum over all slots of the largest size they hold, rounded up to 16: what `null` hands out.
    pub(crate) slot_bytes: u64,
    /// Calls before the measured region.
    pub(crate) base_calls: u64,
    /// Calls in the measured region.
    pub(crate) calls: u64,
    /// Calls of the drain.
    pub(crate) drain_calls: u64,
    /// Largest sum of request sizes alive at once, in bytes.
    pub(crate) live_peak_bytes: u64,
    /// First word after the operation by which that sum was reached.
    pub(crate) live_peak_word: u64,
}
