//! How small a heap could have been with all lifetimes known beforehand.
//!
//! Nothing here serves a call: the blocks of a workload are placed on paper, one offset each, so that
//! blocks that are alive together do not overlap. The height of a packing is what an allocator would
//! have needed that knew the future and had no records, no size classes and no pages; the most bytes
//! alive at once is a bound that no packing beats. `lifetimes` reads a workload, `zones` places it.
//!
//! * K1: a packing is at least as high as the bound.
//! * K2: two blocks that are alive at the same time share no byte.
//!
//! To find the lowest packing is NP-hard. What is done here is to try several heuristics and keep the
//! best, so that the truth lies between bound and packing.

pub(crate) mod lifetimes;
mod zones;

use lifetimes::Lifetimes;

/// The best packing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Its height in bytes.
    pub(crate) bytes: u64,
    /// The heuristic that found it.
    pub(crate) method: String,
}

/// Packs with every heuristic and keeps the lowest result; the first of several equal ones.
pub(crate) fn best(lifetimes: &Lifetimes) -> Packed {
    let mut best = zones::one_zone(lifetimes);
    for candidate in zones::by_lifetime(lifetimes) {
        // Nothing is left to gain.
        if best.bytes == lifetimes.bound_bytes() {
            break;
        }
        if candidate.bytes < best.bytes {
            best = candidate;
        }
    }
    debug_assert!(best.bytes >= lifetimes.bound_bytes(), "K1");
    best
}
