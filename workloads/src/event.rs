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
//! * I4: alignments are powers of two, at most [`MAX_ALIGN`]; sizes are at most [`MAX_SIZE`], and
//!   so are times in nanoseconds.
//! * I5: at most one [`Op::RegionStart`], and at most one [`Op::RegionEnd`], only after it.
//! * I6: thread indices are handed out densely in order of first appearance, at most
//!   [`MAX_THREADS`] of them; [`Op::ThreadStart`] is a thread's first event if it has one, and
//!   after [`Op::ThreadEnd`] its index does not appear again.
//!
//! [`crate::checker::Checker`] holds a stream of events to all six.

/// Largest request size an event may carry, in bytes (`PTRDIFF_MAX` on 64-bit machines).
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// Largest alignment an event may carry, in bytes.
pub const MAX_ALIGN: u64 = 1 << 30;

/// Most threads a trace may name.
pub const MAX_THREADS: u32 = 1 << 20;

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
    Malloc {
        /// The block returned.
        block: BlockId,
        /// Request in bytes.
        size: u64,
    },
    /// `calloc(count, size)`; creates `block` of `count * size` bytes, which is at most [`MAX_SIZE`].
    Calloc {
        /// The block returned.
        block: BlockId,
        /// Elements requested.
        count: u64,
        /// Bytes per element.
        size: u64,
    },
    /// `aligned_alloc` and its relatives; creates `block`.
    AlignedAlloc {
        /// The block returned.
        block: BlockId,
        /// Alignment requested in bytes, a power of two (I4).
        align: u64,
        /// Request in bytes.
        size: u64,
    },
    /// `realloc(NULL, size)`; creates `block`.
    ReallocNew {
        /// The block returned.
        block: BlockId,
        /// Request in bytes.
        size: u64,
    },
    /// `realloc(block, size)` that returned a block, moved or not; `block` keeps its identity.
    Realloc {
        /// The block before and after.
        block: BlockId,
        /// New request in bytes.
        size: u64,
    },
    /// `realloc(block, 0)` that returned null and so freed `block`.
    ReallocFree {
        /// The block that died.
        block: BlockId,
    },
    /// `free(block)`, or a sized free when `size` is known to the caller.
    Free {
        /// The block that died.
        block: BlockId,
        /// Size the caller passed, in bytes, for a sized free.
        size: Option<u64>,
    },
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
    /// Which call to the allocator the event stands for; `None` for marks and thread events.
    #[must_use]
    pub fn call(self) -> Option<Call> {
        Some(match self {
            Op::Malloc { .. } => Call::Malloc,
            Op::Calloc { .. } => Call::Calloc,
            Op::AlignedAlloc { .. } => Call::AlignedAlloc,
            Op::ReallocNew { .. } => Call::ReallocNew,
            Op::Realloc { .. } => Call::Realloc,
            Op::ReallocFree { .. } => Call::ReallocFree,
            Op::Free { .. } => Call::Free,
            Op::FreeNull => Call::FreeNull,
            Op::ThreadStart | Op::ThreadEnd | Op::RegionStart | Op::RegionEnd => return None,
        })
    }

    /// Whether the event stands for a call to the allocator (marks and thread events do not).
    #[must_use]
    pub fn is_call(self) -> bool {
        self.call().is_some()
    }

    /// The block this event creates and its request size in bytes; a `calloc` whose product
    /// overflows reads as `u64::MAX`, which I4 forbids.
    #[must_use]
    pub fn birth(self) -> Option<(BlockId, u64)> {
        match self {
            Op::Malloc { block, size }
            | Op::AlignedAlloc { block, size, .. }
            | Op::ReallocNew { block, size } => Some((block, size)),
            Op::Calloc { block, count, size } => Some((block, count.saturating_mul(size))),
            _ => None,
        }
    }

    /// The block this event ends.
    #[must_use]
    pub fn death(self) -> Option<BlockId> {
        match self {
            Op::Free { block, .. } | Op::ReallocFree { block } => Some(block),
            _ => None,
        }
    }
}

/// Kind of a call to an allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// [`Op::Malloc`].
    Malloc,
    /// [`Op::Calloc`].
    Calloc,
    /// [`Op::AlignedAlloc`].
    AlignedAlloc,
    /// [`Op::ReallocNew`].
    ReallocNew,
    /// [`Op::Realloc`].
    Realloc,
    /// [`Op::ReallocFree`].
    ReallocFree,
    /// [`Op::Free`].
    Free,
    /// [`Op::FreeNull`].
    FreeNull,
}

impl Call {
    /// Every kind, in the order counts are stored.
    pub const ALL: [Call; 8] = [
        Call::Malloc,
        Call::Calloc,
        Call::AlignedAlloc,
        Call::ReallocNew,
        Call::Realloc,
        Call::ReallocFree,
        Call::Free,
        Call::FreeNull,
    ];

    /// Name as reports and messages print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Call::Malloc => "malloc",
            Call::Calloc => "calloc",
            Call::AlignedAlloc => "aligned_alloc",
            Call::ReallocNew => "realloc(NULL)",
            Call::Realloc => "realloc",
            Call::ReallocFree => "realloc(0)",
            Call::Free => "free",
            Call::FreeNull => "free(NULL)",
        }
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

impl Event {
    /// An event of the first thread, without a time.
    #[must_use]
    pub fn of_first_thread(op: Op) -> Self {
        Event { thread: ThreadIndex(0), op, time_ns: None }
    }
}
