//! Programs that start: in little, in odd environments, and otherwise as they do without the subject.

use crate::contract::row::{Ask, Authority, Limit, Promise, Row};

/// For a program that needs a few MiB.
const SMALL: u64 = 1 << 29;

pub(super) fn rows() -> Vec<Row> {
    let in_little = |limit| Ask::Starts { bytes: SMALL, limit };
    let row = |ask| Row::new(ask, Promise::Served, Authority::Posix);
    vec![
        row(in_little(Limit::AddressSpace)),
        row(in_little(Limit::Data)),
        row(Ask::Alike),
        row(Ask::Odd),
    ]
}
