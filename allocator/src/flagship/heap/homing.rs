//! What goes home: dead blocks from fronts and chains to the queues of their pools, pools that have none
//! live to the free spans, and when.
//!
//! Blocks in a front or in a chain count as live in their pools. So that they do not pin pools for
//! ever, a class's front goes home when half of its pools have become sparse, all fronts of a loose heap
//! once in an eighth of growth, all chains once a mebibyte of slices is asked for and once there are many
//! of them, and everything before memory is refused, when the heap is purged or when its thread ends.

use core::ptr;

use super::{Bin, ClassPools, Heap, NO_TAG, STRIDE_SLICES, ThreadHeap};
use crate::flagship::class::{self, GRAIN};
use crate::flagship::fatal::{Misuse, die};
use crate::flagship::range;
use crate::flagship::remote;
use crate::flagship::slice::{self, Place, SLICE_BYTES, Span};
use crate::flagship::span_store;
use crate::flagship::threads;

/// Slices of pools up to which a heap is loose, where there is no other heap; shared among all heaps
/// that there are, of which each may have [`MIN_LOOSE_SLICES`]. As much as free spans keep of memory
/// that is not needed (`settings.rs`).
const LOOSE_SLICES: usize = (16 << 20) / SLICE_BYTES;
const MIN_LOOSE_SLICES: usize = (1 << 20) / SLICE_BYTES;

/// Slices that may be asked for before chains go home. A chain that becomes a front costs a few
/// lines; one that goes home costs a free for each of its blocks.
const HOMING_SLICES: usize = (1 << 20) / SLICE_BYTES;

impl ThreadHeap {
    /// Slices beyond which fronts go home next.
    fn next_stride(&self) -> usize {
        self.slices + self.slices / 8 + STRIDE_SLICES
    }
}

impl Heap {
    /// Before `slices` are asked for: returns what other threads sent to its pools, once in
    /// [`HOMING_SLICES`]. A program may have gone over to other sizes.
    pub(crate) fn make_room_for(self, slices: usize) {
        let heap = self.fields();
        heap.asked += if heap.has_chains { slices } else { 0 };
        if heap.asked >= HOMING_SLICES {
            self.send_chains_home();
        }
    }

    /// Before a pool of `slices` is added: sends the fronts of a loose heap home, once in an eighth of
    /// growth, so that what lies dead in them may do instead; and decides whether it is loose from here
    /// on.
    pub(super) fn before_growth(self, slices: usize) {
        let heap = self.fields();
        if heap.slices + slices <= heap.stride_end {
            return;
        }
        if heap.loose_tag == heap.tag {
            self.send_fronts_home();
        }
        let most = (LOOSE_SLICES / threads::heaps().max(1)).max(MIN_LOOSE_SLICES);
        let heap = self.fields();
        if heap.slices + slices > most {
            heap.loose_tag = NO_TAG;
        } else if heap.slices < most / 2 {
            heap.loose_tag = heap.tag;
        }
        heap.stride_end = heap.next_stride();
    }

    /// Notes that a pool of the class is given back.
    fn lose_pool(self, offset: usize) {
        self.pools(offset).pools -= 1;
        let heap = self.fields();
        heap.slices -= usize::from(class::at(offset).slices);
        heap.stride_end = heap.stride_end.min(heap.next_stride());
    }

    /// Before memory is refused: returns what lies dead in fronts and chains to its pools; whether
    /// there was any.
    pub(crate) fn send_all_home(self) -> bool {
        self.send_fronts_home() | self.send_chains_home()
    }

    /// Returns what lies in fronts to its pools; whether there was any.
    fn send_fronts_home(self) -> bool {
        let mut any = false;
        for offset in (0..class::OFFSETS_END).step_by(GRAIN) {
            any |= !self.front(offset).is_null();
            self.send_front_home(offset);
        }
        any
    }

    fn send_front_home(self, offset: usize) {
        let bin = self.bin(offset);
        // SAFETY: `offset < OFFSETS_END` names a bin of this heap.
        let front = unsafe { bin.replace(Bin::NONE) }.front;
        self.send_list_home(front, offset);
    }

