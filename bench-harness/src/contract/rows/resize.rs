//! Blocks from blocks: `realloc` and `reallocarray`.

use super::{LARGEST, NO_MEMORY, OVERFLOWING, block, weakly_aligned};
use crate::contract::row::{Ask, Authority, Origin, Promise, Row};

/// From and to: within a size class, across classes, across OS pages, across the threshold of large
/// blocks, and back.
const RESIZES: [(usize, usize); 15] = [
    (24, 24),
    (24, 32),
    (24, 1000),
    (1000, 24),
    (512, 513),
    (513, 512),
    (100, 100_000),
    (100_000, 100),
    (4096, 4097),
    (65_536, 131_072),
    (200_000, 150_000),
    (1 << 20, 1 << 21),
    (1 << 21, 1 << 20),
    (1 << 24, 100),
    (100, 1 << 24),
];

/// Alignment and size of a block, and the size it is to have.
const ALIGNED_RESIZES: [(usize, usize, usize); 3] =
    [(64, 100, 200), (4096, 100, 5000), (1 << 20, 1 << 20, 100)];

pub(super) fn rows() -> Vec<Row> {
    let realloc = |old, size, promise, by| Row::new(Ask::Realloc { old, size }, promise, by);
    let mut rows = vec![
        realloc(Origin::Null, 0, block(0), Authority::Glibc).or(Promise::Anything),
        realloc(Origin::Null, 24, block(24), Authority::C),
        realloc(Origin::Null, 1 << 20, block(1 << 20), Authority::C),
        realloc(Origin::Malloc(24), 3, block(3), Authority::Glibc).or(weakly_aligned(3)),
        realloc(Origin::Calloc(100), 1000, block(1000), Authority::C),
    ];
    rows.extend(
        RESIZES.map(|(from, to)| realloc(Origin::Malloc(from), to, block(to), Authority::C)),
    );
    rows.extend(ALIGNED_RESIZES.map(|(align, from, to)| {
        realloc(Origin::Aligned { align, size: from }, to, block(to), Authority::C)
    }));
    // C17 leaves open whether a block comes back; C23 leaves everything open.
    rows.extend([0, 24, 100_000, 1 << 24].map(|from| {
        realloc(Origin::Malloc(from), 0, Promise::Freed, Authority::Glibc).or(Promise::Anything)
    }));
    rows.extend([
        realloc(Origin::Malloc(24), LARGEST, NO_MEMORY, Authority::Posix),
        realloc(Origin::Malloc(24), LARGEST + 1, NO_MEMORY, Authority::Posix),
        realloc(Origin::Malloc(100_000), usize::MAX - 4096, NO_MEMORY, Authority::Posix),
        realloc(Origin::Malloc(1 << 24), usize::MAX, NO_MEMORY, Authority::Posix),
        realloc(Origin::Null, LARGEST + 1, NO_MEMORY, Authority::Posix),
    ]);
    rows.extend(reallocarray());
    rows
}

fn reallocarray() -> Vec<Row> {
    let row = |old, count, size, promise| {
        Row::new(Ask::Reallocarray { old, count, size }, promise, Authority::Glibc)
    };
    let mut rows = vec![
        row(Origin::Null, 3, 8, block(24)),
        row(Origin::Null, 0, 8, block(0)).or(Promise::Anything),
        row(Origin::Malloc(24), 10, 100, block(1000)),
        row(Origin::Malloc(100_000), 10, 10, block(100)),
        row(Origin::Malloc(24), 0, 8, Promise::Freed).or(Promise::Anything),
        row(Origin::Malloc(24), 8, 0, Promise::Freed).or(Promise::Anything),
        row(Origin::Null, usize::MAX / 2, 3, NO_MEMORY),
        row(Origin::Malloc(1 << 20), 1, LARGEST + 1, NO_MEMORY),
    ];
    let refused = |(count, size)| row(Origin::Malloc(24), count, size, NO_MEMORY);
    rows.extend(OVERFLOWING.map(refused));
    rows
}
