//! The checks of H2, H3, H4, of F4 for every pool, and of M1 for what was sent here.

use core::ptr;
use core::sync::atomic::Ordering;

use super::{ClassPools, Heap};
use crate::flagship::class::{self, GRAIN, OFFSETS_END};
use crate::flagship::range::{self, LARGE};
use crate::flagship::remote::check::each_in_chain;
use crate::flagship::slice::{self, NEVER, Place, Span};
use crate::flagship::validate::{FlagshipInvariant, FlagshipViolation, is_carved};

/// A bit for every block of a pool.
type Marks = [u64; 16];

impl Heap {
    /// Size of the blocks of a pool with this map entry, in bytes.
    pub(crate) fn block_bytes(entry: u32) -> usize {
        class::at((entry & LARGE) as usize).size as usize
    }

    fn class_pools<'a>(self, offset: usize) -> &'a ClassPools {
        self.pools(offset)
    }

    /// The pools of a class: the current one, those with room, those asleep.
    pub(crate) fn each_pool<E>(
        self,
        offset: usize,
        mut visit: impl FnMut(Span) -> Result<(), E>,
    ) -> Result<(), E> {
        let pools = self.class_pools(offset);
        for first in [pools.current, pools.available, pools.asleep] {
            let mut pool = first;
            while !pool.is_null() {
                visit(pool)?;
                pool = if pool == pools.current { Span::NULL } else { pool.next() };
            }
        }
        Ok(())
    }

