//! Blocks from nothing: `malloc` and `calloc`.

use super::{LARGEST, NO_MEMORY, OVERFLOWING, block, weakly_aligned};
use crate::contract::row::{Ask, Authority, Promise, Row};

/// Requests smaller than the alignment that glibc gives them.
const TINY: [usize; 5] = [1, 2, 7, 8, 15];

/// Sizes around the edges of size classes, OS pages and the thresholds of large blocks.
const SIZES: [usize; 20] = [
    16,
    17,
    24,
    100,
    128,
    511,
    512,
    513,
    1024,
    1025,
    4095,
    4096,
    4097,
    32_768,
    65_536,
    131_073,
    262_144,
    1_000_000,
    1 << 20,
    33_554_433,
];

/// Sizes that no computer has.
const TOO_LARGE: [usize; 6] =
    [LARGEST, LARGEST + 1, LARGEST + 17, usize::MAX - 4096, usize::MAX - 15, usize::MAX];

/// Arrays, counted from element count and size.
const ARRAYS: [(usize, usize); 8] = [
    (16, 1),
    (1, 100),
    (3, 24),
    (1, 4096),
    (1000, 24),
    (4096, 64),
    (1 << 10, 1 << 10),
    (33_554_433, 1),
];

/// Arrays whose size is more than there can be.
const TOO_MANY: [(usize, usize); 2] = [(1, usize::MAX), (LARGEST + 1, 1)];

pub(super) fn rows() -> Vec<Row> {
    let glibc = |ask, promise| Row::new(ask, promise, Authority::Glibc);
    let c = |ask, promise| Row::new(ask, promise, Authority::C);
    let mut rows = vec![glibc(Ask::Malloc { size: 0 }, block(0)).or(Promise::Anything)];
    rows.extend(TINY.map(|size| glibc(Ask::Malloc { size }, block(size)).or(weakly_aligned(size))));
    rows.extend(SIZES.map(|size| c(Ask::Malloc { size }, block(size))));
    rows.extend(TOO_LARGE.map(|size| Row::new(Ask::Malloc { size }, NO_MEMORY, Authority::Posix)));
    rows.extend(
        [(0, 0), (0, 8), (8, 0)].map(|(count, size)| {
            glibc(Ask::Calloc { count, size }, block(0)).or(Promise::Anything)
        }),
    );
    rows.push(glibc(Ask::Calloc { count: 3, size: 1 }, block(3)).or(weakly_aligned(3)));
    rows.extend(ARRAYS.map(|(count, size)| c(Ask::Calloc { count, size }, block(count * size))));
    let refused =
        |(count, size)| Row::new(Ask::Calloc { count, size }, NO_MEMORY, Authority::Posix);
    rows.extend(OVERFLOWING.map(refused));
    rows.extend(TOO_MANY.map(refused));
    let locked = Ask::Locked { size: 200_000 };
    rows.push(c(locked, Promise::Served));
    rows
}
