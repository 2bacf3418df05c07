//! Ownership by one range of addresses.
//!
//! All arenas are cut from one reservation, which holds nothing else. Ours is what lies between the
//! lowest and the highest arena there ever was:
//!
//! ```text
//!        low                                  low + len
//! reservation | arena | arena | given back | arena | not cut yet ... |
//!        ours iff  addr - low < len  (unsigned)
//! ```
//!
//! *What it touches*: two words of the heap. *Foreign pointers*: any bit pattern is answered rightly.
//! An address in a part given back counts as ours: nobody else can have been given it. *Cost*: a
//! subtraction and a comparison, always. *Pool sizes*: any. *Arena source*: one that cuts from a
//! single reservation ([`ONE_RESERVATION`](crate::ArenaSource::ONE_RESERVATION)).

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::validate::{Invariant, Violation};

/// One range, subtract and compare.
///
/// ```
/// use arenite::{ClassicHeap, Python311, ReservedRange, ReservedSource, SystemMalloc};
/// type Heap = ClassicHeap<Python311, ReservedRange, ReservedSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(ReservedSource::new(), SystemMalloc);
/// ```
///
/// With arenas from all over the address space, foreign memory could lie between them:
///
/// ```compile_fail,E0080
/// use arenite::{ClassicHeap, MmapSource, Python311, ReservedRange, SystemMalloc};
/// type Heap = ClassicHeap<Python311, ReservedRange, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Debug)]
pub struct ReservedRange {
    low: usize,
    len: usize,
}

// SAFETY: between the bounds lies nothing but the reservation, which holds nothing but arenas.
unsafe impl<G: Geometry> Ownership<G> for ReservedRange {
    const NAME: &'static str = "reserved-range";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const NEEDS_ONE_RESERVATION: bool = true;
    const NEW: Self = Self { low: 0, len: 0 };

    /// Whether `ptr` lies in the range.
    ///
    /// # Safety
    /// None: `ptr` may be anything, it is not dereferenced.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        ptr.addr().wrapping_sub(self.low) < self.len
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        let end = (self.low + self.len).max(base + G::ARENA_BYTES);
        self.low = if self.len == 0 { base } else { self.low.min(base) };
        self.len = end - self.low;
        true
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {
        (self.low, self.len) = (0, 0);
    }

    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        for base in arenas.bases() {
            let last = base + G::ARENA_BYTES - 1;
            let inside = base >= self.low && last.wrapping_sub(self.low) < self.len;
            Invariant::OwnershipRecords.holds(inside, base)?;
        }
        Ok(())
    }
}
