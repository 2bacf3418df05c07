//! Blocks with an alignment: `aligned_alloc`, `posix_memalign`, `memalign`, `valloc`, `pvalloc`.

use super::{ALIGN, LARGEST, NO_MEMORY};
use crate::contract::row::{Ask, Authority, Promise, Row};

/// Alignments that can be had, with sizes that are and are not their multiples.
const SERVED: [(usize, usize); 15] = [
    (8, 8),
    (8, 100),
    (16, 16),
    (32, 1),
    (64, 64),
    (64, 100),
    (128, 1000),
    (4096, 1),
    (4096, 10_000),
    (65_536, 3),
    (1 << 20, 100),
    (1 << 21, 1 << 21),
    (1 << 21, 3 << 20),
    (1 << 24, 4096),
    (1 << 30, 16),
];

/// Alignments and sizes that cannot be had, the sum of both overflowing in some.
const TOO_LARGE: [(usize, usize); 6] = [
    (16, usize::MAX),
    (64, LARGEST + 1),
    (64, usize::MAX - 32),
    (4096, usize::MAX - 4095),
    (1 << 20, LARGEST),
    (1 << 62, 16),
];

/// Alignments that are no power of two.
const ODD: [usize; 5] = [3, 24, 48, LARGEST, usize::MAX];

pub(super) fn rows() -> Vec<Row> {
    [aligned_alloc(), posix_memalign(), memalign(), whole_os_pages()].concat()
}

/// A block of alignment `align` or what glibc gives every block, whichever is more; C asks for no
/// more than was named.
fn served(ask: Ask, align: usize, size: usize, by: Authority) -> Row {
    let usable = size;
    let row = Row::new(ask, Promise::Block { align: align.max(ALIGN), usable }, by);
    if align < ALIGN { row.or(Promise::Block { align, usable }) } else { row }
}

/// A block of this alignment would be one of two in the address space. Most have no memory for that.
const HALF: usize = 1 << 46;
const HALF_SERVED: Promise = Promise::Block { align: HALF, usable: 16 };

const BAD_ALIGNMENT: Promise = Promise::Null { errno: libc::EINVAL };

fn aligned_alloc() -> Vec<Row> {
    let mut rows = vec![
        served(Ask::AlignedAlloc { align: 1, size: 10 }, 1, 10, Authority::C),
        served(Ask::AlignedAlloc { align: 2, size: 3 }, 2, 3, Authority::C),
        served(Ask::AlignedAlloc { align: 64, size: 0 }, 64, 0, Authority::Glibc)
            .or(Promise::Anything),
    ];
    rows.extend(
        SERVED.map(|(align, size)| {
            served(Ask::AlignedAlloc { align, size }, align, size, Authority::C)
        }),
    );
    rows.extend([0, ODD[0], ODD[1], ODD[2], ODD[4]].map(|align| {
        Row::new(Ask::AlignedAlloc { align, size: 96 }, BAD_ALIGNMENT, Authority::Posix)
    }));
    rows.extend(TOO_LARGE.map(|(align, size)| {
        Row::new(Ask::AlignedAlloc { align, size }, NO_MEMORY, Authority::Posix)
    }));
    let half = Ask::AlignedAlloc { align: HALF, size: 16 };
    rows.push(Row::new(half, NO_MEMORY, Authority::Posix).or(HALF_SERVED));
    rows
}

fn posix_memalign() -> Vec<Row> {
    let code = |align, size, code| {
        Row::new(Ask::PosixMemalign { align, size }, Promise::Code { code }, Authority::Posix)
    };
    let mut rows = vec![
        served(Ask::PosixMemalign { align: 64, size: 0 }, 64, 0, Authority::Glibc)
            .or(Promise::Anything),
    ];
    rows.extend(SERVED.map(|(align, size)| {
        served(Ask::PosixMemalign { align, size }, align, size, Authority::Posix)
    }));
    // Powers of two below the size of a pointer are refused too.
    rows.extend([0, 1, 2, 4].map(|align| code(align, 96, libc::EINVAL)));
    rows.extend(ODD.map(|align| code(align, 96, libc::EINVAL)));
    rows.extend(TOO_LARGE.map(|(align, size)| code(align, size, libc::ENOMEM)));
    rows.push(code(HALF, 16, libc::ENOMEM).or(HALF_SERVED));
    rows
}

/// glibc rounds an alignment that is no power of two up to the next one.
fn memalign() -> Vec<Row> {
    let row =
        |align, size, promise| Row::new(Ask::Memalign { align, size }, promise, Authority::Glibc);
    let mut rows: Vec<Row> = [(1, 10), (8, 100), (64, 100), (4096, 10), (1 << 20, 5000)]
        .map(|(align, size)| served(Ask::Memalign { align, size }, align, size, Authority::Glibc))
        .to_vec();
    rows.extend([(0, 16), (3, 4), (48, 64), (100, 128)].map(|(align, served)| {
        row(align, 96, Promise::Block { align: served.max(ALIGN), usable: 96 }).or(BAD_ALIGNMENT)
    }));
    rows.extend([
        row(64, usize::MAX, NO_MEMORY),
        row(4096, LARGEST + 1, NO_MEMORY),
        row(1 << 62, 16, NO_MEMORY),
        row(usize::MAX, 16, BAD_ALIGNMENT),
    ]);
    rows
}

fn whole_os_pages() -> Vec<Row> {
    let page = crate::os::page_bytes();
    let row = |ask, usable| Row::new(ask, Promise::Block { align: page, usable }, Authority::Glibc);
    let mut rows = vec![row(Ask::Valloc { size: 0 }, 0).or(Promise::Anything)];
    rows.extend([1, 4096, 10_000].map(|size| row(Ask::Valloc { size }, size)));
    rows.push(Row::new(Ask::Valloc { size: usize::MAX }, NO_MEMORY, Authority::Glibc));
    rows.push(row(Ask::Pvalloc { size: 0 }, 0).or(Promise::Anything));
    rows.extend(
        [1, 4096, 4097, 10_000].map(|size| row(Ask::Pvalloc { size }, size.next_multiple_of(page))),
    );
    rows.push(Row::new(Ask::Pvalloc { size: usize::MAX }, NO_MEMORY, Authority::Glibc));
    rows
}
