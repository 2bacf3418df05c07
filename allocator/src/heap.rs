//! The classic heap: pymalloc's algorithm under an outside lock.
//!
//! This file holds the heap itself and the two paths that nearly every call takes. What they leave
//! aside is below it:
//!
//! | file | does | runs when |
//! |---|---|---|
//! | `heap/refill.rs` | finds a pool, maps an arena | the class has no used pool |
//! | `heap/retire.rs` | moves pools between lists, gives arenas back | a pool fills, empties, stops being full |
//! | `heap/resize.rs` | calloc, realloc, aligned_alloc, usable_size | called |
//! | `heap/tests.rs` | breaks each invariant | under test |
//!
//! Life of a request: class from size; the front pool of the class; its first free block. Life of a
//! free: ownership test; pool from address; block to the front of the pool's free list. Neither
//! touches an arena's descriptor. All pools, blocks and descriptors are reached through handles
//! (`pool.rs`, `arena.rs`), never through `&mut`.
//!
//! Nothing in memory points into the heap value, so a heap may be moved.

mod refill;
mod resize;
mod retire;
#[cfg(test)]
mod tests;

use core::marker::PhantomData;
use core::ptr;

use crate::arena::ArenaTable;
use crate::geometry::{Checked, Geometry};
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::pool::{Block, Pool};
use crate::size_class::SizeClasses;
use crate::source::ArenaSource;
use crate::usable_arenas::UsableArenas;
use crate::used_pools::UsedPools;
use crate::validate::{Invariant, Violation};

/// A classic heap: geometry `G`, ownership test `O`, arenas from `S`, everything else from `N`.
///
/// The heap has no lock: `&mut self` is the proof that nobody else is in it. It has no `Drop`
/// either, since its natural place is a static; [`give_back`](Self::give_back) empties one that is
/// not.
///
/// ```
/// use arenite::{Pymalloc311, SystemMalloc};
///
/// let mut heap = Box::new(Pymalloc311::preset(SystemMalloc));
/// let block = heap.malloc(100);
/// assert!(!block.is_null());
/// // SAFETY: `block` is live, freed once, and no block is used after `give_back`.
/// unsafe {
///     assert_eq!(heap.usable_size(block), 112);
///     heap.free(block);
///     heap.give_back();
/// }
/// ```
pub struct ClassicHeap<G, O, S, N> {
    pub(crate) used: UsedPools,
    pub(crate) usable: UsableArenas,
    pub(crate) arenas: ArenaTable,
    pub(crate) ownership: O,
    pub(crate) source: S,
    pub(crate) next: N,
    /// Blocks of the next allocator handed out by this heap and not freed through it. Negative
    /// when foreign blocks are freed here that were allocated elsewhere.
    pub(crate) raw_blocks: i64,
    geometry: PhantomData<fn() -> G>,
}

// SAFETY: pools and descriptors are reached through this heap only, so it may change threads with
// everything that hangs on it.
unsafe impl<G, O: Send, S: Send, N: Send> Send for ClassicHeap<G, O, S, N> {}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> ClassicHeap<G, O, S, N> {
    /// An empty heap. Asks for no memory, and stands in `.bss` when it initialises a static whose
    /// source and next allocator are zero-sized.
    ///
    /// Does not compile for a geometry that is inconsistent, nor for a geometry or a source that
    /// the strategy is not safe with.
    #[must_use]
    pub const fn new(source: S, next: N) -> Self {
        const {
            let () = Checked::<G>::OK;
            let () = O::COMPATIBLE;
            assert!(
                G::POOL_BYTES <= O::MAX_POOL_BYTES,
                "this ownership test is not safe with pools of this size"
            );
            assert!(
                S::ARENAS_ALIGNED || !O::NEEDS_ALIGNED_ARENAS,
                "this ownership test needs arenas aligned to their size"
            );
            assert!(
                S::ONE_RESERVATION || !O::NEEDS_ONE_RESERVATION,
                "this ownership test needs arenas cut from one reservation"
            );
            assert!(O::HEAD_BYTES <= G::POOL_BYTES, "one pool gives way, no more");
            assert!(O::HEAD_BYTES == 0 || O::NEEDS_ALIGNED_ARENAS, "or two pools would be lost");
        }
        Self {
            used: UsedPools::EMPTY,
            usable: UsableArenas::EMPTY,
            arenas: ArenaTable::EMPTY,
            ownership: O::NEW,
            source,
            next,
            raw_blocks: 0,
            geometry: PhantomData,
        }
    }

    /// A block of `size` bytes, or null when it is refused.
    ///
    /// Sizes from 1 to the threshold come from a pool, aligned to the geometry's alignment; zero
    /// (a distinct block of one byte), larger sizes and requests for which no arena can be had
    /// come from the next allocator. Sizes above `isize::MAX` are refused. The contents are
    /// undefined. Cost: constant, but for mapping an arena.
    #[inline]
    pub fn malloc(&mut self, size: usize) -> *mut u8 {
        if let Some(class) = G::class_of(size)
            && let Some(pool) = self.used.front(class)
        {
            self.take_block(class, pool)
        } else {
            self.malloc_slow(size)
        }
    }

