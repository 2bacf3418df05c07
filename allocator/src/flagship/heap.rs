//! The thread heap: one thread's pools, and the fast paths on them.
//!
//! ```text
//! ThreadHeap   bins[61]      front of each class, 16 bytes: what malloc pops and free pushes
//!              tag           number << 12, the owner's part of map entries
//!              loose_tag     tag, or while frees are budgeted what no entry bears
//!              classes[61]   current pool, pools with room, sleeping pools, chains from others
//!              outgoing[]    blocks of other heaps, freed here and not sent yet  (`remote.rs`)
//!              inbox         chains sent by other threads                        (`remote.rs`)
//! ```
//! **The front.** The front of a class is a stack of dead blocks, which malloc pops.
//!
//! **A small heap is loose**: free pushes, and that is all. What was freed last is warm, and the rest is
//! not far. So that what lies dead in one class serves another, all fronts go home whenever the heap
//! would be an eighth larger than it was when they did so last.
//!
//! **A larger heap is budgeted**: malloc adds one to the budget of its class; free spends one and pushes,
//! or, when the budget is spent, appends to the queue of the block's own pool. Earned and spent are
//! counted apart: one counter that both calls rewrite would make every call wait for the store of the one
//! before.
//! So a program that frees what it just allocated works on a handful of warm blocks, or on the frames of
//! the stack that it just unwound (`class.rs`; budgets come to 3.6 MiB in all, if every class is used),
//! while bulk frees go home to their pools and keep the order in which they lay, and the memory that
//! they leave goes back. A front is never flushed on the way; it only ever grows by what was popped from
//! it, or by the class's budget.
//!
//! Which of both it is, free learns from the comparison that tells it whose the block is: `loose_tag` is
//! the heap's tag, or one that no block bears. A test of its own costs up to a tenth of malloc and free.
//!
//! **Refill**, when a front is empty: the current pool's whole queue; else 4 KiB carved from it in
//! address order; else a chain that another thread sent; else a pool with room; else a new pool. A
//! pool that was full sleeps until an eighth of it is free.
//!
//! What lies dead in fronts and chains goes home in time: `heap/homing.rs`.
//!
//! Invariants:
//! * **H1** A heap is worked on by one thread at a time: its own, or the holder of the roster lock
//!   while it is parked. Only `inbox` is touched by others, and what is written before the heap has
//!   blocks, `tag` and `is_private`, may be read by them.
//! * **H2** Blocks in fronts and chains are dead, of the bin's class, in pools of this heap, and
//!   each is in one place.
//! * **H3** Every pool of the heap is its class's current pool or in the list its `place` names;
//!   `pools` counts them, and `slices` the slices of all.
//! * **H4** The current pool has `event = NEVER`. Every other one has `live > event`.

pub(crate) mod check;
mod homing;

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use super::class::{self, CLASSES, GRAIN};
use super::range::{self, Extent, OWNER_SHIFT};
use super::remote::{self, Outgoing};
use super::slice::{self, NEVER, Place, Span};
use super::span_store;

/// Slices that a loose heap may grow by, and an eighth of what it has, before its fronts go home.
const STRIDE_SLICES: usize = 16;
/// Chains that may arrive before all go home, each of 16 KiB at most.
const HOMING_CHAINS: usize = 1024;

/// The front of a class.
#[repr(C)]
pub(crate) struct Bin {
    front: *mut u8,
    /// Pushes that were earned since the front was filled, the class's budget included.
    earned: u32,
    /// Pushes that were made since.
    spent: u32,
}

impl Bin {
    const NONE: Self = Self { front: ptr::null_mut(), earned: 0, spent: 0 };
}

const _: () = assert!(size_of::<Bin>() == GRAIN, "offsets are byte distances of bins");

/// The rest of a class.
pub(crate) struct ClassPools {
    /// The pool that refills come from.
    current: Span,
    /// Pools with room.
    available: Span,
    /// Pools that were full when they were left.
    asleep: Span,
    /// Chains from other threads, linked by the second word of each chain's first block.
    chains: *mut u8,
    /// Number of pools.
    pools: u32,
    /// Pools that became sparse since the front went home last.
    sparse: u32,
}

/// A tag that no entry bears, since no heap has its number.
const NO_TAG: u32 = u32::MAX >> OWNER_SHIFT << OWNER_SHIFT;

