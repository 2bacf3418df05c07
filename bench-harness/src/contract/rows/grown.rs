//! What calls cost beside many blocks, and beside the blocks of many threads. Not `realloc`, which may move a
//! block on one heap and need not on another.

use crate::contract::row::{Ask, Authority, Beside, Origin, Promise, Row};

const SMALL: Beside = Beside::Blocks { count: 200_000, size: 50 };
const MEDIUM: Beside = Beside::Blocks { count: 2_000, size: 40_000 };
const MAPPED: Beside = Beside::Blocks { count: 2_000, size: (1 << 20) + 1 };
const THREADS: Beside = Beside::Threads { count: 500 };

pub(super) fn rows() -> Vec<Row> {
    [
        (Origin::Malloc(48), SMALL),
        (Origin::Malloc(48), THREADS),
        (Origin::Calloc(2_000), SMALL),
        (Origin::Malloc(40_000), MEDIUM),
        (Origin::Malloc(40_000), THREADS),
        (Origin::Aligned { align: 4096, size: 20_000 }, MEDIUM),
        (Origin::Malloc(2 << 20), MAPPED),
    ]
    .map(|(new, beside)| {
        Row::new(Ask::Costs { new, beside }, Promise::Constant, Authority::Arenite)
    })
    .into()
}