    /// Shows the blocks of a class that are dead and counted as live in its pools, with the map entry
    /// that they should have: those in its front and its chains. A list that is broken is left where
    /// that shows, after it was shown; of a circle some blocks are shown again.
    pub(crate) fn each_dead<E>(
        self,
        offset: usize,
        mut visit: impl FnMut(*mut u8, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let entry = self.tag() | offset as u32;
        each_linked(self.front(offset), entry, &mut visit)?;
        let mut chain = self.class_pools(offset).chains;
        while !chain.is_null() {
            each_in_chain(chain, entry, &mut visit)?;
            if !is_carved(chain, entry) {
                break;
            }
            // SAFETY: the first block of a chain of ours.
            chain = unsafe { slice::second(chain) };
        }
        Ok(())
    }

    /// As [`each_dead`](Self::each_dead), for what lies in the inbox, of every class.
    pub(crate) fn each_sent<E>(
        self,
        mut visit: impl FnMut(*mut u8, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut chain = self.inbox().newest.load(Ordering::Acquire);
        while let Some((range, index)) = range::locate(chain) {
            let entry = range.entry(index);
            each_in_chain(chain, entry, &mut visit)?;
            if !is_carved(chain, entry) {
                break;
            }
            // SAFETY: the first block of a chain of ours.
            chain = unsafe { slice::second(chain) };
        }
        Ok(())
    }

    /// Checks the heap; how many pools it has.
    pub(crate) fn check(self) -> Result<usize, FlagshipViolation> {
        let (mut all, mut slices) = (0, 0);
        for offset in (0..OFFSETS_END).step_by(GRAIN) {
            let pools = self.class_pools(offset);
            let mut listed = 0;
            if !pools.current.is_null() {
                listed += 1;
                self.check_pool(offset, pools.current, &[Place::Current])?;
            }
            let room = [Place::Available, Place::Sparse];
            for (first, places) in [(pools.available, &room[..]), (pools.asleep, &[Place::Asleep])]
            {
                let (mut pool, mut prev) = (first, Span::NULL);
                while !pool.is_null() {
                    listed += 1;
                    let lists = FlagshipInvariant::PoolLists;
                    lists.holds(listed <= pools.pools, pool.0.addr())?;
                    self.check_pool(offset, pool, places)?;
                    lists.holds(pool.prev() == prev, pool.0.addr())?;
                    (pool, prev) = (pool.next(), pool);
                }
            }
            FlagshipInvariant::PoolLists.holds(listed == pools.pools, listed as usize)?;
            all += listed as usize;
            slices += listed as usize * usize::from(class::at(offset).slices);
        }
        FlagshipInvariant::PoolLists.holds(slices == self.fields().slices, slices)?;
        self.check_dead()?;
        Ok(all)
    }

    /// H3 and H4 for a pool, F4, and H2 for the blocks in it.
    fn check_pool(
        self,
        offset: usize,
        pool: Span,
        places: &[Place],
    ) -> Result<(), FlagshipViolation> {
        let class = class::at(offset);
        let addr = pool.0.addr();
        let entry = self.tag() | offset as u32;
        let lists = FlagshipInvariant::PoolLists;
        let place = range::locate(pool.start());
        let is_ours = place.is_some_and(|(range, index)| {
            range.record(index) == pool && range.entry(index) == entry
        });
        lists.holds(is_ours && usize::from(pool.offset()) == offset, addr)?;
        lists.holds(places.contains(&pool.place()), addr)?;
        let (live, carved, capacity) =
            (pool.live(), u32::from(pool.carved()), u32::from(pool.capacity()));
        let counts = FlagshipInvariant::PoolCounts;
        counts.holds(
            capacity == class.capacity.into() && live <= carved && carved <= capacity,
            addr,
        )?;
        let waits = match pool.place() {
            Place::Current => pool.event() == NEVER,
            _ => live > pool.event().into() && carved == capacity,
        };
        FlagshipInvariant::PoolEvents.holds(waits, addr)?;

        let mut marks: Marks = [0; 16];
        let mut free = 0;
        let (mut block, mut link) = (pool.first(), pool.list_begin());
        while !block.is_null() {
            free += 1;
            counts.holds(free <= carved - live && mark(&mut marks, pool, block, entry), addr)?;
            link = block.cast();
            // SAFETY: a dead block of the pool.
            block = unsafe { slice::link(block) };
        }
        counts.holds(free == carved - live && pool.tail() == link, addr)?;

        let mut dead = 0;
        let mut count = |block, expected| {
            if expected != entry || !pool.holds(block) {
                return Ok(());
            }
            dead += 1;
            let once = mark(&mut marks, pool, block, entry) && dead <= live;
            FlagshipInvariant::DeadBlocks.holds(once, block.addr())
        };
        self.each_dead(offset, &mut count)?;
        self.each_sent(count)
    }

    /// H2 and M1: dead blocks are where they say they are.
    fn check_dead(self) -> Result<(), FlagshipViolation> {
        let mut chain = self.inbox().newest.load(Ordering::Acquire);
        while !chain.is_null() {
            let entry = range::locate(chain).map(|(range, index)| range.entry(index));
            let is_ours = entry.is_some_and(|entry| {
                entry & !LARGE == self.tag() && entry & LARGE != LARGE && is_carved(chain, entry)
            });
            FlagshipInvariant::ChainEntries.holds(is_ours, chain.addr())?;
            // SAFETY: the first block of a chain of ours.
            chain = unsafe { slice::second(chain) };
        }
        let is_dead = |block: *mut u8, entry| {
            FlagshipInvariant::DeadBlocks.holds(is_carved(block, entry), block.addr())
        };
        for offset in (0..OFFSETS_END).step_by(GRAIN) {
            self.each_dead(offset, is_dead)?;
        }
        self.each_sent(|block, entry| {
            FlagshipInvariant::ChainEntries.holds(is_carved(block, entry), block.addr())
        })
    }
}

impl Span {
    /// Whether the address lies in the span.
    fn holds(self, address: *mut u8) -> bool {
        let bytes = usize::from(self.slices()) * slice::SLICE_BYTES;
        address.addr().wrapping_sub(self.start().addr()) < bytes
    }
}

/// Marks a block of the pool; false when it is none that was carved, or was marked before.
fn mark(marks: &mut Marks, pool: Span, block: *mut u8, entry: u32) -> bool {
    if !pool.holds(block) || !is_carved(block, entry) {
        return false;
    }
    let number = (block.addr() - pool.start().addr()) / Heap::block_bytes(entry);
    let (word, bit) = (number / 64, 1 << (number % 64));
    let is_new = marks[word] & bit == 0;
    marks[word] |= bit;
    is_new
}

/// Shows the blocks of a list by their links. A circle is noticed by comparing every block with one
/// that is moved up at every power of two (Brent 1980).
pub(crate) fn each_linked<E>(
    first: *mut u8,
    entry: u32,
    visit: &mut impl FnMut(*mut u8, u32) -> Result<(), E>,
) -> Result<(), E> {
    let (mut block, mut mark) = (first, ptr::null_mut());
    let mut count = 0_usize;
    while !block.is_null() {
        visit(block, entry)?;
        if block == mark || !is_carved(block, entry) {
            break;
        }
        count += 1;
        if count.is_power_of_two() {
            mark = block;
        }
        // SAFETY: a dead block of ours.
        block = unsafe { slice::link(block) };
    }
    Ok(())
}
