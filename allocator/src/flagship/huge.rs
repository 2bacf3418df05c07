//! Huge blocks: mappings of their own, above 1 MiB.
//!
//! They lie outside of the ranges, so that a table tells which addresses they begin at: open
//! addressing with linear probing, at most half full, in a mapping that doubles. The block begins
//! the mapping.
//!
//! A few mappings that were just freed, of 1 to 32 MiB, are kept for the next blocks, 64 MiB in all,
//! as long as that does not make the process larger than it was lately, by what is mapped; an arena's
//! worth is kept in any case, unless the delay is 0, until the next block is taken. A request takes the smallest that holds it, of which what
//! it does not need stays behind, or else the largest, which grows: page faults cost more than either.
//!
//! Invariants:
//! * **G1** A place of the table has `block = 0`, or describes a mapping `[block, block + bytes)`
//!   that nobody else knows of.
//! * **G2** From a block's own place by its hash to where it is, no place is empty.
//! * **G3** What is kept is whole OS pages, and overlaps neither each other nor a mapping of the table;
//!   `live` is the bytes of the table's mappings.

pub(crate) mod check;

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::lock::Lock;
use super::os::{self, OS_PAGE_BYTES};
use super::range::{ARENA_BYTES, OWNER_SHIFT};
use super::slice::SLICE_BYTES;
use super::usage::{self, HUGE_CLOCK};
use super::{settings, span_store, watched};

/// Guards the table.
pub(crate) static HUGE: Lock = Lock::new();

const FIRST_PLACES: usize = 256;
/// Most bytes of all mappings that are kept, of each, and of those that nobody had in use lately, and
/// how many they can be.
const KEPT_BYTES: usize = 64 << 20;
const KEPT_EACH: usize = 32 << 20;
const KEPT_ALWAYS: usize = ARENA_BYTES;
const KEPT: usize = 8;
/// What is kept is cut to a multiple of.
const CUT_BYTES: usize = 1 << 20;

/// When what is kept was looked at last; written under the lock.
static LOOKED: AtomicU32 = AtomicU32::new(0);

/// A mapping that holds one block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Mapping {
    block: usize,
    bytes: usize,
    /// Number of the private heap it belongs to, or 0.
    owner: u32,
}

struct Table {
    places: *mut Mapping,
    /// Number of places, a power of two; 0 before the first block.
    count: usize,
    filled: usize,
    /// Freed mappings, the one freed last first; `block = 0` where there is none.
    kept: [Mapping; KEPT],
    /// Bytes of all blocks.
    live: usize,
}

struct Guarded(UnsafeCell<Table>);

// SAFETY: reached under `HUGE` alone.
unsafe impl Sync for Guarded {}

static TABLE: Guarded = Guarded(UnsafeCell::new(Table {
    places: ptr::null_mut(),
    count: 0,
    filled: 0,
    kept: [Mapping::NONE; KEPT],
    live: 0,
}));

/// Lets `work` have the table, under the lock.
fn with<T>(work: impl FnOnce(&mut Table) -> T) -> T {
    let _held = HUGE.hold();
    // SAFETY: the lock is held, and no closure calls `with`.
    work(unsafe { &mut *TABLE.0.get() })
}

impl Mapping {
    const NONE: Self = Self { block: 0, bytes: 0, owner: 0 };

    /// Its first `bytes`, and the rest. What a tool watches is not cut: all of it is the rest.
    fn cut(self, bytes: usize) -> (Self, Self) {
        if bytes == 0 || settings::watch().is_some() {
            return (Self::NONE, self);
        }
        let rest = Self { block: self.block + bytes, bytes: self.bytes - bytes, ..self };
        (Self { bytes, ..self }, rest)
    }

    /// Unmaps it, if it is one.
    fn unmap(self) {
        if self.block != 0 {
            unmap(ptr::with_exposed_provenance_mut(self.block), self.bytes);
        }
    }
}

