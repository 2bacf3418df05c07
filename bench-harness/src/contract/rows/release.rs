//! Blocks looked at and given back: `malloc_usable_size`, `free`, `free_sized`,
//! `free_aligned_sized`.

use crate::contract::row::{Ask, Authority, Origin, Promise, Row};

/// A block of every make: small, medium, large, and each way to get one.
const BLOCKS: [Origin; 9] = [
    Origin::Malloc(0),
    Origin::Malloc(24),
    Origin::Malloc(1000),
    Origin::Malloc(100_000),
    Origin::Malloc(1 << 24),
    Origin::Calloc(200),
    Origin::Realloc { from: 24, to: 2000 },
    Origin::Aligned { align: 64, size: 100 },
    Origin::Aligned { align: 1 << 20, size: 5000 },
];

pub(super) fn rows() -> Vec<Row> {
    let glibc = |ask, promise| Row::new(ask, promise, Authority::Glibc);
    let mut rows = vec![glibc(Ask::UsableSize { old: Origin::Null }, Promise::Exactly(0))];
    rows.extend(BLOCKS.map(|old| glibc(Ask::UsableSize { old }, Promise::AtLeast(old.size()))));
    // POSIX asks from its 2024 edition on that free keeps errno; glibc does since 2.33.
    rows.push(Row::new(Ask::Free { old: Origin::Null }, Promise::Returns, Authority::Posix));
    rows.extend(BLOCKS.map(|old| Row::new(Ask::Free { old }, Promise::Returns, Authority::Posix)));
    let c = |ask| Row::new(ask, Promise::Returns, Authority::C);
    rows.push(c(Ask::FreeSized { old: Origin::Null }));
    rows.extend(
        [0, 24, 1000, 100_000, 1 << 24].map(|size| c(Ask::FreeSized { old: Origin::Malloc(size) })),
    );
    rows.push(c(Ask::FreeSized { old: Origin::Realloc { from: 24, to: 2000 } }));
    rows.push(c(Ask::FreeAlignedSized { old: Origin::Null }));
    rows.extend(
        [(16, 48), (64, 128), (4096, 8192), (1 << 20, 1 << 20)]
            .map(|(align, size)| c(Ask::FreeAlignedSized { old: Origin::Aligned { align, size } })),
    );
    rows
}