/// One thread's pools.
#[repr(C, align(64))]
pub(crate) struct ThreadHeap {
    bins: [Bin; CLASSES],
    /// A copy of the first range's place (R1), so that the fast paths find it beside the bins;
    /// without slices as long as there is none.
    pub(crate) range: Extent,
    tag: u32,
    /// What frees compare map entries with: `tag` while the heap is loose, else [`NO_TAG`].
    loose_tag: u32,
    /// Slices of all pools.
    pub(super) slices: usize,
    /// Slices of pools beyond which fronts go home.
    stride_end: usize,
    /// Whether a class may hold chains.
    has_chains: bool,
    /// Slices that were asked for since chains went home.
    asked: usize,
    /// Chains that have arrived since.
    arrived: usize,
    /// Whether large blocks are listed, for a heap that is dropped with all it holds.
    pub(crate) is_private: bool,
    classes: [ClassPools; CLASSES],
    /// Large blocks of a private heap, guarded by the spans lock.
    pub(crate) large: Span,
    /// Whether a private heap has had huge blocks: how many it took.
    pub(crate) huge: usize,
    pub(crate) outgoing: [Outgoing; remote::SLOTS],
    /// The next parked heap, guarded by the roster lock.
    pub(crate) next_parked: *mut ThreadHeap,
    pub(crate) inbox: Inbox,
}

/// What other threads write: on cache lines of its own.
#[repr(C, align(64))]
pub(crate) struct Inbox {
    /// The chain sent last; each leads to the one before by its second word.
    pub(crate) newest: AtomicPtr<u8>,
    /// Chains sent since the heap was parked.
    pub(crate) unseen: AtomicU32,
    /// Whether the heap waits for a thread.
    pub(crate) parked: AtomicBool,
}

// SAFETY: of a shared heap only `inbox` is touched (H1); the static `EMPTY` is never written.
unsafe impl Sync for ThreadHeap {}

impl ThreadHeap {
    /// A heap that owns nothing, by a number that no heap has.
    pub(crate) const fn empty() -> Self {
        Self::with_number(NO_TAG >> OWNER_SHIFT)
    }

    const fn with_number(number: u32) -> Self {
        Self {
            bins: [const { Bin::NONE }; CLASSES],
            range: Extent::NONE,
            tag: number << OWNER_SHIFT,
            loose_tag: number << OWNER_SHIFT,
            slices: 0,
            stride_end: STRIDE_SLICES,
            has_chains: false,
            asked: 0,
            arrived: 0,
            is_private: false,
            classes: [const { ClassPools::NONE }; CLASSES],
            large: Span::NULL,
            huge: 0,
            outgoing: [const { Outgoing::NONE }; remote::SLOTS],
            next_parked: ptr::null_mut(),
            inbox: Inbox {
                newest: AtomicPtr::new(ptr::null_mut()),
                unseen: AtomicU32::new(0),
                parked: AtomicBool::new(false),
            },
        }
    }
}

impl ClassPools {
    const NONE: Self = Self {
        current: Span::NULL,
        available: Span::NULL,
        asleep: Span::NULL,
        chains: ptr::null_mut(),
        pools: 0,
        sparse: 0,
    };

    fn list(&mut self, place: Place) -> &mut Span {
        if place == Place::Asleep { &mut self.asleep } else { &mut self.available }
    }
}

/// A thread heap by its address. Copies name the same heap; H1 says who may work on it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Heap(pub(crate) *mut ThreadHeap);

impl Heap {
    /// Makes a heap in zeroed memory of its size.
    ///
    /// # Safety
    /// `memory` is as large and aligned as a [`ThreadHeap`] and nobody else's.
    pub(crate) unsafe fn create(memory: *mut ThreadHeap, number: u32) -> Self {
        // SAFETY: the caller's obligation.
        unsafe { memory.write(ThreadHeap::with_number(number)) };
        Self(memory)
    }

    /// The owner's part of map entries.
    #[inline(always)]
    pub(crate) fn tag(self) -> u32 {
        // SAFETY: heaps stay mapped for good, and the tag never changes.
        unsafe { (*self.0).tag }
    }

    /// The tag while frees need no budget, else one that no entry bears.
    #[inline(always)]
    pub(crate) fn loose_tag(self) -> u32 {
        // SAFETY: H1: the caller works on the heap.
        unsafe { (*self.0).loose_tag }
    }

    /// Slice of the first range that `address` lies in, if a block may begin there.
    #[inline(always)]
    pub(crate) fn index_of(self, address: *const u8) -> Option<usize> {
        // SAFETY: heaps stay mapped for good; the copy is written by whoever works on the heap.
        unsafe { &(*self.0).range }.index_of_block(address)
    }

    /// Map entry of the slice around `address`, for which [`Heap::index_of`] gave a number.
    #[inline(always)]
    pub(crate) fn entry_around(self, address: *const u8) -> u32 {
        // SAFETY: as above.
        unsafe { &(*self.0).range }.entry_around(address)
    }

