//! The table: every call that is tried, with what is promised of it.
//!
//! The promise is what the C library's manual pages say and glibc does, with one exception:
//! `aligned_alloc` refuses an alignment that is no power of two, as POSIX asks and glibc does from
//! version 2.38 on. What Arenite's documentation alone promises is said to be by Arenite. Where C or POSIX
//! leave more room than glibc takes, the row says what is allowed besides. Rows are grouped by what the calls do, one file for each group.

mod aligned;
mod allocate;
mod confined;
mod crowd;
mod extras;
mod grown;
mod release;
mod resident;
mod resize;
mod started;

use super::row::{Origin, Promise, Row};

/// Largest size that a pointer difference can span; no block may be larger.
pub(super) const LARGEST: usize = isize::MAX as usize;

/// Alignment of every block that glibc gives out.
pub(super) const ALIGN: usize = 16;

/// Sizes that come from a thread's own memory, from memory that all threads share, and from the kernel.
pub(super) const SIZES_OF_EVERY_KIND: [usize; 3] = [48, 65_536, 2 << 20];

/// Blocks of every kind: of a thread's own memory, of memory that all share, of the kernel's, aligned, moved.
pub(super) const ORIGINS_OF_EVERY_KIND: [Origin; 15] = [
    Origin::Malloc(1),
    Origin::Malloc(48),
    Origin::Malloc(512),
    Origin::Malloc(513),
    Origin::Malloc(4096),
    Origin::Malloc(32_768),
    Origin::Malloc(32_769),
    Origin::Malloc(1 << 20),
    Origin::Malloc((1 << 20) + 1),
    Origin::Calloc(3 << 20),
    Origin::Realloc { from: 100, to: 100_000 },
    Origin::Realloc { from: 100_000, to: 20 << 20 },
    Origin::Aligned { align: 4096, size: 100 },
    Origin::Aligned { align: 1 << 16, size: 10_000 },
    Origin::Aligned { align: 1 << 21, size: 3 << 20 },
];

/// All rows, in the order in which they are shown.
pub(crate) fn all() -> Vec<Row> {
    let of_one_call = [allocate::rows(), resize::rows(), aligned::rows(), release::rows()];
    [
        of_one_call.concat(),
        confined::rows(),
        crowd::rows(),
        resident::rows(),
        extras::rows(),
        grown::rows(),
        started::rows(),
    ]
    .concat()
}

/// A block of `size` bytes, aligned as malloc aligns.
pub(super) fn block(size: usize) -> Promise {
    Promise::Block { align: ALIGN, usable: size }
}

/// A block of `size` bytes, aligned for any object that fits into it and no more.
pub(super) fn weakly_aligned(size: usize) -> Promise {
    let fits = size.max(1).ilog2();
    Promise::Block { align: ALIGN.min(1 << fits), usable: size }
}

/// Arrays whose size is too large for a number of this width, most of them by little: what is left of the
/// product may be as small as one element, and neither factor need be large.
pub(super) const OVERFLOWING: [(usize, usize); 11] = [
    (usize::MAX, 2),
    (2, usize::MAX / 2 + 1),
    (usize::MAX / 2 + 1, 2),
    (usize::MAX / 2, 3),
    (usize::MAX / 3 + 1, 3),
    (7, usize::MAX / 7 + 1),
    (usize::MAX / 24 + 1, 24),
    (1 << 32, 1 << 32),
    ((1 << 32) + 1, 1 << 32),
    ((1 << 33) - 1, (1 << 31) + 1),
    (usize::MAX, usize::MAX),
];

/// Out of memory.
pub(super) const NO_MEMORY: Promise = Promise::Null { errno: libc::ENOMEM };

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_more_than_120_rows_and_no_name_twice() {
        let names: Vec<_> = all().iter().map(Row::name).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert!(names.len() >= 120, "{}", names.len());
        assert_eq!(unique.len(), names.len(), "{names:#?}");
    }

    #[test]
    fn arrays_that_overflow_do() {
        for (count, size) in OVERFLOWING {
            assert_eq!(count.checked_mul(size), None, "{count} {size}");
        }
    }

    #[test]
    fn what_is_allowed_is_never_what_is_promised() {
        for row in all() {
            assert_ne!(row.allowed, Some(row.promise), "{}", row.name());
        }
    }

    #[test]
    fn every_function_of_the_family_has_rows() {
        let functions: BTreeSet<_> = all().iter().map(|row| row.ask.function()).collect();
        assert_eq!(functions.len(), 16, "{functions:?}");
    }
}
