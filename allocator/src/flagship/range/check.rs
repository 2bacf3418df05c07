//! The check of R1, and of R2 for the tables.

use core::sync::atomic::Ordering;

use super::{ARENA_BYTES, ARENA_SLICES, BIT_WORDS, Range};
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation};

impl Range {
    /// Number of the first arena, behind the tables.
    pub(crate) fn first_arena(&self) -> usize {
        let bits = self.bits.load(Ordering::Relaxed).addr();
        let slices = self.slices.load(Ordering::Relaxed);
        let tables_end = bits + slices * BIT_WORDS * size_of::<u64>();
        (tables_end - self.base.load(Ordering::Relaxed)).div_ceil(ARENA_BYTES)
    }

    /// Bytes of address space.
    pub(crate) fn bytes(&self) -> usize {
        self.slices.load(Ordering::Relaxed) * super::SLICE_BYTES
    }

    pub(crate) fn check(&self) -> Result<(), FlagshipViolation> {
        let base = self.base.load(Ordering::Relaxed);
        let slices = self.slices.load(Ordering::Relaxed);
        let place = FlagshipInvariant::RangePlace;
        place.holds(base != 0 && base.is_multiple_of(ARENA_BYTES), base)?;
        place.holds(slices > 0 && slices.is_multiple_of(ARENA_SLICES), slices)?;
        let tables = [
            self.map.load(Ordering::Relaxed).addr(),
            self.records.load(Ordering::Relaxed).addr(),
            self.bits.load(Ordering::Relaxed).addr(),
        ];
        place.holds(tables[0] == base && tables.is_sorted(), base)?;
        for index in 0..self.first_arena() * ARENA_SLICES {
            FlagshipInvariant::MapEntries.holds(self.entry(index) == 0, index)?;
        }
        Ok(())
    }
}