    /// Frees a block; null is ignored.
    ///
    /// Cost: constant, but for giving an arena back.
    ///
    /// # Safety
    /// * `ptr` is null, a live block of this heap, or a live block of the next allocator.
    /// * It is dead afterwards.
    #[inline]
    pub unsafe fn free(&mut self, ptr: *mut u8) {
        if ptr.is_null() {
            return;
        }
        // SAFETY: `ptr` is a live block of this heap or of the next allocator (caller).
        if unsafe { self.owns(ptr) } {
            // SAFETY: owned and live, hence a block of a cut pool, dead from here on.
            unsafe { self.pool_free(ptr) };
        } else {
            // SAFETY: not ours, hence a live block of the next allocator (caller).
            unsafe { self.free_next(ptr) };
        }
    }

    /// Whether `ptr` lies in an arena of this heap; see [`Ownership::owns`].
    ///
    /// # Safety
    /// As the strategy says: anything for the radix tree, null or readable memory for the arena
    /// index (null excepted here, which is never ours).
    #[inline(always)]
    pub unsafe fn owns(&self, ptr: *mut u8) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { self.ownership.owns(ptr, &self.arenas) }
    }

    /// A block from a pool, or null if the size has no class or no pool can be had.
    #[inline]
    pub(crate) fn pool_malloc(&mut self, size: usize) -> *mut u8 {
        let Some(class) = G::class_of(size) else { return ptr::null_mut() };
        match self.used.front(class) {
            Some(pool) => self.take_block(class, pool),
            None => self.refill(class),
        }
    }

    /// The first free block of a used pool.
    #[inline(always)]
    fn take_block(&mut self, class: usize, pool: Pool) -> *mut u8 {
        // A used pool is not full (I5), so it has a free block (I4).
        let (block, rest) = pool.take();
        // Slow paths end in tail calls, so that this one saves no registers.
        if rest.is_some() { block.as_ptr() } else { self.extend(class, pool, block) }
    }

    /// A block of a class without used pools, or one that no class serves.
    #[inline(never)]
    fn malloc_slow(&mut self, size: usize) -> *mut u8 {
        let block = self.pool_malloc(size);
        if block.is_null() { self.malloc_next(size) } else { block }
    }

    /// Puts a block back into its pool.
    ///
    /// # Safety
    /// `ptr` is a live block of a cut pool of this heap, dead afterwards.
    #[inline(always)]
    pub(crate) unsafe fn pool_free(&mut self, ptr: *mut u8) {
        // SAFETY: the block's pool was cut and its arena is still there, since the block lives.
        let pool = unsafe { Pool::of_block::<G>(ptr) };
        // SAFETY: the block is the heap's alone from here on.
        let block = unsafe { Block::new(ptr) };
        let (was_full, live) = pool.give(block);
        if was_full {
            self.reopen(pool);
        } else if live == 0 {
            self.retire(pool);
        }
    }

    /// A block of the next allocator.
    pub(crate) fn malloc_next(&mut self, size: usize) -> *mut u8 {
        if size > isize::MAX as usize {
            return ptr::null_mut();
        }
        let block = self.next.malloc(size);
        self.raw_blocks += i64::from(!block.is_null());
        block
    }

    /// # Safety
    /// `ptr` is a live block of the next allocator, dead afterwards.
    #[inline(never)]
    pub(crate) unsafe fn free_next(&mut self, ptr: *mut u8) {
        self.raw_blocks -= 1;
        // SAFETY: forwarded to the caller.
        unsafe { self.next.free(ptr) };
    }

    /// Checks every numbered invariant of the heap.
    ///
    /// The numbers are stated at the heads of the files that own them. Cost: linear in the blocks
    /// that are free, quadratic in the arenas, and for the radix tree every leaf is read.
    ///
    /// # Errors
    /// The violation found first, in ascending order of the files from pool to ownership.
    pub fn validate(&self) -> Result<(), Violation> {
        let used = self.arenas.check::<G>()?;
        self.used.check::<G>(&self.arenas, &used)?;
        self.usable.check::<G>(&self.arenas)?;
        self.check_answers()?;
        self.ownership.check(&self.arenas)
    }

    /// Checks I15.
    fn check_answers(&self) -> Result<(), Violation> {
        for (_, arena) in self.arenas.mapped() {
            for position in 0..arena.cut_pools::<G>() {
                let first = arena.pool::<G>(position).as_ptr();
                for ptr in [first, first.wrapping_add(G::POOL_BYTES - 1)] {
                    // SAFETY: cut pools are mapped memory of the heap.
                    let owned = unsafe { self.owns(ptr) };
                    Invariant::OwnershipAnswers.holds(owned, ptr.addr())?;
                }
            }
        }
        Ok(())
    }
}
