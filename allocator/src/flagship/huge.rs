//! Huge blocks: mappings of their own, above 1 MiB.
//!
//! They lie outside of the ranges, so that a table tells which addresses they begin at: open
//! addressing with linear probing, at most half full, in a mapping that doubles. The block begins
//! the mapping.
//!
//! A few mappings that were just freed are kept for the next block of about their size, at most as
//! much as an arena holds; a request that none of them serves unmaps them first, so that what is
//! kept never adds to a peak.
//!
//! Invariants:
//! * **G1** A place of the table has `block = 0`, or describes a mapping `[block, block + bytes)`
//!   that nobody else knows of.
//! * **G2** From a block's own place by its hash to where it is, no place is empty.

pub(crate) mod check;

use core::cell::UnsafeCell;
use core::ptr;

use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::lock::Lock;
use super::os::{self, OS_PAGE_BYTES};
use super::range::{ARENA_BYTES, OWNER_SHIFT};
use super::{settings, watched};

/// Guards the table.
pub(crate) static HUGE: Lock = Lock::new();

const FIRST_PLACES: usize = 256;
/// Bytes of all mappings that are kept, and how many they can be: blocks here exceed 1 MiB.
const KEPT_BYTES: usize = ARENA_BYTES;
const KEPT: usize = 4;

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
}

struct Guarded(UnsafeCell<Table>);

// SAFETY: reached under `HUGE` alone.
unsafe impl Sync for Guarded {}

static TABLE: Guarded = Guarded(UnsafeCell::new(Table {
    places: ptr::null_mut(),
    count: 0,
    filled: 0,
    kept: [Mapping::NONE; KEPT],
}));

/// Lets `work` have the table, under the lock.
fn with<T>(work: impl FnOnce(&mut Table) -> T) -> T {
    let _held = HUGE.hold();
    // SAFETY: the lock is held, and no closure calls `with`.
    work(unsafe { &mut *TABLE.0.get() })
}

impl Mapping {
    const NONE: Self = Self { block: 0, bytes: 0, owner: 0 };

    fn unmap(self) {
        unmap(ptr::with_exposed_provenance_mut(self.block), self.bytes);
    }
}

/// A block of `size` bytes aligned to `align`, a power of two, and whether it reads as zeroes. Null
/// when out of memory.
pub(crate) fn take(heap: Heap, size: usize, align: usize) -> (*mut u8, bool) {
    // G1: even a block of no bytes has a mapping, or its address would be given out again.
    let size = size.max(1);
    let is_private = heap.is_private();
    let owner = if is_private { heap.tag() >> OWNER_SHIFT } else { 0 };
    let kept = with(|table| {
        let kept = table.take_kept(size, align)?;
        let added = table.add(Mapping { owner, ..kept });
        debug_assert!(added, "there is room for what was just removed");
        Some(kept.block)
    });
    let (block, is_zeroed) = match kept {
        Some(block) => (ptr::with_exposed_provenance_mut(block), false),
        None => (map_aligned(size, align), true),
    };
    if block.is_null() {
        return (block, true);
    }
    if is_zeroed {
        let bytes = size.next_multiple_of(OS_PAGE_BYTES);
        if !with(|table| table.add(Mapping { block: block.expose_provenance(), bytes, owner })) {
            unmap(block, bytes);
            return (ptr::null_mut(), true);
        }
    }
    heap.fields().huge += usize::from(is_private);
    (block, is_zeroed)
}

/// Unmaps what is kept.
pub(crate) fn purge() {
    with(Table::drop_kept);
}

fn map_aligned(size: usize, align: usize) -> *mut u8 {
    if size > isize::MAX as usize - OS_PAGE_BYTES {
        return ptr::null_mut();
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
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
    with(|table| {
        let Some(mapping) = table.find(block) else { return false };
        if mapping.owner != owner {
            die(Misuse::Foreign, block);
        }
        table.remove(block);
        table.keep(mapping);
        true
    })
}

/// Makes the huge block at `block` hold `size` bytes, more than 1 MiB, wherever that is; null when
/// out of memory, and then it is as it was.
pub(crate) fn resize(block: *mut u8, size: usize) -> *mut u8 {
    if size > isize::MAX as usize - OS_PAGE_BYTES {
        return ptr::null_mut();
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
    // The lock is held while the mapping moves: its old address may be another thread's at once.
    with(|table| {
        let Some(mapping) = table.find(block) else { return ptr::null_mut() };
        if mapping.owner != 0 {
            // A private heap never resizes in place.
            die(Misuse::Foreign, block);
        }
        table.remove(block);
        let moved =
            if bytes == mapping.bytes { block } else { os::remap(block, mapping.bytes, bytes) };
        let now = if moved.is_null() {
            mapping
        } else {
            Mapping { block: moved.addr(), bytes, owner: mapping.owner }
        };
        let added = table.add(now);
        debug_assert!(added, "there is room for what was just removed");
        moved
    })
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

    /// Puts a freed mapping with those that are kept and unmaps what is too much.
    fn keep(&mut self, freed: Mapping) {
        if freed.bytes > KEPT_BYTES {
            freed.unmap();
            return;
        }
        let mut bytes = freed.bytes;
        let mut next = freed;
        for place in &mut self.kept {
            let old = core::mem::replace(place, next);
            bytes += old.bytes;
            if bytes > KEPT_BYTES {
                bytes -= old.bytes;
                if old.block != 0 {
                    old.unmap();
                }
                next = Mapping::NONE;
            } else {
                next = old;
            }
        }
        if next.block != 0 {
            next.unmap();
        }
    }

    /// A kept mapping for `size` bytes that wastes at most a quarter of it; when there is none, what
    /// is kept is unmapped.
    fn take_kept(&mut self, size: usize, align: usize) -> Option<Mapping> {
        let fits = |kept: &Mapping| {
            kept.bytes >= size && kept.bytes / 5 * 4 <= size && kept.block.is_multiple_of(align)
        };
        let Some(at) = self.kept.iter().position(|kept| kept.block != 0 && fits(kept)) else {
            self.drop_kept();
            return None;
        };
        let found = self.kept[at];
        self.kept[at..].rotate_left(1);
        self.kept[KEPT - 1] = Mapping::NONE;
        Some(found)
    }

    fn drop_kept(&mut self) {
        for kept in core::mem::replace(&mut self.kept, [Mapping::NONE; KEPT]) {
            if kept.block != 0 {
                kept.unmap();
            }
        }
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
        true
    }

    fn grow(&mut self) -> bool {
        let count = (self.count * 2).max(FIRST_PLACES);
        let places = os::map(count * size_of::<Mapping>()).cast::<Mapping>();
        if places.is_null() {
            return false;
        }
        let mut old = core::mem::replace(self, Self { places, count, filled: 0, kept: self.kept });
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
