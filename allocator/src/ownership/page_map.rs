//! Ownership by a byte per arena-sized granule of the address space.
//!
//! Arenas are aligned to their size, so each fills one granule. One mapping, the window, has a byte
//! for every granule from the first to the last arena there ever was, and some way beyond: 1 where an
//! arena lies and 0 elsewhere:
//!
//! ```text
//! address  bits 63..ARENA_BITS: number of the granule      ARENA_BITS-1..0: not looked at
//! window   | first ... first + granules |     ours iff  granule - first < granules  and  byte is 1
//! ```
//!
//! The window begins with 64 Ki granules, 16 GiB of addresses with 256 KiB arenas, and grows to the
//! side where an arena falls outside of it, to twice its size or more; at most it spans the 2^47
//! addresses that a user process may be given (512 MiB for 256 KiB arenas). Only its OS pages that are
//! written get memory: one serves 1 GiB of 256 KiB arenas. Where a larger window is refused, as it
//! may be under `ulimit -v`, `mark` refuses the arena and the next allocator serves the request; a
//! later arena asks again.
//!
//! * **P1** The byte of a granule in the window is 1 iff an arena lies there that is marked; no
//!   marked arena lies outside of the window.
//!
//! *What it touches*: one byte of its own map. *Foreign pointers*: any bit pattern is answered
//! rightly, non-canonical addresses too, since they lie beyond the window. *Cost*: one load, constant.
//! *Pool sizes*: any. *Arena source*: one that aligns
//! ([`ARENAS_ALIGNED`](crate::ArenaSource::ARENAS_ALIGNED)).

#[cfg(test)]
mod tests;

use core::ptr::{self, NonNull};

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::{Ownership, OwnershipTables};
use crate::source::reserved::Reservation;
use crate::validate::{Invariant, Violation};

/// Bits of an address that a user process may be given.
const USER_ADDRESS_BITS: u32 = 47;
/// The window begins and grows in multiples of so many granules.
const STEP: usize = 64 << 10;

/// One byte per granule.
///
/// ```
/// use arenite::{AlignedSource, ClassicHeap, PageMap, Python311, SystemMalloc};
/// type Heap = ClassicHeap<Python311, PageMap, AlignedSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(AlignedSource, SystemMalloc);
/// ```
///
/// An arena that is not aligned would share its granules with foreign memory:
///
/// ```compile_fail,E0080
/// use arenite::{ClassicHeap, MmapSource, PageMap, Python311, SystemMalloc};
/// type Heap = ClassicHeap<Python311, PageMap, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Debug)]
pub struct PageMap {
    /// First byte of the window; dangling while `granules` is 0.
    bytes: *mut u8,
    /// Number of the granule that the first byte stands for.
    first: usize,
    /// Number of granules that have a byte; 0 before the first arena.
    granules: usize,
    marked: usize,
}

// SAFETY: the map is the strategy's own and changes through `&mut` only.
unsafe impl Send for PageMap {}

impl PageMap {
    /// Granules of all user addresses.
    const fn all_granules<G: Geometry>() -> usize {
        1 << (USER_ADDRESS_BITS - G::ARENA_BYTES.trailing_zeros())
    }

    /// The byte of the granule that `addr` lies in, if it has one.
    #[inline(always)]
    fn byte<G: Geometry>(&self, addr: usize) -> Option<NonNull<u8>> {
        let place = (addr / G::ARENA_BYTES).wrapping_sub(self.first);
        (place < self.granules).then(|| {
            // SAFETY: a window with granules is a mapping, which is not at address 0.
            unsafe { NonNull::new_unchecked(self.bytes.wrapping_add(place)) }
        })
    }

    #[inline(always)]
    fn is_marked<G: Geometry>(&self, addr: usize) -> bool {
        // SAFETY: in bounds of the window, which is readable and zeroed or written.
        self.byte::<G>(addr).is_some_and(|byte| unsafe { byte.read() } != 0)
    }

    /// Makes the window cover `granule`. `false` when memory is refused; nothing changes then.
    fn reach<G: Geometry>(&mut self, granule: usize) -> bool {
        let all = Self::all_granules::<G>();
        if granule >= all {
            // The kernel gives such an address only to those who ask for it.
            return false;
        }
        let step = STEP.min(all);
        let low = granule / step * step;
        let (mut first, mut end) = (low, low + step);
        if self.granules > 0 {
            let old_end = self.first + self.granules;
            (first, end) = (first.min(self.first), end.max(old_end));
            // Twice as large, so that arenas that spread cost a constant time each.
            let twice = (2 * self.granules).min(all);
            if first < self.first {
                first = first.min(end.saturating_sub(twice));
            } else {
                end = end.max((first + twice).min(all));
            }
        }
        let Some(window) = Reservation::writable(end - first) else { return false };
        let grown = Self { bytes: window.base, first, granules: window.bytes, marked: self.marked };
        if self.granules > 0 {
            self.copy_to(&grown);
        }
        self.release();
        *self = grown;
        true
    }

    /// Writes the marks of this window into a fresh one that covers it. Words without a mark are not
    /// written, so that they get no memory.
    fn copy_to(&self, grown: &Self) {
        let to = grown.bytes.wrapping_add(self.first - grown.first).cast::<u64>();
        let from = self.bytes.cast::<u64>();
        for place in 0..self.granules / size_of::<u64>() {
            // SAFETY: in bounds of this window, which is readable and whose length is a multiple of
            // `STEP`.
            let marks = unsafe { from.wrapping_add(place).read() };
            if marks != 0 {
                // SAFETY: the fresh window covers this one (caller), and both begin at a multiple of
                // `STEP` granules.
                unsafe { to.wrapping_add(place).write(marks) };
            }
        }
    }

    fn release(&self) {
        if self.granules > 0 {
            // SAFETY: reserved in `reach`; both callers forget it.
            unsafe { Reservation { base: self.bytes, bytes: self.granules }.release() };
        }
    }
}

// SAFETY: the bytes that are set are those of the marked arenas' granules (I16), which the arenas
// fill.
unsafe impl<G: Geometry> Ownership<G> for PageMap {
    const NAME: &'static str = "page-map";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const NEEDS_ALIGNED_ARENAS: bool = true;
    const NEW: Self = Self { bytes: ptr::null_mut(), first: 0, granules: 0, marked: 0 };

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// None: `ptr` may be anything, it is not dereferenced.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        self.is_marked::<G>(ptr.addr())
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        if self.byte::<G>(base).is_none() && !self.reach::<G>(base / G::ARENA_BYTES) {
            return false;
        }
        let Some(byte) = self.byte::<G>(base) else { return false };
        // SAFETY: in bounds of the window.
        unsafe { byte.write(1) };
        self.marked += 1;
        true
    }

    fn unmark(&mut self, base: usize) {
        if let Some(byte) = self.byte::<G>(base) {
            // SAFETY: in bounds of the window.
            unsafe { byte.write(0) };
            self.marked -= 1;
        }
    }

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {
        self.release();
        *self = <Self as Ownership<G>>::NEW;
    }

    /// The whole window counts, though hardly any of it has memory.
    fn tables(&self) -> OwnershipTables {
        OwnershipTables { root_bytes: self.granules, ..OwnershipTables::default() }
    }

    /// Counts instead of reading the map: it is too large to be read.
    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        for base in arenas.bases() {
            Invariant::OwnershipRecords.holds(self.is_marked::<G>(base), base)?;
        }
        Invariant::OwnershipRecords.holds(self.marked == arenas.current() as usize, self.marked)
    }
}
