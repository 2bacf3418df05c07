//! A pool: a run of equal blocks behind one 48-byte header.
//!
//! Arenas are cut into pools (`arena.rs`), pools into blocks. A pool starts on a multiple of its
//! size, so the header of a block is found by rounding the block's address down.
//!
//! ```text
//! 0x00  live         u32   blocks handed out
//! 0x04  (unused)     u32
//! 0x08  free         ptr   first free block; each free block holds the next in its first word
//! 0x10  next         ptr   used pool: next pool in the list of its class
//!                          empty pool: next empty pool of the same arena
//! 0x18  prev         ptr   used pool, not the front one: previous pool in the list of its class
//! 0x20  arena        u32   index of the arena's descriptor; `ownership/arena_index.rs` reads it
//! 0x24  class        u32   size class, UNBORN_CLASS before the first block is cut
//! 0x28  virgin       u32   offset of the first block that was never handed out
//! 0x2c  virgin_max   u32   largest offset at which a block still fits
//! 0x30  block 0 | block 1 | ... | tail too short for a block
//! ```
//!
//! A pool is in one of three states:
//!
//! | state | when | list | fields without meaning |
//! |---|---|---|---|
//! | used | 0 < live < capacity | its class's (`used_pools.rs`) | `prev` of the front pool |
//! | full | live = capacity | none | `next`, `prev` |
//! | empty | live = 0 | its arena's empty list (`arena.rs`) | `prev` |
//!
//! Transitions: empty -> used when the arena hands the pool to a class; used -> full when the last
//! block goes out (the pool leaves the list); full -> used when a block comes back (to the front of
//! the list); used -> empty when the last block comes back. A pool has at least two blocks
//! (`geometry.rs`), so full -> empty and empty -> full do not exist.
//!
//! Blocks are cut lazily, in ascending order: two when the pool is born, then one whenever the free
//! list runs dry. Until a pool is full its free list is therefore never empty, and memory that no
//! block needs is never touched. An empty pool keeps its class, cut and free list: when the same
//! class takes it again nothing is rebuilt.
//!
//! Invariants, outside of any call:
//! * **I1** A cut pool starts on a multiple of `POOL_BYTES` in its arena, and `arena` names it.
//! * **I2** `class` is below `CLASSES`, `virgin_max` = `POOL_BYTES` - block size, and `virgin` =
//!   48 + k * block size with 2 <= k <= capacity. k blocks are *cut*.
//! * **I3** The free list is a null-terminated chain of cut blocks, of length k - `live`.
//! * **I4** The free list is empty iff `live` = capacity.
//!
//! The layout and the three states are pymalloc's.

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::geometry::HEADER_BYTES;
use crate::size_class::SizeClasses;
use crate::validate::{Invariant, Violation};

/// Offset of the arena index in a pool header, in bytes.
pub(crate) const ARENA_INDEX_OFFSET: usize = 32;
/// Class index of a pool from which no block was cut yet. No class has it.
pub(crate) const UNBORN_CLASS: u32 = 0xffff;

/// The header of a pool. Cells, because pools refer to each other in lists.
#[repr(C)]
pub(crate) struct PoolHeader {
    pub(crate) live: Cell<u32>,
    _unused: u32,
    pub(crate) free: Cell<Option<Block>>,
    pub(crate) next: Cell<Option<Pool>>,
    pub(crate) prev: Cell<Option<Pool>>,
    pub(crate) arena: Cell<u32>,
    pub(crate) class: Cell<u32>,
    pub(crate) virgin: Cell<u32>,
    pub(crate) virgin_max: Cell<u32>,
}

const _: () = assert!(size_of::<PoolHeader>() == HEADER_BYTES);
const _: () = assert!(offset_of!(PoolHeader, live) == 0x00);
const _: () = assert!(offset_of!(PoolHeader, free) == 0x08);
const _: () = assert!(offset_of!(PoolHeader, next) == 0x10);
const _: () = assert!(offset_of!(PoolHeader, prev) == 0x18);
const _: () = assert!(offset_of!(PoolHeader, arena) == ARENA_INDEX_OFFSET);
const _: () = assert!(offset_of!(PoolHeader, class) == 0x24);
const _: () = assert!(offset_of!(PoolHeader, virgin) == 0x28);
const _: () = assert!(offset_of!(PoolHeader, virgin_max) == 0x2c);

