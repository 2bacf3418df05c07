//! `int-churn`: a counting loop that replaces ints at random places of a live set.
//!
//! The program (`programs/int_churn.py`), whose three iterables make no objects but the ints `i`:
//! ```python
//! for i, slot, operand in zip(range(FIRST, LAST), cycle(slots), cycle(operands)):
//!     live[slot] = i * operand
//! ```
//! One step in 3.x, where `i'` is the loop's next int and `x` the int it displaces:
//! ```text
//! malloc i'      one digit: 28 bytes up to 3.10, 32 from 3.11
//! free i
//! malloc x'      half the operands have one digit: the product asks for 2 digits, 32 bytes;
//!                half have two: the product asks for 3 digits, 36 bytes
//! free x         a live int at a random slot
//! ```
//! So the requests are one half one-digit ints, one quarter 32 and one quarter 36 bytes, which are
//! the shares measured on CPython 3.6 to 3.13. Loop ints die within three calls of their
//! successor's birth; replaced ints live for a random time of 4 x `live` calls on average.
//!
//! In 2.3 and 2.7 the loop ints and the products below 2^63 lie in blocks of ints and are silent.
//! Only the other half of the products reaches the allocator, as longs, each after two longs made
//! from the operands, which die as soon as the product is there. In 3.14 the loop ints come from
//! the free list of ints, and only the products reach the allocator.

use super::Spec;
use super::dice::Dice;
use super::emitter::Emitter;
use super::int_objects::{Int, IntObjects};
use crate::event::Op;

/// Bytes of a list object; its buffer is a request of its own. Part of the live set, never
/// touched in the region, so the size of one era serves all.
const LIST_OBJECT: u64 = 56;

/// Emits the live set and the region up to, but without, its end mark.
pub(super) fn emit(spec: &Spec, operations: u64, heap: &mut Emitter<'_>, dice: &mut Dice) {
    let mut churn = Churn { spec, ints: IntObjects::new(spec.era) };
    heap.malloc(LIST_OBJECT);
    heap.malloc(8 * spec.live);
    let mut live: Vec<Int> = (0..spec.live).map(|_| churn.product(heap, dice)).collect();

    heap.mark(Op::RegionStart);
    let start = heap.calls();
    let mut counter = None;
    while heap.calls() - start < operations {
        let next = churn.ints.one_digit(heap);
        if let Some(previous) = counter.replace(next) {
            churn.ints.release(previous, heap);
        }
        let product = churn.product(heap, dice);
        let slot = &mut live[dice.below(spec.live) as usize];
        let displaced = std::mem::replace(slot, product);
        churn.ints.release(displaced, heap);
    }
}

struct Churn<'a> {
    spec: &'a Spec,
    ints: IntObjects,
}

impl Churn<'_> {
    /// `i * operand`, the operand of one digit or of two.
    fn product(&mut self, heap: &mut Emitter<'_>, dice: &mut Dice) -> Int {
        if dice.chance(1, 2) {
            return self.ints.two_digits(heap);
        }
        if !self.spec.era.has_int_blocks() {
            return self.ints.long(3, heap);
        }
        // Digits of 30 bits, or of 15 in 2.3: `i` has one (two), the operand two (four).
        let width = if self.spec.era == super::Era::V2_3 { 2 } else { 1 };
        let i = self.ints.long(width, heap);
        let operand = self.ints.long(2 * width, heap);
        let product = self.ints.long(3 * width, heap);
        self.ints.release(i, heap);
        self.ints.release(operand, heap);
        product
    }
}
