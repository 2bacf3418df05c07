//! Functions that `arenite.h` has beyond C's. Another allocator has none of them.

use crate::contract::row::{Ask, Authority, Promise, Row};

/// What each of the threads has had before all of it is to go.
const WRITTEN: usize = 1 << 24;
/// What may stay.
const SPARE: usize = 1 << 22;

pub(super) fn rows() -> Vec<Row> {
    let row = |ask, promise| Row::new(ask, promise, Authority::Arenite);
    vec![
        row(Ask::Owned { mappings: 3000 }, Promise::Told),
        row(Ask::GoodSizes, Promise::Told),
        row(Ask::Purged { threads: 4, bytes: WRITTEN }, Promise::AtMost(SPARE)),
        row(Ask::Swept { size: 100, times: 300 }, Promise::Served),
        row(Ask::Swept { size: 40_000, times: 300 }, Promise::Served),
        row(Ask::Swept { size: 1 << 20, times: 300 }, Promise::Served),
    ]
}