/// A free block: the address of its first word, which links to the next free block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block(NonNull<Option<Block>>);

impl Block {
    /// # Safety
    /// `ptr` is the start of a block of a cut pool that nobody else uses.
    #[inline(always)]
    pub(crate) unsafe fn new(ptr: *mut u8) -> Self {
        // SAFETY: a block of a pool does not start at null, by the caller's promise.
        Self(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    /// The next free block of the list this block is on.
    #[inline(always)]
    pub(crate) fn next(self) -> Option<Block> {
        // SAFETY: a `Block` is the start of an unused block (`new`), which is aligned for a
        // pointer and at least as large (`geometry.rs`), and was linked when it became free.
        unsafe { self.0.as_ptr().read() }
    }

    #[inline(always)]
    pub(crate) fn set_next(self, next: Option<Block>) {
        // SAFETY: as in `next`; nobody else uses the block's bytes.
        unsafe { self.0.as_ptr().write(next) }
    }
}

/// A handle to a cut pool. Whoever holds one must not use it after its arena was given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pool(NonNull<PoolHeader>);

impl Deref for Pool {
    type Target = PoolHeader;
    #[inline(always)]
    fn deref(&self) -> &PoolHeader {
        // SAFETY: handles are made for headers that were written (`at`) and are not used after
        // the arena went back. All fields that change are cells.
        unsafe { self.0.as_ref() }
    }
}

impl Pool {
    /// Writes the header of a pool that belongs to arena `arena` and has no class yet.
    ///
    /// # Safety
    /// `[ptr, ptr + POOL_BYTES)` is unused memory of that arena, `ptr` a multiple of `POOL_BYTES`.
    pub(crate) unsafe fn birth(ptr: *mut u8, arena: u32) -> Self {
        let header = PoolHeader {
            live: Cell::new(0),
            _unused: 0,
            free: Cell::new(None),
            next: Cell::new(None),
            prev: Cell::new(None),
            arena: Cell::new(arena),
            class: Cell::new(UNBORN_CLASS),
            virgin: Cell::new(0),
            virgin_max: Cell::new(0),
        };
        // SAFETY: the caller owns the memory, which is aligned for anything and large enough.
        unsafe { ptr.cast::<PoolHeader>().write(header) };
        // SAFETY: the header was just written.
        unsafe { Self::at(ptr) }
    }

    /// The cut pool whose header stands at `ptr`.
    ///
    /// # Safety
    /// A pool was born at `ptr`, and its arena was not given back since.
    #[inline(always)]
    pub(crate) unsafe fn at(ptr: *mut u8) -> Self {
        // SAFETY: memory of an arena does not start at null.
        Self(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }

    /// The pool that `block` lies in.
    ///
    /// # Safety
    /// `block` lies in a cut pool of a heap of geometry `G`.
    #[inline(always)]
    pub(crate) unsafe fn of_block<G: SizeClasses>(block: *mut u8) -> Self {
        let header = block.map_addr(|addr| addr & !(G::POOL_BYTES - 1));
        // SAFETY: pools start on multiples of their size (I1), so this is where it was born.
        unsafe { Self::at(header) }
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    #[inline(always)]
    pub(crate) fn addr(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Takes the first free block. `None` after it means that the free list ran dry.
    #[inline(always)]
    pub(crate) fn take(self) -> (Block, Option<Block>) {
        // SAFETY: callers hold a pool that is not full, whose free list is not empty (I4).
        let block = unsafe { self.free.get().unwrap_unchecked() };
        let rest = block.next();
        self.free.set(rest);
        // Not more than the capacity, so it cannot wrap.
        self.live.set(self.live.get().wrapping_add(1));
        (block, rest)
    }

    /// Puts `block` back. Returns whether the pool was full, and how many blocks are live now.
    #[inline(always)]
    pub(crate) fn give(self, block: Block) -> (bool, u32) {
        let first = self.free.get();
        block.set_next(first);
        self.free.set(Some(block));
        let live = self.live.get().wrapping_sub(1);
        self.live.set(live);
        (first.is_none(), live)
    }

    /// Prepares an empty pool for `class` and takes its first block.
    ///
    /// A pool that held the same class before is used as it was left.
    pub(crate) fn open<G: SizeClasses>(self, class: usize) -> Block {
        if self.class.get() as usize != class {
            self.carve_first_two::<G>(class);
        }
        // Two blocks at least are free: `virgin` starts behind the second (I2).
        self.take().0
    }

    fn carve_first_two<G: SizeClasses>(self, class: usize) {
        let bytes = G::block_bytes(class);
        let first = self.block_at(HEADER_BYTES);
        let second = self.block_at(HEADER_BYTES + bytes);
        second.set_next(None);
        first.set_next(Some(second));
        self.free.set(Some(first));
        self.class.set(class as u32);
        self.virgin.set((HEADER_BYTES + 2 * bytes) as u32);
        self.virgin_max.set((G::POOL_BYTES - bytes) as u32);
    }

    /// Start and length of the block that `ptr`, an address in this pool, lies in, if it was cut.
    pub(crate) fn block_around<G: SizeClasses>(self, ptr: *mut u8) -> Option<(*mut u8, usize)> {
        let class = self.class.get() as usize;
        let offset = (ptr.addr() - self.addr()).checked_sub(HEADER_BYTES)?;
        if class >= G::CLASSES {
            return None;
        }
        let bytes = G::block_bytes(class);
        let start = HEADER_BYTES + offset / bytes * bytes;
        let is_cut = start < self.virgin.get() as usize;
        is_cut.then(|| (self.as_ptr().wrapping_add(start), bytes))
    }

    /// Cuts one more block of the pool's class and makes it the free list, which ran dry. `false`
    /// if none is left.
    pub(crate) fn carve_one<G: SizeClasses>(self, class: usize) -> bool {
        let offset = self.virgin.get();
        if offset > self.virgin_max.get() {
            return false;
        }
        let block = self.block_at(offset as usize);
        block.set_next(None);
        self.free.set(Some(block));
        self.virgin.set(offset + G::block_bytes(class) as u32);
        true
    }

    /// The block at `offset` bytes from the header, which lies in the pool.
    fn block_at(self, offset: usize) -> Block {
        // SAFETY: callers pass offsets up to `virgin_max`, so the block ends in the pool.
        let ptr = unsafe { self.as_ptr().add(offset) };
        // SAFETY: the block is virgin or free, so it is the heap's alone.
        unsafe { Block::new(ptr) }
    }

    /// Checks I1 to I4 of a pool that lies in the arena with index `arena`. Cost: its free list.
    pub(crate) fn check<G: SizeClasses>(self, arena: u32) -> Result<(), Violation> {
        let place = self.addr().is_multiple_of(G::POOL_BYTES) && self.arena.get() == arena;
        Invariant::PoolPlace.holds(place, self.addr())?;

        let class = self.class.get() as usize;
        Invariant::PoolCut.holds(class < G::CLASSES, self.addr())?;
        let bytes = G::block_bytes(class);
        let cut_bytes = (self.virgin.get() as usize).wrapping_sub(HEADER_BYTES);
        let cut = cut_bytes / bytes;
        let whole = cut_bytes.is_multiple_of(bytes) && cut >= 2 && cut <= G::capacity(class);
        let max = self.virgin_max.get() as usize == G::POOL_BYTES - bytes;
        Invariant::PoolCut.holds(whole && max, self.addr())?;

        let mut length = 0;
        let mut link = self.free.get();
        while let Some(block) = link {
            // The offset is checked before the block is read: a broken link may point anywhere.
            let offset = block.as_ptr().addr().wrapping_sub(self.addr() + HEADER_BYTES);
            let cut_block = offset < cut_bytes && offset.is_multiple_of(bytes);
            length += 1;
            Invariant::FreeList.holds(cut_block && length <= cut, block.as_ptr().addr())?;
            link = block.next();
        }
        let live = self.live.get() as usize;
        Invariant::FreeList.holds(length + live == cut, self.addr())?;
        let full = live == G::capacity(class);
        Invariant::DryWhenFull.holds(full == (length == 0), self.addr())
    }
}
