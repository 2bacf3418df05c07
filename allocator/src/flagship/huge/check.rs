//! The checks of G1 to G3.

use super::{Mapping, OS_PAGE_BYTES, with};
use crate::flagship::range;
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation};

/// Number of huge blocks, and their bytes.
pub(crate) fn totals() -> (usize, usize) {
    with(|table| {
        let bytes = (0..table.count).map(|at| *table.place(at)).filter(|place| place.block != 0);
        bytes.fold((0, 0), |(blocks, bytes), place| (blocks + 1, bytes + place.bytes))
    })
}

/// Bytes of freed mappings that are kept.
pub(crate) fn kept_bytes() -> usize {
    with(|table| table.kept.iter().map(|kept| kept.bytes).sum())
}

/// Checks the table.
pub(crate) fn check() -> Result<(), FlagshipViolation> {
    let places = FlagshipInvariant::HugePlaces;
    let (filled, bytes) = totals();
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
        let apart = FlagshipInvariant::KeptMappings;
        apart.holds(table.live == bytes, table.live)?;
        for at in 0..table.kept.len() {
            let kept = table.kept[at];
            let is_whole = kept.block.is_multiple_of(OS_PAGE_BYTES)
                && kept.bytes.is_multiple_of(OS_PAGE_BYTES)
                && (kept.bytes > 0) == (kept.block != 0);
            apart.holds(is_whole, kept.block)?;
            let overlaps = |other: &Mapping| {
                kept.block < other.block + other.bytes && other.block < kept.block + kept.bytes
            };
            apart.holds(!table.kept[at + 1..].iter().any(overlaps), kept.block)?;
            let is_live = (0..table.count).any(|at| overlaps(table.place(at)));
            apart.holds(!is_live, kept.block)?;
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

/// Lets the mapping that was kept last begin where a live one does; how it is put back.
#[cfg(test)]
pub(crate) fn damage_kept() -> impl FnOnce() {
    let exchange = |block: usize| {
        with(|table| {
            assert!(table.kept[0].block != 0, "something is kept");
            core::mem::replace(&mut table.kept[0].block, block)
        })
    };
    let live = with(|table| {
        let at = (0..table.count).find(|&at| table.place(at).block != 0).expect("a huge block");
        table.place(at).block
    });
    let own = exchange(live);
    move || {
        exchange(own);
    }
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