    /// The bin at a class's offset.
    #[inline(always)]
    pub(crate) fn bin(self, offset: usize) -> *mut Bin {
        self.0.wrapping_byte_add(offset).cast()
    }

    /// The other fields. H1: the caller works on the heap, and lets go before anything else does.
    #[inline(always)]
    pub(crate) fn fields<'a>(self) -> &'a mut ThreadHeap {
        // SAFETY: H1; callers keep the reference for single reads and writes.
        unsafe { &mut *self.0 }
    }

    fn class(self, offset: usize) -> *mut ClassPools {
        // SAFETY: heaps stay mapped for good; `offset < OFFSETS_END`.
        unsafe { (&raw mut (*self.0).classes).cast::<ClassPools>() }.wrapping_add(offset / GRAIN)
    }

    fn pools<'a>(self, offset: usize) -> &'a mut ClassPools {
        // SAFETY: H1; callers keep the reference for single reads and writes.
        unsafe { &mut *self.class(offset) }
    }

    /// Whether the heap belongs to a [`Heap`](crate::Heap) value. Set before the heap has blocks.
    pub(crate) fn is_private(self) -> bool {
        // SAFETY: heaps stay mapped for good.
        unsafe { (*self.0).is_private }
    }

    /// What other threads may touch.
    pub(crate) fn inbox<'a>(self) -> &'a Inbox {
        // SAFETY: heaps stay mapped for good, and every field of an inbox is atomic.
        unsafe { &(*self.0).inbox }
    }

    /// The block that will be popped next, or null.
    pub(crate) fn front(self, offset: usize) -> *mut u8 {
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        unsafe { (*self.bin(offset)).front }
    }

    /// Pops a block of the class, or null.
    #[inline(always)]
    pub(crate) fn pop(self, offset: usize) -> *mut u8 {
        let bin = self.bin(offset);
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        let block = unsafe { (*bin).front };
        if !block.is_null() {
            // SAFETY: H2: a block in a front is dead and holds the next one.
            let next = unsafe { slice::link(block) };
            // SAFETY: as above.
            unsafe { (*bin).front = next };
            // SAFETY: as above.
            let earned = unsafe { (*bin).earned };
            // SAFETY: as above.
            unsafe { (*bin).earned = earned.wrapping_add(1) };
            prefetch(next);
        }
        block
    }

    /// Pushes a dead block of this heap to its front, which is loose.
    ///
    /// # Safety
    /// As for [`Heap::push`].
    #[inline(always)]
    pub(crate) unsafe fn push_loose(self, offset: usize, block: *mut u8) {
        let bin = self.bin(offset);
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        let front = unsafe { (*bin).front };
        // SAFETY: the caller's obligation.
        unsafe { slice::set_link(block, front) };
        // SAFETY: as above.
        unsafe { (*bin).front = block };
    }

