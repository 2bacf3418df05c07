//! The checks of G1 and G2.

use super::{OS_PAGE_BYTES, with};
use crate::flagship::range;
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation};

/// Number of huge blocks, and their bytes.
pub(crate) fn totals() -> (usize, usize) {
    with(|table| {
        let bytes = (0..table.count).map(|at| *table.place(at)).filter(|place| place.block != 0);
        bytes.fold((0, 0), |(blocks, bytes), place| (blocks + 1, bytes + place.bytes))
    })
}

/// Checks the table.
pub(crate) fn check() -> Result<(), FlagshipViolation> {
    let places = FlagshipInvariant::HugePlaces;
    let (filled, _) = totals();
    with(|table| {
        places.holds(table.filled == filled && filled * 2 <= table.count, table.filled)?;
        for at in 0..table.count {
            let mapping = *table.place(at);
            if mapping.block == 0 {
                continue;
            }
            let block = core::ptr::with_exposed_provenance_mut(mapping.block);
            let is_whole = mapping.block.is_multiple_of(OS_PAGE_BYTES)
                && mapping.bytes.is_multiple_of(OS_PAGE_BYTES);
            places.holds(is_whole && mapping.bytes > 0, mapping.block)?;
            places.holds(range::locate(block).is_none(), mapping.block)?;
            let found = table.position(block);
            FlagshipInvariant::HugeProbing.holds(found == Some(at), mapping.block)?;
        }
        Ok(())
    })
}

/// Lets the first mapping look half an OS page longer, or shorter again, for the test of the check.
#[cfg(test)]
pub(crate) fn damage_length() {
    with(|table| {
        let at = (0..table.count).find(|&at| table.place(at).block != 0).expect("a huge block");
        table.place(at).bytes ^= OS_PAGE_BYTES / 2;
    });
}

/// Exchanges the halves of the table, or puts them back, for the test of the check.
#[cfg(test)]
pub(crate) fn damage_places() {
    with(|table| {
        for at in 0..table.count / 2 {
            let opposite = at + table.count / 2;
            let (mapping, other) = (*table.place(at), *table.place(opposite));
            *table.place(at) = other;
            *table.place(opposite) = mapping;
        }
    });
}
