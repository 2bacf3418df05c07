//! How much memory is resident: of a block that nobody has written to, and of what was given back.

use crate::contract::row::{Ask, Authority, Origin, Promise, Row};

/// A block that no allocator has at hand.
const HUGE: usize = 1 << 28;
/// A block that is written to.
const WRITTEN: usize = 1 << 26;
/// What an allocator may take for itself meanwhile.
const SPARE: usize = 1 << 23;

pub(super) fn rows() -> Vec<Row> {
    [
        Ask::Untouched { new: Origin::Malloc(HUGE) },
        Ask::Untouched { new: Origin::Calloc(HUGE) },
        Ask::Untouched { new: Origin::Aligned { align: 1 << 21, size: HUGE } },
        Ask::Freed { size: WRITTEN },
        Ask::Shrunk { from: WRITTEN, to: WRITTEN / 4 * 3 },
        Ask::Inherited { count: 300_000, size: 100 },
    ]
    .map(|ask| Row::new(ask, Promise::AtMost(SPARE), Authority::Glibc))
    .into()
}
