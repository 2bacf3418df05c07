//! Arenas: what the source hands out, their descriptors, and the table of descriptors.
//!
//! An arena is one mapping of `ARENA_BYTES` bytes, cut into pools on demand from the low end. The
//! source aligns it to an OS page as a rule, so up to one pool is lost to alignment, or to what an
//! ownership strategy keeps at the head of an aligned one (`HEAD_BYTES`):
//!
//! ```text
//! base        first pool (rounded up to POOL_BYTES)       virgin                  base+ARENA_BYTES
//! | lost head | cut pool | cut pool | ... | cut pool | never cut ... | lost tail |
//! ```
//!
//! The descriptors stand in one table outside of the arenas, in memory of the next allocator. It
//! starts with 16 slots and doubles when no slot is vacant; pools name their arena by slot index,
//! so the index stays true when the table moves. Handles to slots do not: [`ArenaTable::grow`] runs
//! only when every arena is full, when no list holds a handle. An outgrown table is freed at once,
//! unlike in 2.3, where threads without the lock could still be reading it.
//!
//! A slot is in one of three states:
//!
//! | state | when | list | fields without meaning |
//! |---|---|---|---|
//! | vacant | no arena | vacant list, linked by `next` | all but `base` and `next` |
//! | usable | free pools > 0 | `usable_arenas.rs` | none |
//! | full | free pools = 0 | none | `next`, `prev` |
//!
//! Invariants:
//! * **I7** The vacant list holds exactly the slots whose base is null.
//! * **I8** `virgin` lies on a pool boundary from the first pool to the end of the last, and
//!   `total_pools` is the number of whole, aligned pools in the arena.
//! * **I9** The arena's empty list holds exactly its cut pools with live = 0, and `free_pools` =
//!   length of that list + pools never cut.
//! * **I10** ever - reclaimed = current = number of slots with a base, and current <= high water.
//!
//! `heap/refill.rs` maps arenas, `heap/retire.rs` gives them back. The scheme is pymalloc's
//! `arena_object` vector.

use core::cell::Cell;
use core::ops::Deref;
use core::ptr::{self, NonNull};

use crate::geometry::{Geometry, MAX_CLASSES};
use crate::next::NextAllocator;
use crate::pool::Pool;
use crate::size_class::SizeClasses;
use crate::validate::{Invariant, Violation};

/// Number of slots of the first table.
const INITIAL_SLOTS: u32 = 16;

/// The descriptor of an arena. Cells, because descriptors refer to each other in lists.
pub(crate) struct ArenaDescriptor {
    /// Start of the mapping; null in a vacant slot.
    pub(crate) base: Cell<*mut u8>,
    /// Start of the next pool to cut.
    pub(crate) virgin: Cell<*mut u8>,
    /// The pool that fell empty last, linked to the others by `Pool::next`.
    pub(crate) empty: Cell<Option<Pool>>,
    /// Pools that no class holds: on the empty list or never cut.
    pub(crate) free_pools: Cell<u32>,
    pub(crate) total_pools: Cell<u32>,
    /// Bytes at the start that the ownership strategy keeps; pools begin behind them.
    pub(crate) head_bytes: Cell<u32>,
    pub(crate) next: Cell<Option<Arena>>,
    pub(crate) prev: Cell<Option<Arena>>,
}

/// A handle to a slot of the table. Not to be used after the table grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arena(NonNull<ArenaDescriptor>);

impl Deref for Arena {
    type Target = ArenaDescriptor;
    #[inline(always)]
    fn deref(&self) -> &ArenaDescriptor {
        // SAFETY: handles are made for slots of the table as it stands, which are all written,
        // and no list holds one when the table moves. All fields are cells.
        unsafe { self.0.as_ref() }
    }
}

