//! Calls of a process that may have little more address space than it has.

use super::{NO_MEMORY, block};
use crate::contract::row::{Ask, Authority, Origin, Promise, Row};

/// More than is left, and less than some allocators set aside when they start.
const REFUSED: usize = 1 << 33;
/// Old blocks from a thread's own memory, from memory that all threads share, and from the kernel.
const OLD: [Origin; 4] = [
    Origin::Malloc(100),
    Origin::Malloc(100_000),
    Origin::Malloc(1 << 25),
    Origin::Aligned { align: 1 << 16, size: 1 << 25 },
];

pub(super) fn rows() -> Vec<Row> {
    let refused = |ask, promise| {
        // Who has set so much aside may give it.
        Row::new(ask, promise, Authority::Posix).or(block(REFUSED)).confined()
    };
    let mut rows = vec![
        refused(Ask::Malloc { size: REFUSED }, NO_MEMORY),
        refused(Ask::Calloc { count: 1, size: REFUSED }, NO_MEMORY),
        refused(Ask::AlignedAlloc { align: 4096, size: REFUSED }, NO_MEMORY),
        refused(
            Ask::PosixMemalign { align: 4096, size: REFUSED },
            Promise::Code { code: libc::ENOMEM },
        ),
    ];
    rows.extend(OLD.map(|old| refused(Ask::Realloc { old, size: REFUSED }, NO_MEMORY)));
    // And what there is room for is still to be had.
    let served = |ask| Row::new(ask, block(1 << 20), Authority::C).confined();
    rows.extend([
        served(Ask::Malloc { size: 1 << 20 }),
        served(Ask::Realloc { old: Origin::Malloc(1 << 25), size: 1 << 20 }),
    ]);
    rows
}
