//! How much memory is resident, of blocks that nobody has written to and of what was given back; how much address
//! space is taken by blocks that come and go, and how many mappings by many; and a block of more than 4 GiB.

use crate::contract::row::{Ask, Authority, Origin, Promise, Row};

/// A block that no allocator has at hand.
const HUGE: usize = 1 << 28;
/// A block that is written to.
const WRITTEN: usize = 1 << 26;
/// What an allocator may take for itself meanwhile.
const SPARE: usize = 1 << 23;

/// Blocks from a thread's own memory, from memory that all threads share, and from the kernel.
const CYCLED: [Ask; 5] = [
    Ask::Cycled { new: Origin::Malloc(200), count: 20_000, times: 20 },
    Ask::Cycled { new: Origin::Malloc(250_000), count: 512, times: 100 },
    Ask::Cycled { new: Origin::Malloc(3 << 20), count: 8, times: 400 },
    Ask::Cycled { new: Origin::Aligned { align: 1 << 21, size: 3 << 20 }, count: 4, times: 400 },
    Ask::Cycled { new: Origin::Realloc { from: 100_000, to: 2 << 20 }, count: 8, times: 200 },
];
/// Address space that may be set aside meanwhile: less than what the blocks of a few rounds take.
const SPAN: usize = 1 << 28;

pub(super) fn rows() -> Vec<Row> {
    [
        Ask::Untouched { new: Origin::Malloc(HUGE) },
        Ask::Untouched { new: Origin::Calloc(HUGE) },
        Ask::Untouched { new: Origin::Aligned { align: 1 << 21, size: HUGE } },
        Ask::Freed { size: WRITTEN },
        Ask::Shrunk { from: WRITTEN, to: WRITTEN / 4 * 3, count: 1 },
        Ask::Shrunk { from: 1_000_000, to: 520_000, count: 64 },
        Ask::Sparse { new: Origin::Malloc(1_000_000), count: 200 },
        Ask::Sparse { new: Origin::Calloc(1_000_000), count: 200 },
        Ask::Inherited { count: 300_000, size: 100 },
        Ask::Ended { threads: 2000 },
    ]
    .map(|ask| Row::new(ask, Promise::AtMost(SPARE), Authority::Glibc))
    .into_iter()
    .chain([
        Row::new(
            Ask::Mapped { size: 1_300_000, count: 2000 },
            Promise::Maps(100),
            Authority::Glibc,
        ),
        Row::new(Ask::Vast, Promise::Served, Authority::Glibc),
    ])
    .chain(CYCLED.map(|ask| Row::new(ask, Promise::Spans(SPAN), Authority::Glibc)))
    .collect()
}