impl Arena {
    pub(crate) fn addr(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Address of the first pool.
    pub(crate) fn first_pool<G: Geometry>(self) -> usize {
        (self.base.get().addr() + self.head_bytes.get() as usize).next_multiple_of(G::POOL_BYTES)
    }

    /// Number of pools that were cut, whether a class holds them or not.
    pub(crate) fn cut_pools<G: Geometry>(self) -> usize {
        self.virgin.get().addr().wrapping_sub(self.first_pool::<G>()) / G::POOL_BYTES
    }

    /// The cut pool number `position`, counted from the low end.
    pub(crate) fn pool<G: Geometry>(self, position: usize) -> Pool {
        let addr = self.first_pool::<G>() + position * G::POOL_BYTES;
        // SAFETY: callers count up to `cut_pools`, and pools are born where `virgin` was.
        unsafe { Pool::at(self.base.get().with_addr(addr)) }
    }

    /// Describes a fresh mapping at `base`: all its pools are free, none is cut. The ownership
    /// strategy keeps the first `head_bytes`.
    fn open<G: Geometry>(self, base: *mut u8, head_bytes: usize) {
        self.base.set(base);
        self.head_bytes.set(head_bytes as u32);
        let lost = self.first_pool::<G>() - base.addr();
        let pools = (G::ARENA_BYTES - lost) / G::POOL_BYTES;
        self.virgin.set(base.with_addr(self.first_pool::<G>()));
        self.empty.set(None);
        self.free_pools.set(pools as u32);
        self.total_pools.set(pools as u32);
        self.next.set(None);
        self.prev.set(None);
    }

    /// Takes a free pool, the one that fell empty last or else a newly cut one. The arena has one.
    pub(crate) fn take_pool<G: Geometry>(self, index: u32) -> Pool {
        self.free_pools.set(self.free_pools.get() - 1);
        if let Some(pool) = self.empty.get() {
            self.empty.set(pool.next.get());
            return pool;
        }
        let ptr = self.virgin.get();
        self.virgin.set(ptr.wrapping_add(G::POOL_BYTES));
        // SAFETY: a free pool that is not on the empty list is virgin memory of this arena (I9),
        // on a pool boundary (I8).
        unsafe { Pool::birth(ptr, index) }
    }

    /// Whether `addr` is the start of a cut pool of this arena.
    fn has_cut_pool<G: Geometry>(self, addr: usize) -> bool {
        let offset = addr.wrapping_sub(self.first_pool::<G>());
        offset.is_multiple_of(G::POOL_BYTES) && offset / G::POOL_BYTES < self.cut_pools::<G>()
    }

    /// Checks I1 to I4, I8 and I9 of this arena; adds its used pools to `used`.
    fn check<G: SizeClasses>(
        self,
        index: u32,
        used: &mut [usize; MAX_CLASSES],
    ) -> Result<(), Violation> {
        let base = self.base.get().addr();
        let first = self.first_pool::<G>();
        let total = (base + G::ARENA_BYTES - first) / G::POOL_BYTES;
        let virgin_offset = self.virgin.get().addr().wrapping_sub(first);
        let placed = virgin_offset.is_multiple_of(G::POOL_BYTES)
            && virgin_offset / G::POOL_BYTES <= total
            && self.total_pools.get() as usize == total;
        Invariant::ArenaCut.holds(placed, base)?;

        let mut empty = 0;
        for position in 0..self.cut_pools::<G>() {
            let pool = self.pool::<G>(position);
            pool.check::<G>(index)?;
            let class = pool.class.get() as usize;
            match pool.live.get() as usize {
                0 => empty += 1,
                live if live < G::capacity(class) => used[class] += 1,
                _ => {}
            }
        }

        let mut length = 0;
        let mut link = self.empty.get();
        while let Some(pool) = link {
            length += 1;
            let known = self.has_cut_pool::<G>(pool.addr()) && length <= empty;
            Invariant::EmptyPools.holds(known, pool.addr())?;
            Invariant::EmptyPools.holds(pool.live.get() == 0, pool.addr())?;
            link = pool.next.get();
        }
        let free = length + total - self.cut_pools::<G>();
        let counted = length == empty && free == self.free_pools.get() as usize;
        Invariant::EmptyPools.holds(counted, base)
    }
}

/// The descriptors of all arenas of a heap, as an ownership strategy sees them.
pub struct ArenaTable {
    slots: Option<NonNull<ArenaDescriptor>>,
    len: u32,
    current: u32,
    pub(crate) vacant: Option<Arena>,
    pub(crate) ever: u64,
    pub(crate) reclaimed: u64,
    pub(crate) high_water: u32,
}

impl ArenaTable {
    pub(crate) const EMPTY: Self = Self {
        slots: None,
        len: 0,
        current: 0,
        vacant: None,
        ever: 0,
        reclaimed: 0,
        high_water: 0,
    };

