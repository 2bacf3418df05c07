//! Ownership by a byte per arena-sized granule of the address space.
//!
//! User addresses have 47 bits. One reserved mapping has a byte for each granule, 1 where an arena
//! lies and 0 elsewhere; arenas are aligned to their size, so each fills one granule:
//!
//! ```text
//! address  bits 46..ARENA_BITS: number of the granule      ARENA_BITS-1..0: not looked at
//! map      2^(47 - ARENA_BITS) bytes: 512 MiB for 256 KiB arenas, 128 MiB for 1 MiB arenas
//! ```
//!
//! Only OS pages of the map that are read or written get memory: one, with 4096 granules, serves
//! 1 GiB of 256 KiB arenas, and one that is only read is the kernel's page of zeros. The mapping is
//! reserved with the first arena. Where that is refused, as it may be under `ulimit -v`, `mark`
//! refuses the arena and the next allocator serves the request; a later arena asks again.
//!
//! *What it touches*: one byte of its own map. *Foreign pointers*: any bit pattern is answered
//! rightly, non-canonical addresses too, since they lie beyond the map. *Cost*: one load, constant.
//! *Pool sizes*: any. *Arena source*: one that aligns
//! ([`ARENAS_ALIGNED`](crate::ArenaSource::ARENAS_ALIGNED)).

use core::ptr::{self, NonNull};

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::{Ownership, OwnershipTables};
use crate::source::reserved::Reservation;
use crate::validate::{Invariant, Violation};

/// Bits of an address that a user process may be given.
const USER_ADDRESS_BITS: u32 = 47;

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
    /// First byte of the map; dangling while `granules` is 0.
    bytes: *mut u8,
    /// Number of granules that have a byte: all, or none before the first arena.
    granules: usize,
    marked: usize,
}

// SAFETY: the map is the strategy's own and changes through `&mut` only.
unsafe impl Send for PageMap {}

impl PageMap {
    const fn granules_of<G: Geometry>() -> usize {
        1 << (USER_ADDRESS_BITS - G::ARENA_BYTES.trailing_zeros())
    }

    /// The byte of the granule that `addr` lies in, if it has one.
    #[inline(always)]
    fn byte<G: Geometry>(&self, addr: usize) -> Option<NonNull<u8>> {
        let granule = addr / G::ARENA_BYTES;
        (granule < self.granules).then(|| {
            // SAFETY: a map with granules is a mapping, which is not at address 0.
            unsafe { NonNull::new_unchecked(self.bytes.wrapping_add(granule)) }
        })
    }

    #[inline(always)]
    fn is_marked<G: Geometry>(&self, addr: usize) -> bool {
        // SAFETY: in bounds of the map, which is readable and zeroed or written.
        self.byte::<G>(addr).is_some_and(|byte| unsafe { byte.read() } != 0)
    }
}

// SAFETY: the bytes that are set are those of the marked arenas' granules (I16), which the arenas
// fill.
unsafe impl<G: Geometry> Ownership<G> for PageMap {
    const NAME: &'static str = "page-map";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const NEEDS_ALIGNED_ARENAS: bool = true;
    const NEW: Self = Self { bytes: ptr::null_mut(), granules: 0, marked: 0 };

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// None: `ptr` may be anything, it is not dereferenced.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        self.is_marked::<G>(ptr.addr())
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, _next: &mut N) -> bool {
        if self.granules == 0 {
            let Some(map) = Reservation::writable(Self::granules_of::<G>()) else { return false };
            (self.bytes, self.granules) = (map.base, map.bytes);
        }
        // None: an address beyond the map, which the kernel gives only to those who ask for it.
        let Some(byte) = self.byte::<G>(base) else { return false };
        // SAFETY: in bounds of the map.
        unsafe { byte.write(1) };
        self.marked += 1;
        true
    }

    fn unmark(&mut self, base: usize) {
        if let Some(byte) = self.byte::<G>(base) {
            // SAFETY: in bounds of the map.
            unsafe { byte.write(0) };
            self.marked -= 1;
        }
    }

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {
        if self.granules > 0 {
            // SAFETY: reserved in `mark`, and forgotten below.
            unsafe { Reservation { base: self.bytes, bytes: self.granules }.release() };
            *self = <Self as Ownership<G>>::NEW;
        }
    }

    /// The whole map counts, though hardly any of it has memory.
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
