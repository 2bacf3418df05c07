//! The invariants by number and name, and the violation of one.
//!
//! The sentences stand in full at the heads of the files that own them; here is the index. The
//! checks stand beside the structures they check, and `ClassicHeap::validate` runs them all.

use core::fmt;

/// A numbered invariant of the classic heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Invariant {
    /// I1 (`pool.rs`): a cut pool is aligned and names its arena.
    PoolPlace = 1,
    /// I2 (`pool.rs`): class and cut of a pool fit together.
    PoolCut,
    /// I3 (`pool.rs`): the free list chains exactly the cut blocks that are not live.
    FreeList,
    /// I4 (`pool.rs`): the free list is empty iff the pool is full.
    DryWhenFull,
    /// I5 (`used_pools.rs`): a class's list links exactly its used pools.
    UsedMembers,
    /// I6 (`used_pools.rs`): links of a used list return.
    UsedLinks,
    /// I7 (`arena.rs`): the vacant list holds exactly the slots without an arena.
    VacantSlots,
    /// I8 (`arena.rs`): the cut of an arena lies on a pool boundary inside it.
    ArenaCut,
    /// I9 (`arena.rs`): the empty list and the free count match the pools.
    EmptyPools,
    /// I10 (`arena.rs`): the arena counters agree.
    ArenaCounts,
    /// I11 (`usable_arenas.rs`): the usable list holds exactly the arenas with free pools.
    UsableMembers,
    /// I12 (`usable_arenas.rs`): it is sorted, most full first.
    UsableOrder,
    /// I13 (`usable_arenas.rs`): each finger names the last arena of its group.
    Fingers,
    /// I14 (`usable_arenas.rs`): only what the release rule keeps is wholly free.
    ReleaseRule,
    /// I15 (`ownership.rs`): the ownership test accepts every cut pool.
    OwnershipAnswers,
    /// I16 (`ownership.rs`): the strategy's records name exactly the mapped arenas.
    OwnershipRecords,
}

impl Invariant {
    /// All invariants, in order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::PoolPlace,
        Self::PoolCut,
        Self::FreeList,
        Self::DryWhenFull,
        Self::UsedMembers,
        Self::UsedLinks,
        Self::VacantSlots,
        Self::ArenaCut,
        Self::EmptyPools,
        Self::ArenaCounts,
        Self::UsableMembers,
        Self::UsableOrder,
        Self::Fingers,
        Self::ReleaseRule,
        Self::OwnershipAnswers,
        Self::OwnershipRecords,
    ];

    /// Its number: 1 for I1.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// `Ok` if `condition` holds, else the violation at `addr`.
    pub(crate) fn holds(self, condition: bool, addr: usize) -> Result<(), Violation> {
        if condition { Ok(()) } else { Err(Violation { invariant: self, addr }) }
    }

    fn text(self) -> &'static str {
        match self {
            Self::PoolPlace => "a pool is misaligned or names a wrong arena",
            Self::PoolCut => "class and cut of a pool do not fit together",
            Self::FreeList => "a free list leaves the cut blocks or has a wrong length",
            Self::DryWhenFull => "a pool is full with free blocks, or dry without being full",
            Self::UsedMembers => "a used list misses a pool or holds a wrong one",
            Self::UsedLinks => "a link of a used list does not return",
            Self::VacantSlots => "the vacant list misses a vacant slot or holds a wrong one",
            Self::ArenaCut => "the cut of an arena is off a pool boundary or outside of it",
            Self::EmptyPools => "an arena's empty list or free count does not match its pools",
            Self::ArenaCounts => "the arena counters disagree",
            Self::UsableMembers => "the usable list misses an arena or holds a wrong one",
            Self::UsableOrder => "the usable list is not sorted",
            Self::Fingers => "a finger does not name the last arena of its group",
            Self::ReleaseRule => "an arena is wholly free that should have been given back",
            Self::OwnershipAnswers => "the ownership test refuses a pool of the heap",
            Self::OwnershipRecords => "the ownership records do not match the arenas",
        }
    }
}

/// A broken invariant, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that does not hold.
    pub invariant: Invariant,
    /// Address of the pool, block, slot or arena concerned. A small number, a count or an index,
    /// where the fault is that something is missing and has no address.
    pub addr: usize,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, text) = (self.invariant.number(), self.invariant.text());
        write!(f, "I{number} broken at {:#x}: {text}", self.addr)
    }
}

impl core::error::Error for Violation {}
