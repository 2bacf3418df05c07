//! Integer objects as each era allocates them.
//!
//! * 2.3 and 2.7: an int up to a C long lies in a 992-byte block of 41 that the int type carves
//!   itself. The block is asked for when no dead int is left and is never given back, so in
//!   steady state such ints cause no traffic at all.
//! * 3.6 to 3.10: one request per int, 28 bytes for one digit.
//! * 3.11 to 3.13: one request per int, 32 bytes for one digit.
//! * 3.14: as 3.13, but 100 dead one-digit ints are kept for reuse.
//!
//! Longer ints are one request of 24 bytes and 4 per digit, where the number of digits is fixed
//! before the result is known: a sum has one more than the longer operand, a product as many as
//! both together.
//!
//! Source: `intobject.c:fill_free_list` (2.x), `longobject.c:_PyLong_New, _PyLong_FromMedium`.

use super::emitter::Emitter;
use super::era::Era;
use super::free_list::FreeList;
use crate::event::BlockId;

/// Bytes of a block of ints in 2.x, and the ints it holds.
const INT_BLOCK: (u64, u64) = (992, 41);

/// Dead one-digit ints that 3.14 keeps.
const KEPT_INTS: usize = 100;

/// An integer object; dropping one without [`IntObjects::release`] leaks it, as in C.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(super) enum Int {
    /// An object that is not this program's to free: a cached int, or one someone else holds.
    Cached,
    /// Inside a block of ints (2.x).
    Carved,
    /// A one-digit int of its own (3.x).
    OneDigit(BlockId),
    /// A long.
    Long(BlockId),
}

/// Allocator of integer objects of one interpreter.
pub(super) struct IntObjects {
    era: Era,
    /// Dead ints in the blocks of 2.x.
    carved_free: u64,
    kept: FreeList<BlockId>,
}

impl IntObjects {
    pub(super) fn new(era: Era) -> Self {
        let capacity = if era >= Era::V3_14 { KEPT_INTS } else { 0 };
        IntObjects { era, carved_free: 0, kept: FreeList::new(capacity) }
    }

    /// An int above the interpreter's cache of small ones and within one digit.
    pub(super) fn one_digit(&mut self, heap: &mut Emitter<'_>) -> Int {
        if self.era.has_int_blocks() {
            return self.carve(heap);
        }
        match self.kept.take() {
            Some(block) => Int::OneDigit(block),
            None => Int::OneDigit(heap.malloc(self.era.one_digit_int())),
        }
    }

    /// An int of two digits that fits a C long.
    pub(super) fn two_digits(&mut self, heap: &mut Emitter<'_>) -> Int {
        if self.era.has_int_blocks() { self.carve(heap) } else { self.long(2, heap) }
    }

    /// A result for which arithmetic asks `digits` digits.
    pub(super) fn long(&mut self, digits: u64, heap: &mut Emitter<'_>) -> Int {
        Int::Long(heap.malloc(self.era.long(digits)))
    }

    pub(super) fn release(&mut self, int: Int, heap: &mut Emitter<'_>) {
        match int {
            Int::Cached => {}
            Int::Carved => self.carved_free += 1,
            Int::OneDigit(block) => {
                if let Some(block) = self.kept.give(block) {
                    heap.free(block);
                }
            }
            Int::Long(block) => heap.free(block),
        }
    }

    fn carve(&mut self, heap: &mut Emitter<'_>) -> Int {
        if self.carved_free == 0 {
            // The block is never freed, so nobody keeps its id.
            let (bytes, ints) = INT_BLOCK;
            heap.malloc(bytes);
            self.carved_free = ints;
        }
        self.carved_free -= 1;
        Int::Carved
    }
}
