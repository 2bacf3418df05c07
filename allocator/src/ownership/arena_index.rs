//! Ownership by the arena index in the pool header.
//!
//! Rounding a pointer down to the pool size gives the header of its pool, if it is ours. The header
//! names an arena; the pointer is ours iff it lies in that arena:
//!
//! ```text
//! pool header (pointer rounded down)        table
//! +--------------------------------+        +------+------+------+
//! | ... | 0x20: index = 1 | ...    |  --->  | base | base | base |   ptr - base < ARENA_BYTES ?
//! +--------------------------------+        +------+------+------+
//! ```
//!
//! If the pointer is foreign, whatever stands at that place is read as an index. Any value leads to
//! the right answer: an index beyond the table is refused, and no arena contains a foreign pointer.
//!
//! *What it touches*: four bytes of the OS page that the pointer lies in, hence the bound on the
//! pool size: a larger pool's header may lie in an OS page that is not mapped. Those four bytes may
//! be part of somebody else's block, free, or never written, so memory checkers report the read
//! (InvalidRead) or the branch on it (UninitCondition, UninitValue). Another thread may be writing
//! them: the index is read exactly once, or the value compared and the value used could differ.
//!
//! *Cost*: two dependent loads, one of which is likely to miss the cache when there are many
//! arenas. Constant.
//!
//! *Clauses*: 2.3 asked `index < arenas` and `ptr - base < ARENA_BYTES`. Since arenas are given
//! back (2.5) a slot may be vacant, its base 0, and a third clause asks `base != 0`: without it the
//! lowest addresses would be ours.
//!
//! *Forms*: `debugger.rs` asks from a function of its own, `guarded.rs` hides the read from Valgrind.
//! All of them are [`index_at`] and [`is_in_arena`].

mod debugger;
mod guarded;

use core::ptr;

use crate::arena::ArenaTable;
use crate::geometry::{Geometry, Release};
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::pool::ARENA_INDEX_OFFSET;
use crate::validate::Violation;

pub use debugger::ArenaIndexDebugger;
pub use guarded::ArenaIndexGuarded;

/// Size of the smallest OS page there is, in bytes.
const OS_PAGE_BYTES: usize = 4096;

/// The arena index in the header of the pool that `ptr` would lie in.
///
/// # Safety
/// That header is mapped readable; its contents may be anything.
#[inline(always)]
unsafe fn index_at(ptr: *mut u8, pool_bytes: usize) -> u32 {
    let header = ptr.map_addr(|addr| addr & !(pool_bytes - 1));
    let index_ptr = header.wrapping_add(ARENA_INDEX_OFFSET).cast::<u32>();
    // SAFETY: forwarded to the caller; headers are aligned. Volatile: the memory may be foreign, so
    // exactly one read.
    unsafe { ptr::read_volatile(index_ptr) }
}

/// Whether the arena in slot `index`, which may be no slot, contains `addr`.
#[inline(always)]
fn is_in_arena<const CLAUSES: u8>(
    addr: usize,
    index: u32,
    arenas: &ArenaTable,
    arena_bytes: usize,
) -> bool {
    // A branch, never a select: nothing may be loaded from the table before the index is known to
    // be good, and memory checkers blame this comparison.
    let bound = if CLAUSES == 2 { arenas.current() } else { arenas.slots() };
    if index >= bound {
        return false;
    }
    // SAFETY: the bound is at most the number of slots.
    let base = unsafe { arenas.base_unchecked(index) };
    addr.wrapping_sub(base) < arena_bytes && (CLAUSES == 2 || base != 0)
}

/// The arena index in the pool header, in its form with `CLAUSES` = 2 or 3 clauses.
///
/// *Foreign pointers*: any pointer into mapped memory gets the right answer. An unmapped address
/// faults. *Pool size*: at most an OS page, 4096 bytes. The 2-clause form is sound only if no arena
/// is ever given back ([`Release::Never`]).
///
/// ```
/// use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python39, SystemMalloc};
/// type Heap = ClassicHeap<Python39, ArenaIndex<3>, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc); // 4 KiB pools
/// ```
///
/// With the 16 KiB pools of a later era the same heap does not compile:
///
/// ```compile_fail,E0080
/// use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python311, SystemMalloc};
/// type Heap = ClassicHeap<Python311, ArenaIndex<3>, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
///
/// Nor does the 2-clause form with arenas that may be given back:
///
/// ```compile_fail,E0080
/// use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python39, SystemMalloc};
/// type Heap = ClassicHeap<Python39, ArenaIndex<2>, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ArenaIndex<const CLAUSES: u8>(());

// SAFETY: a pointer in a cut pool finds its own arena's index in the header (I1), and the last
// clauses compare with that arena's base. A foreign pointer lies in no arena, whichever is named.
unsafe impl<G: Geometry, const CLAUSES: u8> Ownership<G> for ArenaIndex<CLAUSES> {
    const NAME: &'static str = if CLAUSES == 2 { "arena-index-2" } else { "arena-index" };
    const MAX_POOL_BYTES: usize = OS_PAGE_BYTES;
    const COMPATIBLE: () = {
        assert!(CLAUSES == 2 || CLAUSES == 3);
        assert!(
            CLAUSES == 3 || matches!(G::RELEASE, Release::Never),
            "a vacant slot has base 0, which only the third clause rules out"
        );
    };
    const NEW: Self = Self(());

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// `ptr` is null or points into memory that is mapped readable.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        // SAFETY: the header of a pool no larger than an OS page lies in the page of `ptr`, which
        // is mapped (caller).
        let index = unsafe { index_at(ptr, G::POOL_BYTES) };
        is_in_arena::<CLAUSES>(ptr.addr(), index, arenas, G::ARENA_BYTES)
    }

    fn mark<N: NextAllocator>(&mut self, _base: usize, _next: &mut N) -> bool {
        true
    }

    fn unmark(&mut self, _base: usize) {}

    fn give_back<N: NextAllocator>(&mut self, _next: &mut N) {}

    /// Nothing is recorded outside of the pool headers, which I1 covers.
    fn check(&self, _arenas: &ArenaTable) -> Result<(), Violation> {
        Ok(())
    }
}
