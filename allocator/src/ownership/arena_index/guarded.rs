//! The arena index read behind Valgrind's back.
//!
//! Under Valgrind the read happens while the thread's errors are not reported, and the copy that was
//! read is then declared initialised, so that the comparisons report nothing either. No other read of
//! the program is touched: the foreign memory itself stays as Valgrind knew it. Natively a flag is
//! tested, and the rest is the 3-clause [`ArenaIndex`](crate::ArenaIndex).

use core::ptr;

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::ownership::arena_index::{OS_PAGE_BYTES, index_at, is_in_arena};
use crate::valgrind;
use crate::validate::Violation;

/// The 3-clause arena index, of whose reads Valgrind reports nothing, without a suppression file.
///
/// *Foreign pointers*: as [`ArenaIndex`](crate::ArenaIndex): right for mapped memory, and unmapped
/// memory faults. *Pool size*: at most an OS page; larger pools do not compile:
///
/// ```compile_fail,E0080
/// use arenite::{ArenaIndexGuarded, ClassicHeap, MmapSource, Python311, SystemMalloc};
/// type Heap = ClassicHeap<Python311, ArenaIndexGuarded, MmapSource, SystemMalloc>; // 16 KiB pools
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ArenaIndexGuarded(());

/// The index, unseen by Valgrind.
///
/// # Safety
/// As for `index_at`.
#[cold]
#[inline(never)]
unsafe fn index_unseen(ptr: *mut u8, pool_bytes: usize) -> u32 {
    let silence = valgrind::Silence::begin();
    // SAFETY: forwarded to the caller.
    let mut index = unsafe { index_at(ptr, pool_bytes) };
    drop(silence);
    let copy = &raw mut index;
    valgrind::make_defined(copy.cast(), size_of::<u32>());
    // SAFETY: the local above. Volatile: read again from the memory that was declared initialised,
    // not from a register that Valgrind still holds undefined.
    unsafe { ptr::read_volatile(copy) }
}

// SAFETY: the answers are those of the 3-clause `ArenaIndex`.
unsafe impl<G: Geometry> Ownership<G> for ArenaIndexGuarded {
    const NAME: &'static str = "arena-index-guarded";
    const MAX_POOL_BYTES: usize = OS_PAGE_BYTES;
    const NEW: Self = Self(());

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// `ptr` is null or points into memory that is mapped readable.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool {
        let index = if valgrind::is_running() {
            // SAFETY: the header of a pool no larger than an OS page lies in the page of `ptr`.
            unsafe { index_unseen(ptr, G::POOL_BYTES) }
        } else {
            // SAFETY: as above.
            unsafe { index_at(ptr, G::POOL_BYTES) }
        };
        is_in_arena::<3>(ptr.addr(), index, arenas, G::ARENA_BYTES)
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
