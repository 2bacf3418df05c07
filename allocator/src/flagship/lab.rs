//! Arenite's own ownership test, alone, for measuring: what a free asks before anything else.
//!
//! ```text
//! address - base < bytes of the reservation ?      ours: one comparison, no load
//! map[index]                                       what it is: one load from the map of slices
//! ```
//!
//! A thread heap holds a copy of the reservation's extent; so does the value here. The command
//! `arenabench ownership` is the caller.

use super::range::{self, Extent};

/// The range test of Arenite's free, over the reservation as it was when this was made.
///
/// *Foreign pointers*: any bit pattern is answered and nothing foreign is read. Blocks that do not
/// come from the first reservation (huge ones, or those of a second reservation) are left to
/// [`Arenite::owns`](crate::Arenite::owns). *Cost*: constant.
///
/// ```
/// use arenite::{Arenite, AreniteLab};
///
/// let block = Arenite::malloc(100);
/// let lab = AreniteLab::attach();
/// assert!(lab.owns(block) && lab.holds_pool_or_block(block));
/// assert!(!lab.owns(std::ptr::null()));
/// // SAFETY: live, freed once.
/// unsafe { Arenite::free(block) };
/// ```
#[derive(Clone, Copy)]
pub struct AreniteLab {
    extent: Extent,
}

impl AreniteLab {
    /// The test as it stands. Allocate first: before the first block nothing is reserved.
    #[must_use]
    pub fn attach() -> Self {
        Self { extent: range::primary().extent() }
    }

    /// Whether `address` lies in the reservation. It holds nothing but arenas and their tables, so
    /// that nobody else is ever given an address in it.
    #[inline(always)]
    #[must_use]
    pub fn owns(&self, address: *const u8) -> bool {
        self.extent.index_of(address).is_some()
    }

    /// Whether `address` lies in a slice of a pool or in the first one of a large block: the test
    /// together with the load by which a free learns whose the block is and what class it has.
    #[inline(always)]
    #[must_use]
    pub fn holds_pool_or_block(&self, address: *const u8) -> bool {
        self.extent.index_of(address).is_some() && self.extent.entry_around(address) != 0
    }
}
