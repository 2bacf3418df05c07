//! Calls with more than one thread: in children of a fork, and on many threads.

use super::SIZES_OF_EVERY_KIND;
use crate::contract::row::{Ask, Authority, Promise, Row};

pub(super) fn rows() -> Vec<Row> {
    let glibc = |ask| Row::new(ask, Promise::Served, Authority::Glibc);
    let mut rows: Vec<Row> = SIZES_OF_EVERY_KIND.map(|size| glibc(Ask::Fork { size })).into();
    let at_once = Ask::Threads { count: 3000, size: 100 };
    rows.push(Row::new(at_once, Promise::Served, Authority::Posix));
    let of_many = [
        Ask::Mixed,
        Ask::Generations,
        Ask::Apart,
        Ask::Late { threads: 400, size: 100 },
        Ask::Late { threads: 400, size: 40_000 },
        Ask::Busy { threads: 8, size: 100 },
        Ask::Busy { threads: 8, size: 40_000 },
        Ask::Relay { threads: 1000, size: 100 },
    ];
    rows.extend(of_many.map(|ask| Row::new(ask, Promise::Served, Authority::Posix)));
    rows
}