    /// Pushes a dead block of this heap to its front; false when the budget is spent.
    ///
    /// # Safety
    /// `block` is a block of the class in a pool of this heap, and nobody uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn push(self, offset: usize, block: *mut u8) -> bool {
        let bin = self.bin(offset);
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        let spent = unsafe { (*bin).spent };
        // SAFETY: as above.
        if spent == unsafe { (*bin).earned } {
            return false;
        }
        // SAFETY: as above.
        unsafe { (*bin).spent = spent.wrapping_add(1) };
        // SAFETY: as above.
        let front = unsafe { (*bin).front };
        // SAFETY: the caller's obligation.
        unsafe { slice::set_link(block, front) };
        // SAFETY: as above.
        unsafe { (*bin).front = block };
        true
    }

    /// Makes a list of dead blocks the class's front.
    fn fill(self, offset: usize, first: *mut u8) {
        let bin = self.bin(offset);
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        unsafe {
            bin.write(Bin { front: first, earned: class::at(offset).budget.into(), spent: 0 });
        };
    }

    /// A block of the class, by way of a refill when its front is empty; null when out of memory.
    pub(crate) fn take(self, offset: usize) -> *mut u8 {
        let block = self.pop(offset);
        if block.is_null() && self.refill(offset) { self.pop(offset) } else { block }
    }

    /// Fills the class's empty front; false when out of memory.
    fn refill(self, offset: usize) -> bool {
        let current = self.pools(offset).current;
        if !current.is_null() && self.take_from(current, offset) {
            return true;
        }
        remote::collect(self);
        if self.fields().arrived >= HOMING_CHAINS {
            self.send_chains_home();
            // Before another takes its place: some were the current pool's.
            if !current.is_null() && self.take_from(current, offset) {
                return true;
            }
        }
        if !self.pools(offset).chains.is_null() {
            let sent = self.take_chain(offset);
            self.fill(offset, sent);
            return true;
        }
        let next = self.pools(offset).available;
        if !next.is_null() {
            if next.place() == Place::Sparse {
                let pools = self.pools(offset);
                pools.sparse = pools.sparse.saturating_sub(1);
            }
            slice::unlink(&mut self.pools(offset).available, next);
            self.make_current(offset, next);
            return self.take_from(next, offset);
        }
        self.make_room_for(class::at(offset).slices.into());
        self.before_growth(class::at(offset).slices.into());
        let mut fresh = self.new_pool(offset);
        if fresh.is_none() && self.send_all_home() {
            fresh = self.new_pool(offset);
        }
        let Some(fresh) = fresh else { return false };
        self.make_current(offset, fresh);
        self.take_from(fresh, offset)
    }

    /// Takes a chain of the class, which has one, as a list.
    fn take_chain(self, offset: usize) -> *mut u8 {
        let chain = self.pools(offset).chains;
        // SAFETY: H2: the second word of a chain's first block leads to the next chain.
        self.pools(offset).chains = unsafe { slice::second(chain) };
        // SAFETY: M1, M4: kept with the class, and taken from it.
        unsafe { remote::unroll(chain, self.tag() | offset as u32) }
    }

    /// Fills the front with the pool's queue, or with newly carved blocks; false when it is full.
    fn take_from(self, pool: Span, offset: usize) -> bool {
        let queue = pool.first();
        if !queue.is_null() {
            pool.clear_list();
            pool.set_live(pool.carved().into());
            self.fill(offset, queue);
            return true;
        }
        let (carved, capacity) = (pool.carved(), pool.capacity());
        if carved == capacity {
            return false;
        }
        let class = class::at(offset);
        let count = class.chunk.min(capacity - carved);
        let size = class.size as usize;
        let first = pool.start().wrapping_add(usize::from(carved) * size);
        let mut block = first;
        for _ in 1..count {
            let next = block.wrapping_add(size);
            // SAFETY: F4: blocks from `carved` on lie in the pool and are nobody's.
            unsafe { slice::set_link(block, next) };
            block = next;
        }
        // SAFETY: as above.
        unsafe { slice::set_link(block, ptr::null_mut()) };
        pool.set_carved(carved + count);
        pool.set_live(pool.live() + u32::from(count));
        self.fill(offset, first);
        true
    }

    /// Puts the current pool, which is full, to sleep, and another in its place (H3, H4).
    fn make_current(self, offset: usize, pool: Span) {
        let pools = self.pools(offset);
        let old = pools.current;
        pools.current = pool;
        pool.set_place(Place::Current);
        pool.set_event(NEVER);
        if !old.is_null() {
            old.set_event(class::at(offset).wake);
            slice::push(&mut pools.asleep, old, Place::Asleep);
        }
    }

    fn new_pool(self, offset: usize) -> Option<Span> {
        let class = class::at(offset);
        let entry = self.tag() | offset as u32;
        let (pool, _) = span_store::take(usize::from(class.slices), 1, entry)?;
        self.fields().range = range::primary().extent();
        pool.set_offset(offset as u16);
        pool.set_capacity(class.capacity);
        pool.set_carved(0);
        pool.set_live(0);
        pool.clear_list();
        self.pools(offset).pools += 1;
        self.fields().slices += usize::from(class.slices);
        Some(pool)
    }

    /// Appends a dead block to the queue of its pool.
    ///
    /// # Safety
    /// `block` is a block in `pool`, a pool of this heap, and nobody uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn append(self, pool: Span, block: *mut u8) {
        // SAFETY: the caller's obligation.
        unsafe { pool.append(block) };
        if pool.live() == u32::from(pool.event()) {
            self.pool_event(pool);
        }
    }

    /// Puts a chain of dead blocks of one class where refills find it.
    ///
    /// # Safety
    /// The chain keeps M1 and M4, for this heap and the class, and is in no other list.
    pub(crate) unsafe fn keep_chain(self, offset: usize, chain: *mut u8) {
        let pools = self.pools(offset);
        // SAFETY: the caller's obligation.
        unsafe { slice::set_second(chain, pools.chains) };
        pools.chains = chain;
        self.fields().has_chains = true;
        self.fields().arrived += 1;
    }
}

/// Brings the line of a block that will be handed out next; any address will do.
#[inline(always)]
fn prefetch(block: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program can see, and faults on no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast()) };
    }
}