    /// Number of slots, vacant ones included. 0 before the first arena.
    #[inline(always)]
    pub fn slots(&self) -> u32 {
        self.len
    }

    /// Number of arenas now. While none was ever given back they occupy the slots below it.
    #[inline(always)]
    pub fn current(&self) -> u32 {
        self.current
    }

    /// Base address of the arena in slot `index`, 0 in a vacant slot.
    ///
    /// # Safety
    /// `index` is below [`slots`](Self::slots).
    #[inline(always)]
    pub unsafe fn base_unchecked(&self, index: u32) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { self.slot_unchecked(index) }.base.get().addr()
    }

    /// Base addresses of all arenas, in order of their slots.
    pub fn bases(&self) -> impl Iterator<Item = usize> + '_ {
        self.mapped().map(|(_, arena)| arena.base.get().addr())
    }

    /// # Safety
    /// `index` is below `slots()`.
    #[inline(always)]
    pub(crate) unsafe fn slot_unchecked(&self, index: u32) -> Arena {
        // SAFETY: there is a slot (caller), so the table was allocated.
        let slots = unsafe { self.slots.unwrap_unchecked() };
        // SAFETY: in bounds of the table, by the caller's promise.
        Arena(unsafe { slots.add(index as usize) })
    }

    /// All slots with their indices, the vacant ones included.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, Arena)> + '_ {
        // SAFETY: the range ends at the number of slots.
        (0..self.len).map(|index| (index, unsafe { self.slot_unchecked(index) }))
    }

    /// All slots that hold an arena, with their indices.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = (u32, Arena)> + '_ {
        self.all().filter(|(_, arena)| !arena.base.get().is_null())
    }

    /// Slot index of `arena`.
    pub(crate) fn index_of(&self, arena: Arena) -> u32 {
        let first = self.slots.map_or(0, |slots| slots.as_ptr().addr());
        ((arena.addr() - first) / size_of::<ArenaDescriptor>()) as u32
    }

    /// A vacant slot, from a larger table if need be. `None` when the next allocator refuses.
    pub(crate) fn vacant_slot<N: NextAllocator>(&mut self, next: &mut N) -> Option<Arena> {
        if self.vacant.is_none() {
            self.grow(next)?;
        }
        self.vacant
    }

    /// Doubles the table. No slot is vacant and no list holds a handle, which the move would
    /// leave stale.
    #[cold]
    fn grow<N: NextAllocator>(&mut self, next: &mut N) -> Option<()> {
        let len = if self.len == 0 { INITIAL_SLOTS } else { self.len.checked_mul(2)? };
        let bytes = (len as usize).checked_mul(size_of::<ArenaDescriptor>())?;
        let grown = match self.slots {
            None => next.malloc(bytes),
            // SAFETY: the table came from this allocator, here.
            Some(slots) => unsafe { next.realloc(slots.as_ptr().cast(), bytes) },
        };
        let slots = NonNull::new(grown.cast::<ArenaDescriptor>())?;
        self.slots = Some(slots);
        // From the top down, so that slots are taken in ascending order.
        for index in (self.len..len).rev() {
            // SAFETY: `index` is below the number of slots just allocated.
            let slot = unsafe { slots.add(index as usize) };
            let vacant = ArenaDescriptor {
                base: Cell::new(ptr::null_mut()),
                virgin: Cell::new(ptr::null_mut()),
                empty: Cell::new(None),
                free_pools: Cell::new(0),
                total_pools: Cell::new(0),
                head_bytes: Cell::new(0),
                next: Cell::new(self.vacant),
                prev: Cell::new(None),
            };
            // SAFETY: the slot is unused memory of the new table.
            unsafe { slot.write(vacant) };
            self.vacant = Some(Arena(slot));
        }
        self.len = len;
        Some(())
    }

    /// Fills the first vacant slot with the fresh mapping at `base`, whose first `head_bytes` are
    /// the ownership strategy's.
    pub(crate) fn add<G: Geometry>(&mut self, slot: Arena, base: *mut u8, head_bytes: usize) {
        self.vacant = slot.next.get();
        slot.open::<G>(base, head_bytes);
        self.current += 1;
        self.ever += 1;
        self.high_water = self.high_water.max(self.current);
    }

    /// Makes the slot of an arena that is in no list vacant. Returns the mapping's base.
    pub(crate) fn remove(&mut self, slot: Arena) -> *mut u8 {
        let base = slot.base.replace(ptr::null_mut());
        slot.next.set(self.vacant);
        self.vacant = Some(slot);
        self.current -= 1;
        self.reclaimed += 1;
        base
    }

    /// Frees the table itself. All slots are vacant.
    pub(crate) fn give_back<N: NextAllocator>(&mut self, next: &mut N) {
        if let Some(slots) = self.slots {
            // SAFETY: the table came from this allocator; no slot is in use any more.
            unsafe { next.free(slots.as_ptr().cast()) };
        }
        *self = Self::EMPTY;
    }

    /// The cut pool that `ptr` lies in, if there is one.
    ///
    /// # Safety
    /// `ptr` lies in an arena, and so does the place of a pool's header around it.
    pub(crate) unsafe fn cut_pool_around<G: SizeClasses>(&self, ptr: *mut u8) -> Option<Pool> {
        // SAFETY: memory of an arena (caller), of a pool or not: all fields are plain numbers or
        // addresses that are not followed before the pool is known to be cut.
        let pool = unsafe { Pool::of_block::<G>(ptr) };
        let index = pool.arena.get();
        if index >= self.len {
            return None;
        }
        // SAFETY: below the number of slots.
        let arena = unsafe { self.slot_unchecked(index) };
        let is_cut = !arena.base.get().is_null() && arena.has_cut_pool::<G>(pool.addr());
        is_cut.then_some(pool)
    }

    /// Whether a pool was cut at `addr`. Cost: linear in the arenas.
    pub(crate) fn holds_cut_pool<G: Geometry>(&self, addr: usize) -> bool {
        self.mapped().any(|(_, arena)| arena.has_cut_pool::<G>(addr))
    }

    /// Checks I1 to I4 and I7 to I10. Returns the number of used pools per class.
    pub(crate) fn check<G: SizeClasses>(&self) -> Result<[usize; MAX_CLASSES], Violation> {
        let mut used = [0; MAX_CLASSES];
        for (index, arena) in self.mapped() {
            arena.check::<G>(index, &mut used)?;
        }

        let vacant = self.all().filter(|(_, arena)| arena.base.get().is_null()).count();
        let mut length = 0;
        let mut link = self.vacant;
        while let Some(slot) = link {
            length += 1;
            let known = length <= vacant && self.all().any(|(_, arena)| arena == slot);
            Invariant::VacantSlots.holds(known, slot.addr())?;
            Invariant::VacantSlots.holds(slot.base.get().is_null(), slot.addr())?;
            link = slot.next.get();
        }
        Invariant::VacantSlots.holds(length == vacant, length)?;

        let mapped = u64::from(self.len) - vacant as u64;
        let current = u64::from(self.current);
        let counted = self.ever.wrapping_sub(self.reclaimed) == current
            && current == mapped
            && self.current <= self.high_water;
        Invariant::ArenaCounts.holds(counted, self.current as usize)?;
        Ok(used)
    }
}
