//! The invariants of the flagship heap by name, and the check of all of them.
//!
//! The sentences stand in full at the heads of the files that own them; here is the index. The
//! checks stand beside the structures they check, in a `check.rs` each. Not here: C1 and C2, which
//! the compiler checks; and those that say who may do what and when (R3, F2, F3, H1, M2, M3, T1,
//! L1), which no look at memory can tell: the models and the race detector are for them.

use core::fmt;

use super::heap::Heap;
use super::huge;
use super::range::{self, OWNER_SHIFT};
use super::slice::SLICE_BYTES;
use super::span_store;
use super::threads;
use super::usage;

/// A numbered invariant of the flagship heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagshipInvariant {
    /// R1 (`range.rs`): where a range and its tables lie.
    RangePlace,
    /// R2 (`range.rs`): what the map says of slices.
    MapEntries,
    /// F1 (`slice.rs`): spans name records.
    SpanRecords,
    /// F4 (`slice.rs`): counts and free list of a pool.
    PoolCounts,
    /// P1 (`span_store.rs`): both ends of a span bear its state and length.
    SpanEnds,
    /// P2 (`span_store.rs`): lists of free spans.
    SpanLists,
    /// P3 (`span_store.rs`): dirty spans by age.
    DirtyAges,
    /// P4 (`span_store.rs`): no equal neighbours.
    SpanNeighbours,
    /// P5 (`span_store.rs`): slices in use are counted.
    SliceCounts,
    /// H2 (`heap.rs`): blocks in fronts and chains.
    DeadBlocks,
    /// H3 (`heap.rs`): lists of pools.
    PoolLists,
    /// H4 (`heap.rs`): events of current and sleeping pools.
    PoolEvents,
    /// M1 and M4 (`remote.rs`): blocks of a chain are of one kind, and its carriers full but the first.
    ChainEntries,
    /// A1 (`threads.rs`): heaps by number.
    HeapNumbers,
    /// A2 (`threads.rs`): parked and unused heaps.
    HeapStates,
    /// G1 (`huge.rs`): huge blocks and their mappings.
    HugePlaces,
    /// G2 (`huge.rs`): probing finds every huge block.
    HugeProbing,
    /// G3 (`huge.rs`): freed mappings that are kept.
    KeptMappings,
    /// U1 (`usage.rs`): memory in use.
    UsageCounts,
}

impl FlagshipInvariant {
    /// All invariants that are checked.
    pub const ALL: [Self; 19] = [
        Self::RangePlace,
        Self::MapEntries,
        Self::SpanRecords,
        Self::PoolCounts,
        Self::SpanEnds,
        Self::SpanLists,
        Self::DirtyAges,
        Self::SpanNeighbours,
        Self::SliceCounts,
        Self::DeadBlocks,
        Self::PoolLists,
        Self::PoolEvents,
        Self::ChainEntries,
        Self::HeapNumbers,
        Self::HeapStates,
        Self::HugePlaces,
        Self::HugeProbing,
        Self::KeptMappings,
        Self::UsageCounts,
    ];

    /// `Ok` if `condition` holds, else the violation at `addr`.
    pub(crate) fn holds(self, condition: bool, addr: usize) -> Result<(), FlagshipViolation> {
        if condition { Ok(()) } else { Err(FlagshipViolation { invariant: self, addr }) }
    }

    /// Its name: `R1`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.texts().0
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::RangePlace => ("R1", "a range or its tables lie where they must not"),
            Self::MapEntries => ("R2", "the map does not say what a slice is"),
            Self::SpanRecords => ("F1", "a span names no record of a span"),
            Self::PoolCounts => ("F4", "counts and free list of a pool do not fit together"),
            Self::SpanEnds => ("P1", "the ends of a span disagree"),
            Self::SpanLists => ("P2", "a list of free spans misses one or holds a wrong one"),
            Self::DirtyAges => ("P3", "the dirty spans are not linked by age"),
            Self::SpanNeighbours => ("P4", "two free neighbours have the same state"),
            Self::SliceCounts => ("P5", "the slices are counted wrongly"),
            Self::DeadBlocks => ("H2", "a front or chain holds what it must not"),
            Self::PoolLists => ("H3", "a list of pools misses one or holds a wrong one"),
            Self::PoolEvents => ("H4", "a pool waits for the wrong event"),
            Self::ChainEntries => ("M1", "the blocks of a chain are not of one kind"),
            Self::HeapNumbers => ("A1", "a heap is not what its number says"),
            Self::HeapStates => ("A2", "a heap is parked or unused and is not, or both"),
            Self::HugePlaces => ("G1", "a huge block has an impossible mapping"),
            Self::HugeProbing => ("G2", "a huge block is not found where it is looked for"),
            Self::KeptMappings => ("G3", "a freed mapping is not only kept, or counted wrongly"),
            Self::UsageCounts => ("U1", "what is in use is counted wrongly"),
        }
    }
}

/// A broken invariant of the flagship heap, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagshipViolation {
    /// The invariant that does not hold.
    pub invariant: FlagshipInvariant,
    /// Address of the record, block, heap or mapping concerned. A small number, a count or an
    /// index, where the fault is that something is missing and has no address.
    pub addr: usize,
}

impl fmt::Display for FlagshipViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, text) = self.invariant.texts();
        write!(f, "{name} broken at {:#x}: {text}", self.addr)
    }
}

impl core::error::Error for FlagshipViolation {}

/// See [`Arenite::validate`](crate::Arenite::validate).
pub(crate) fn validate() -> Result<(), FlagshipViolation> {
    let _quiet = threads::check::hold_all();
    let (mut pools_mapped, mut used, mut dirty) = (0, 0, 0);
    for range in range::all() {
        range.check()?;
        span_store::with(range, |store| {
            (used, dirty) = (used + store.used, dirty + store.dirty);
            store.check(range, &mut pools_mapped)
        })?;
    }
    let mut pools_listed = 0;
    threads::check::check()?;
    for heap in threads::check::heaps() {
        pools_listed += heap.check()?;
        heap.each_outgoing(|block, entry| {
            let owner = threads::heap_of(entry >> OWNER_SHIFT);
            let is_sound = owner != heap && is_carved(block, entry);
            FlagshipInvariant::ChainEntries.holds(is_sound, block.addr())
        })?;
    }
    FlagshipInvariant::PoolLists.holds(pools_listed == pools_mapped, pools_mapped)?;
    huge::check::check()?;
    let (huge, kept) = (huge::check::totals().1, huge::check::kept_bytes());
    for (count, slices) in [
        (&usage::USED, used),
        (&usage::DIRTY, dirty),
        (&usage::HUGE, huge / SLICE_BYTES),
        (&usage::KEPT, kept.div_ceil(SLICE_BYTES)),
    ] {
        FlagshipInvariant::UsageCounts.holds(count.get() == slices, count.get())?;
    }
    Ok(())
}

/// Whether `block`, which may be anything, begins a block that was carved in a pool with this map
/// entry.
pub(crate) fn is_carved(block: *mut u8, entry: u32) -> bool {
    let Some((range, index)) = range::locate(block) else { return false };
    if range.entry(index) != entry {
        return false;
    }
    let pool = range.record(index).head();
    let size = Heap::block_bytes(entry);
    let distance = block.addr() - pool.start().addr();
    distance.is_multiple_of(size) && distance / size < usize::from(pool.carved())
}

#[cfg(test)]
mod tests;
