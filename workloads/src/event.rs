//! What a trace is made of: one event per call to an allocator, in the order the calls took effect.
//!
//! Generators and importers produce events, the writer stores them, the reader gives them back,
//! and the harness compiles them into a replay plan. Nothing here knows an allocator.
//!
//! Invariants of every valid sequence of events:
//! * I1: block ids are handed out densely in order of birth: the n-th event that creates a block
//!   (n counted from 0) creates block n.
//! * I2: an event that names an existing block names a live one: born before, not yet dead.
//! * I3: a block dies at most once; blocks alive at the end are no error.
//! * I4: alignments are powers of two, at most [`MAX_ALIGN`]; sizes are at most [`MAX_SIZE`].
//! * I5: at most one [`Op::RegionStart`], and an [`Op::RegionEnd`] only after it.

/// Largest request size an event may carry, in bytes (`PTRDIFF_MAX` on 64-bit machines).
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// Largest alignment an event may carry, in bytes.
pub const MAX_ALIGN: u64 = 1 << 30;

/// Identity of a block from birth to death; a reallocated block keeps it (I1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u64);

/// Thread that made a call: a dense index in order of first appearance, 0 for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadIndex(pub u32);

/// One call to an allocator, or a mark between calls.
///
/// Calls that returned null are not events; the trace counts them as losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `malloc(size)`; creates `block`.
    Malloc { block: BlockId, size: u64 },
    /// `calloc(count, size)`; creates `block` of `count * size` bytes, which is at most [`MAX_SIZE`].
    Calloc { block: BlockId, count: u64, size: u64 },
    /// `aligned_alloc` and its relatives; creates `block`.
    AlignedAlloc { block: BlockId, align: u64, size: u64 },
    /// `realloc(NULL, size)`; creates `block`.
    ReallocNew { block: BlockId, size: u64 },
    /// `realloc(block, size)` that returned a block, moved or not; `block` keeps its identity.
    Realloc { block: BlockId, size: u64 },
    /// `realloc(block, 0)` that returned null and so freed `block`.
    ReallocFree { block: BlockId },
    /// `free(block)`, or a sized free when `size` is known to the caller.
    Free { block: BlockId, size: Option<u64> },
    /// `free(NULL)`.
    FreeNull,
    /// The event's thread begins. Optional: a thread may simply appear.
    ThreadStart,
    /// The event's thread ends; its index does not appear again.
    ThreadEnd,
    /// Everything before is the base heap the measured region runs on.
    RegionStart,
    /// Everything after is outside the measured region.
    RegionEnd,
}

impl Op {
    /// Whether the event stands for a call to the allocator (marks and thread events do not).
    #[must_use]
    pub fn is_call(self) -> bool {
        !matches!(self, Op::ThreadStart | Op::ThreadEnd | Op::RegionStart | Op::RegionEnd)
    }
}

/// One event of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Thread that made the call.
    pub thread: ThreadIndex,
    /// The call.
    pub op: Op,
    /// Nanoseconds since the first event of the trace, where the recorder took them.
    pub time_ns: Option<u64>,
}