/// A block of `size` bytes aligned to `align`, a power of two, and whether it reads as zeroes. Null
/// when out of memory.
pub(crate) fn take(heap: Heap, size: usize, align: usize) -> (*mut u8, bool) {
    // G1: even a block of no bytes has a mapping, or its address would be given out again.
    let size = size.max(1);
    let is_private = heap.is_private();
    let owner = if is_private { heap.tag() >> OWNER_SHIFT } else { 0 };
    if size > isize::MAX as usize - OS_PAGE_BYTES {
        return (ptr::null_mut(), true);
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
    span_store::make_room(bytes / SLICE_BYTES);
    let kept = with(|table| {
        let kept = table.take_kept(bytes, align)?;
        HUGE_CLOCK.advance(kept.bytes / SLICE_BYTES);
        // What was cut is one mapping more, for which there may be no place.
        let mapping = Mapping { owner, ..kept };
        if table.add(mapping) || table.keep_at_most(0) && table.add(mapping) {
            return Some(kept.block);
        }
        kept.unmap();
        Some(0)
    });
    let (block, is_zeroed) = match kept {
        Some(block) => (ptr::with_exposed_provenance_mut(block), false),
        None => (map_or_purge(bytes, align), true),
    };
    if block.is_null() {
        return (block, true);
    }
    if is_zeroed {
        let mapping = Mapping { block: block.expose_provenance(), bytes, owner };
        let is_added = with(|table| {
            HUGE_CLOCK.advance(bytes / SLICE_BYTES);
            table.add(mapping)
        });
        if !is_added {
            unmap(block, bytes);
            return (ptr::null_mut(), true);
        }
    }
    heap.fields().huge += usize::from(is_private);
    span_store::look_after_dirty();
    (block, is_zeroed)
}

/// Makes a fresh block of `bytes` read as zeroes without touching it, where that is the better way:
/// so much memory may never be looked at. False where it is not done.
pub(crate) fn forget_contents(block: *mut u8, bytes: usize) -> bool {
    bytes > KEPT_ALWAYS
        && settings::watch().is_none()
        && os::decommit(block, bytes.next_multiple_of(OS_PAGE_BYTES))
}

/// Unmaps what is kept; whether there was any.
pub(crate) fn purge() -> bool {
    usage::KEPT.get() > 0 && with(|table| table.keep_at_most(0))
}

/// Looks whether what is kept is still worth it: spans may have grown, and once in a while a program
/// may have gone over to other sizes. Neither lock is held.
#[inline]
pub(crate) fn look_after_kept() {
    let kept = usage::KEPT.get();
    if kept > KEPT_ALWAYS / SLICE_BYTES {
        let age = usage::clock().wrapping_sub(LOOKED.load(Ordering::Relaxed));
        if kept > usage::room_lately() || age > usage::time() {
            with(Table::keep_what_is_worth_it);
        }
    }
}

/// A new mapping of `bytes`, whole OS pages; what is kept, and then what is dirty, goes if there is no
/// memory with it.
fn map_or_purge(bytes: usize, align: usize) -> *mut u8 {
    let mut block = map_aligned(bytes, align);
    for make_room in [purge, span_store::give_all_back] {
        if block.is_null() && make_room() {
            block = map_aligned(bytes, align);
        }
    }
    block
}

fn map_aligned(bytes: usize, align: usize) -> *mut u8 {
    if let Some((tool, _)) = settings::watch() {
        // Only asked for blocks that need no alignment of their memory.
        return watched::map(tool, bytes);
    }
    if align <= OS_PAGE_BYTES {
        return os::map(bytes);
    }
    let Some(all) = bytes.checked_add(align - OS_PAGE_BYTES) else { return ptr::null_mut() };
    let base = os::map(all);
    if base.is_null() {
        return base;
    }
    let before = base.addr().wrapping_neg() & (align - 1);
    let block = base.wrapping_add(before);
    if before > 0 {
        os::unmap(base, before);
    }
    if all > before + bytes {
        os::unmap(block.wrapping_add(bytes), all - before - bytes);
    }
    block
}

/// Unmaps a block's memory, or gives it back to where a watched process has it from.
fn unmap(block: *mut u8, bytes: usize) {
    match settings::watch() {
        Some((tool, _)) => watched::unmap(tool, block, bytes),
        None => os::unmap(block, bytes),
    }
}

/// Start, bytes and owner of the mapping that `address` lies in. Looks at all of them.
pub(crate) fn around(address: *const u8) -> Option<(*mut u8, usize, u32)> {
    with(|table| {
        let is_around =
            |mapping: &Mapping| address.addr().wrapping_sub(mapping.block) < mapping.bytes;
        let found = (0..table.count).map(|at| *table.place(at)).find(is_around)?;
        Some((ptr::with_exposed_provenance_mut(found.block), found.bytes, found.owner))
    })
}

/// Calls `work` with start and bytes of every mapping of an owner.
pub(crate) fn each(owner: u32, mut work: impl FnMut(*mut u8, usize)) {
    with(|table| {
        for at in 0..table.count {
            let mapping = *table.place(at);
            if mapping.block != 0 && mapping.owner == owner {
                work(ptr::with_exposed_provenance_mut(mapping.block), mapping.bytes);
            }
        }
    });
}

/// Bytes of the huge block at `block`; `None` when there is none.
pub(crate) fn usable_size(block: *mut u8) -> Option<usize> {
    with(|table| table.find(block).map(|mapping| mapping.bytes))
}

/// Frees the huge block at `block`; false when there is none. `owner` is the number of the private
/// heap that frees it, or 0: a block of another owner dies as a foreign pointer.
pub(crate) fn free(block: *mut u8, owner: u32) -> bool {
    let is_found = with(|table| {
        let Some(mapping) = table.find(block) else { return false };
        if mapping.owner != owner {
            die(Misuse::Foreign, block);
        }
        table.remove(block);
        table.keep(mapping);
        true
    });
    if is_found {
        span_store::look_after_dirty();
    }
    is_found
}

/// Makes the huge block at `block` hold `size` bytes, more than 1 MiB, wherever that is; null when
/// the kernel refuses, for want of memory or since the program has given a part of the block other
/// advice or another protection, and then it is as it was.
pub(crate) fn resize(block: *mut u8, size: usize) -> *mut u8 {
    if size > isize::MAX as usize - OS_PAGE_BYTES {
        return ptr::null_mut();
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
    span_store::make_room(bytes.saturating_sub(usable_size(block).unwrap_or(0)) / SLICE_BYTES);
    // The lock is held while the mapping moves: its old address may be another thread's at once.
    let moved = with(|table| {
        let Some(mapping) = table.find(block) else { return ptr::null_mut() };
        if mapping.owner != 0 {
            // A private heap never resizes in place.
            die(Misuse::Foreign, block);
        }
        table.remove(block);
        let remap = || match bytes == mapping.bytes {
            true => block,
            false => os::remap(block, mapping.bytes, bytes),
        };
        let mut moved = remap();
        if moved.is_null() && table.keep_at_most(0) {
            moved = remap();
        }
        let now = if moved.is_null() {
            mapping
        } else {
            Mapping { block: moved.addr(), bytes, owner: mapping.owner }
        };
        let added = table.add(now);
        debug_assert!(added, "there is room for what was just removed");
        HUGE_CLOCK.advance(now.bytes.abs_diff(mapping.bytes) / SLICE_BYTES);
        if now.bytes > mapping.bytes {
            table.keep_what_is_worth_it();
        }
        moved
    });
    span_store::look_after_dirty();
    moved
}

/// Frees the huge blocks of a private heap that nobody uses any more.
pub(crate) fn give_back(heap: Heap) {
    if heap.fields().huge == 0 {
        return;
    }
    heap.fields().huge = 0;
    let owner = heap.tag() >> OWNER_SHIFT;
    with(|table| {
        let mut at = 0;
        while at < table.count {
            let mapping = *table.place(at);
            if mapping.block == 0 || mapping.owner != owner {
                at += 1;
                continue;
            }
            // Another may move up into this place; one from the end may move behind it.
            table.remove(ptr::with_exposed_provenance_mut(mapping.block));
            table.keep(mapping);
        }
    });
    span_store::look_after_dirty();
}

impl Table {
    fn home(&self, block: usize) -> usize {
        // Fibonacci hashing of the OS page's number (Knuth, TAOCP vol. 3, 6.4).
        let hash = (block / OS_PAGE_BYTES).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash >> (usize::BITS - self.count.trailing_zeros())
    }

    fn place<'a>(&mut self, at: usize) -> &'a mut Mapping {
        // SAFETY: the table has `count` places, a power of two, and is ours under the lock.
        unsafe { &mut *self.places.wrapping_add(at & (self.count - 1)) }
    }

    fn position(&mut self, block: *mut u8) -> Option<usize> {
        if self.count == 0 || block.is_null() {
            return None;
        }
        let mut at = self.home(block.addr());
        loop {
            match self.place(at).block {
                0 => return None,
                here if here == block.addr() => return Some(at & (self.count - 1)),
                _ => at += 1,
            }
        }
    }

    fn find(&mut self, block: *mut u8) -> Option<Mapping> {
        let at = self.position(block)?;
        Some(*self.place(at))
    }

    /// Bytes that are worth keeping beside `taken` bytes more, or `least` if they are fewer.
    fn worth_keeping(&self, taken: usize, least: usize) -> usize {
        LOOKED.store(usage::clock(), Ordering::Relaxed);
        let room = usage::room_lately() * SLICE_BYTES;
        match settings::purge_delay() {
            0 => 0,
            // What a tool watches comes from elsewhere, and is neither cut nor grown.
            _ if settings::watch().is_some() => KEPT_ALWAYS,
            _ => room.saturating_sub(taken).min(KEPT_BYTES).max(least),
        }
    }

    /// Puts a freed mapping with those that are kept, unless it is too large, and unmaps what is too
    /// much.
    fn keep(&mut self, freed: Mapping) {
        HUGE_CLOCK.advance(freed.bytes / SLICE_BYTES);
        // What is aligned may be smaller than any other block here.
        if !(CUT_BYTES..=KEPT_EACH).contains(&freed.bytes) {
            freed.unmap();
            return;
        }
        let vacant = self.kept.iter().position(|kept| kept.block == 0).unwrap_or(KEPT - 1);
        self.kept[vacant].unmap();
        self.kept[..=vacant].rotate_right(1);
        self.kept[0] = freed;
        self.keep_what_is_worth_it();
    }

    fn keep_what_is_worth_it(&mut self) {
        let most = self.worth_keeping(0, KEPT_ALWAYS);
        self.keep_at_most(most);
    }

    /// Unmaps what was kept longest until no more than `most` bytes are; whether it was any. The first of
    /// what is too much is cut.
    fn keep_at_most(&mut self, most: usize) -> bool {
        let (mut most, mut bytes, mut is_any) = (most, 0, false);
        for place in &mut self.kept {
            if bytes + place.bytes > most {
                let (kept, rest) = place.cut((most - bytes) / CUT_BYTES * CUT_BYTES);
                *place = kept;
                rest.unmap();
                (most, is_any) = (bytes + kept.bytes, true);
            }
            bytes += place.bytes;
        }
        usage::KEPT.set(bytes.div_ceil(SLICE_BYTES));
        is_any
    }

    /// A mapping of `bytes`, whole OS pages, or up to a quarter more, out of what is kept; the rest of
    /// it stays as far as it is worth keeping.
    fn take_kept(&mut self, bytes: usize, align: usize) -> Option<Mapping> {
        let found = self.cut_kept(bytes, align).or_else(|| self.grow_kept(bytes, align));
        let is_watched = settings::watch().is_some();
        let most = if is_watched && found.is_none() { 0 } else { self.worth_keeping(bytes, 0) };
        self.keep_at_most(most);
        found
    }

    /// Takes the smallest kept mapping that holds `bytes`, or its first part.
    fn cut_kept(&mut self, bytes: usize, align: usize) -> Option<Mapping> {
        let holds = |kept: &Mapping| kept.bytes >= bytes && kept.block.is_multiple_of(align);
        let fitting = (0..KEPT).filter(|&at| self.kept[at].block != 0 && holds(&self.kept[at]));
        let at = fitting.min_by_key(|&at| self.kept[at].bytes)?;
        let found = self.kept[at];
        let behind = found.bytes - bytes;
        if behind <= bytes / 4 {
            self.kept[at] = Mapping::NONE;
            return Some(found);
        }
        let (first, rest) = found.cut(bytes);
        if first.block == 0 {
            return None;
        }
        self.kept[at] = rest;
        Some(first)
    }

    /// Takes the largest kept mapping and makes it hold `bytes`, wherever that is.
    fn grow_kept(&mut self, bytes: usize, align: usize) -> Option<Mapping> {
        if align > OS_PAGE_BYTES || settings::watch().is_some() {
            return None;
        }
        let at = (0..KEPT).max_by_key(|&at| self.kept[at].bytes)?;
        let largest = self.kept[at];
        if largest.block == 0 || largest.bytes > bytes {
            return None;
        }
        self.kept[at] = Mapping::NONE;
        let start = ptr::with_exposed_provenance_mut(largest.block);
        let moved = os::remap(start, largest.bytes, bytes);
        if moved.is_null() {
            // There may be no memory, or the program has changed a part of it: better another one.
            largest.unmap();
            return None;
        }
        Some(Mapping { block: moved.expose_provenance(), bytes, owner: 0 })
    }

    /// Adds a mapping; false when there is no memory for a larger table.
    fn add(&mut self, mapping: Mapping) -> bool {
        if (self.filled + 1) * 2 > self.count && !self.grow() {
            return false;
        }
        let mut at = self.home(mapping.block);
        while self.place(at).block != 0 {
            at += 1;
        }
        *self.place(at) = mapping;
        self.filled += 1;
        self.count_live(self.live + mapping.bytes);
        true
    }

    fn count_live(&mut self, bytes: usize) {
        self.live = bytes;
        usage::HUGE.set(bytes / SLICE_BYTES);
        usage::note();
    }

    fn grow(&mut self) -> bool {
        let count = (self.count * 2).max(FIRST_PLACES);
        let places = os::map(count * size_of::<Mapping>()).cast::<Mapping>();
        if places.is_null() {
            return false;
        }
        let mut old = core::mem::replace(self, Self { places, count, filled: 0, live: 0, ..*self });
        for at in 0..old.count {
            let mapping = *old.place(at);
            if mapping.block != 0 {
                self.add(mapping);
            }
        }
        if old.count > 0 {
            os::unmap(old.places.cast(), old.count * size_of::<Mapping>());
        }
        true
    }

    fn remove(&mut self, block: *mut u8) -> Option<Mapping> {
        let mut hole = self.position(block)?;
        let removed = *self.place(hole);
        self.filled -= 1;
        self.count_live(self.live - removed.bytes);
        // Moves later ones up, so that G2 holds without marks of removal (Knuth, algorithm 6.4R).
        let mut at = hole;
        loop {
            at = (at + 1) & (self.count - 1);
            let mapping = *self.place(at);
            if mapping.block == 0 {
                break;
            }
            let distance = at.wrapping_sub(self.home(mapping.block)) & (self.count - 1);
            if distance >= at.wrapping_sub(hole) & (self.count - 1) {
                *self.place(hole) = mapping;
                hole = at;
            }
        }
        self.place(hole).block = 0;
        Some(removed)
    }
}
