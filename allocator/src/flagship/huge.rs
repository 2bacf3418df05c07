//! Huge blocks: mappings of their own, above 1 MiB.
//!
//! They lie outside of the ranges, so that a table tells which addresses they begin at: open
//! addressing with linear probing, at most half full, in a mapping that doubles. The block begins
//! the mapping.
//!
//! Invariants:
//! * **G1** A place of the table has `block = 0`, or describes a mapping `[block, block + bytes)`
//!   that nobody else knows of.
//! * **G2** From a block's own place by its hash to where it is, no place is empty.

pub(crate) mod check;

use core::cell::UnsafeCell;
use core::ptr;

use super::heap::Heap;
use super::lock::Lock;
use super::os::{self, OS_PAGE_BYTES};
use super::range::OWNER_SHIFT;
use super::threads;

/// Guards the table.
pub(crate) static HUGE: Lock = Lock::new();

const FIRST_PLACES: usize = 256;

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
}

struct Guarded(UnsafeCell<Table>);

// SAFETY: reached under `HUGE` alone.
unsafe impl Sync for Guarded {}

static TABLE: Guarded =
    Guarded(UnsafeCell::new(Table { places: ptr::null_mut(), count: 0, filled: 0 }));

/// Lets `work` have the table, under the lock.
fn with<T>(work: impl FnOnce(&mut Table) -> T) -> T {
    let _held = HUGE.hold();
    // SAFETY: the lock is held, and no closure calls `with`.
    work(unsafe { &mut *TABLE.0.get() })
}

/// A block of `size` bytes aligned to `align`, a power of two, that reads as zeroes (the second
/// part is true). Null when out of memory.
pub(crate) fn take(heap: Heap, size: usize, align: usize) -> (*mut u8, bool) {
    // G1: even a block of no bytes has a mapping, or its address would be given out again.
    let size = size.max(1);
    let block = map_aligned(size, align);
    if block.is_null() {
        return (block, true);
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
    let is_private = heap.fields().is_private;
    let owner = if is_private { heap.tag() >> OWNER_SHIFT } else { 0 };
    if with(|table| table.add(Mapping { block: block.addr(), bytes, owner })) {
        heap.fields().huge += usize::from(is_private);
        return (block, true);
    }
    os::unmap(block, bytes);
    (ptr::null_mut(), true)
}

fn map_aligned(size: usize, align: usize) -> *mut u8 {
    if size > isize::MAX as usize - OS_PAGE_BYTES {
        return ptr::null_mut();
    }
    let bytes = size.next_multiple_of(OS_PAGE_BYTES);
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

/// Bytes of the huge block at `block`; `None` when there is none.
pub(crate) fn usable_size(block: *mut u8) -> Option<usize> {
    with(|table| table.find(block).map(|mapping| mapping.bytes))
}

/// Frees the huge block at `block`; false when there is none.
pub(crate) fn free(block: *mut u8) -> bool {
    let Some(mapping) = with(|table| table.remove(block)) else { return false };
    if mapping.owner != 0 {
        threads::heap_of(mapping.owner).fields().huge -= 1;
    }
    os::unmap(block, mapping.bytes);
    true
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
        let Some(mapping) = table.remove(block) else { return ptr::null_mut() };
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
    let owner = heap.tag() >> OWNER_SHIFT;
    while heap.fields().huge > 0 {
        let found = with(|table| table.any_of(owner));
        let Some(block) = found else { return };
        free(block);
    }
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

    fn any_of(&mut self, owner: u32) -> Option<*mut u8> {
        let at = (0..self.count).find(|&at| {
            let mapping = self.place(at);
            mapping.block != 0 && mapping.owner == owner
        })?;
        Some(ptr::with_exposed_provenance_mut(self.place(at).block))
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
        let mut old = core::mem::replace(self, Self { places, count, filled: 0 });
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
