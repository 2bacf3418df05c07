//! The checks of A1 and A2.

use core::sync::atomic::Ordering;

use super::{HEAPS, LATE, LATE_HEAP, ROSTER, STATE};
use crate::flagship::heap::Heap;
use crate::flagship::lock::Held;
use crate::flagship::range::OWNER_SHIFT;
use crate::flagship::span_store;
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation};

/// Holds every lock but that of the huge blocks, for a look at everything.
pub(crate) fn hold_all() -> [Held<'static>; 3] {
    [LATE.hold(), ROSTER.hold(), span_store::hold()]
}

/// All heaps there ever were, in order of their numbers.
pub(crate) fn heaps() -> impl Iterator<Item = Heap> {
    let places = HEAPS.iter().skip(1);
    places.map(|place| Heap(place.load(Ordering::Relaxed))).take_while(|heap| !heap.0.is_null())
}

/// Checks the roster. The caller holds every lock.
pub(crate) fn check() -> Result<(), FlagshipViolation> {
    // SAFETY: the roster lock is held, and nothing is written.
    let roster = unsafe { &*STATE.0.get() };
    let numbers = FlagshipInvariant::HeapNumbers;
    let mut count = 0;
    for (at, heap) in heaps().enumerate() {
        numbers.holds((heap.tag() >> OWNER_SHIFT) as usize == at + 1, heap.0.addr())?;
        count += 1;
    }
    numbers.holds(count + 1 == roster.next_number as usize, count)?;
    numbers.holds(HEAPS[0].load(Ordering::Relaxed).is_null(), 0)?;

    let states = FlagshipInvariant::HeapStates;
    let is_parked = |heap: Heap| heap.inbox().parked.load(Ordering::Relaxed);
    let mut listed = 0;
    let mut heap = Heap(roster.parked);
    while !heap.0.is_null() {
        listed += 1;
        states.holds(listed <= count && is_parked(heap), heap.0.addr())?;
        states.holds(!heap.fields().is_private, heap.0.addr())?;
        heap = Heap(heap.fields().next_parked);
    }
    states.holds(heaps().filter(|&heap| is_parked(heap)).count() == listed, listed)?;
    let mut unused = Heap(roster.unused);
    while !unused.0.is_null() {
        listed += 1;
        states.holds(listed <= count && !is_parked(unused), unused.0.addr())?;
        let is_empty = !unused.fields().is_private && unused.check()? == 0;
        states.holds(is_empty && unused.fields().large.is_null(), unused.0.addr())?;
        unused = Heap(unused.fields().next_parked);
    }
    let late = Heap(LATE_HEAP.load(Ordering::Relaxed));
    states.holds(late.0.is_null() || !is_parked(late), late.0.addr())
}

/// Lets the first two heaps bear each other's numbers, for the test of the check.
#[cfg(test)]
pub(crate) fn exchange_numbers() {
    let [first, second] = [1, 2].map(|number| HEAPS[number].load(Ordering::Relaxed));
    HEAPS[1].store(second, Ordering::Relaxed);
    HEAPS[2].store(first, Ordering::Relaxed);
}
