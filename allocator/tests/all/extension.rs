//! A strategy added from outside of the crate: one reservation, subtract and compare.

use arenite::{
    ArenaSource, ArenaTable, ClassicHeap, Invariant, MmapSource, NextAllocator, Ownership,
    Python311, SystemMalloc, Violation,
};

use crate::subject::Subject;

/// Number of arenas in a reservation.
const ARENAS: usize = 8;
const ARENA_BYTES: usize = 1 << 20;

/// Hands out the parts of one mapping, in order.
#[derive(Default)]
struct ReservedSource {
    base: Option<*mut u8>,
    handed_out: usize,
    given_back: Vec<*mut u8>,
}

// SAFETY: the parts of the mapping are disjoint, and one is handed out again only when it is back.
unsafe impl ArenaSource for ReservedSource {
    const NAME: &'static str = "reserved";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        assert_eq!(bytes, ARENA_BYTES);
        if let Some(base) = self.given_back.pop() {
            return base;
        }
        if self.handed_out == ARENAS {
            return std::ptr::null_mut();
        }
        let base = *self.base.get_or_insert_with(|| MmapSource.map(ARENAS * ARENA_BYTES));
        self.handed_out += 1;
        base.wrapping_add((self.handed_out - 1) * ARENA_BYTES)
    }

    unsafe fn unmap(&mut self, base: *mut u8, _bytes: usize) {
        self.given_back.push(base);
    }
}

/// Ours is what lies between the lowest and the highest arena there ever was. Sound with a source
/// whose arenas are the parts of one reservation.
struct ReservedRange {
    low: usize,
    len: usize,
}

// SAFETY: with `ReservedSource`, nothing but arenas lies between the bounds.
unsafe impl Ownership<Python311> for ReservedRange {
    const NAME: &'static str = "reserved-range";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const NEW: Self = Self { low: 0, len: 0 };

    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        ptr.addr().wrapping_sub(self.low) < self.len
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        let end = (self.low + self.len).max(base + ARENA_BYTES);
        self.low = if self.len == 0 { base } else { self.low.min(base) };
        self.len = end - self.low;
        true
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {}

    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        let outside = |base: &usize| base.wrapping_sub(self.low) >= self.len;
        match arenas.bases().find(outside) {
            Some(addr) => Err(Violation { invariant: Invariant::OwnershipRecords, addr }),
            None => Ok(()),
        }
    }
}

#[test]
fn a_reserved_range_strategy_runs_on_the_classic_heap() {
    let mut heap: Box<ClassicHeap<Python311, ReservedRange, ReservedSource, SystemMalloc>> =
        Box::new(ClassicHeap::new(ReservedSource::default(), SystemMalloc));
    // More than the reservation holds: the rest falls through to the next allocator.
    let blocks: Vec<*mut u8> = (0..40_000).map(|_| heap.malloc(256)).collect();
    heap.assert_sound();
    assert_eq!(heap.stats().arenas_current, ARENAS);
    assert!(heap.stats().raw_blocks > 0 && heap.stats().pool_blocks() > 30_000);
    for block in blocks {
        // SAFETY: live, freed once.
        unsafe { heap.free(block) };
    }
    heap.assert_sound();
    assert_eq!(heap.stats().allocated_blocks(), 0);
}