    /// Returns what other threads sent to its pools; whether there was any.
    pub(super) fn send_chains_home(self) -> bool {
        (self.fields().asked, self.fields().arrived) = (0, 0);
        if !self.fields().has_chains {
            return false;
        }
        self.fields().has_chains = false;
        for offset in (0..class::OFFSETS_END).step_by(GRAIN) {
            self.send_class_home(offset);
        }
        true
    }

    fn send_class_home(self, offset: usize) {
        while !self.pools(offset).chains.is_null() {
            let sent = self.take_chain(offset);
            self.send_list_home(sent, offset);
        }
    }

    /// Returns the blocks of a class's front, and of its chains, to their pools.
    fn send_home(self, offset: usize) {
        self.send_front_home(offset);
        self.send_class_home(offset);
    }

    fn send_list_home(self, first: *mut u8, offset: usize) {
        let (mut block, mut previous) = (first, first);
        while !block.is_null() {
            // By H2 our own, unless the program wrote into the block before.
            let place = match self.index_of(block) {
                Some(index) => Some((range::primary(), index)),
                None => range::locate(block),
            };
            let Some((range, index)) = place else { die(Misuse::SmashedLink, previous) };
            if range.entry(index) != self.tag() | offset as u32 {
                die(Misuse::SmashedLink, previous);
            }
            // SAFETY: H2: blocks in fronts and chains are dead and linked.
            let next = unsafe { slice::link(block) };
            // SAFETY: H2: the block is dead and its pool is this heap's.
            unsafe { self.append(range.record(index).head(), block) };
            (block, previous) = (next, block);
        }
    }

    /// A pool's live blocks have come down to its event.
    ///
    /// | place | event | then |
    /// |---|---|---|
    /// | Asleep | an eighth is free | Available |
    /// | Available | few are live | Sparse; with half of the class's pools, its front goes home |
    /// | Sparse | none is live | its span is given back |
    #[cold]
    #[inline(never)]
    pub(super) fn pool_event(self, pool: Span) {
        let offset = usize::from(pool.offset());
        let pools = self.pools(offset);
        slice::unlink(pools.list(pool.place()), pool);
        let live = pool.live();
        if live == 0 {
            self.lose_pool(offset);
            span_store::give(pool);
            return;
        }
        let few = (pool.capacity() / 8).max(1);
        if live > few.into() {
            pool.set_event(few);
            slice::push(&mut pools.available, pool, Place::Available);
            return;
        }
        pool.set_event(0);
        slice::push(&mut pools.available, pool, Place::Sparse);
        pools.sparse += 1;
        if pools.sparse * 2 >= pools.pools {
            pools.sparse = 0;
            self.send_home(offset);
        }
    }

    /// Returns every dead block to its pool and gives empty pools back; what was freed here for
    /// other heaps is sent.
    pub(crate) fn settle(self) {
        remote::send_all(self);
        remote::collect(self);
        for offset in (0..class::OFFSETS_END).step_by(GRAIN) {
            self.send_home(offset);
            let current = self.pools(offset).current;
            if !current.is_null() && current.live() == 0 {
                self.pools(offset).current = Span::NULL;
                self.lose_pool(offset);
                span_store::give(current);
            }
        }
    }

    /// Gives every pool back with whatever lives in it.
    pub(crate) fn give_back_pools(self) {
        remote::collect(self);
        let heap = self.fields();
        (heap.slices, heap.stride_end, heap.loose_tag) = (0, STRIDE_SLICES, heap.tag);
        for offset in (0..class::OFFSETS_END).step_by(GRAIN) {
            self.fill(offset, ptr::null_mut());
            let pools = core::mem::replace(self.pools(offset), ClassPools::NONE);
            if !pools.current.is_null() {
                span_store::give(pools.current);
            }
            for list in [pools.available, pools.asleep] {
                let mut pool = list;
                while !pool.is_null() {
                    let next = pool.next();
                    span_store::give(pool);
                    pool = next;
                }
            }
        }
    }
}
