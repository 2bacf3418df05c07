//! Ranges: reserved address space that all pools and large blocks lie in, and the ownership test.
//!
//! A range is one reservation of at most 32 GiB. Whether an address is ours is a subtraction and a
//! comparison; what it is, one load from a map of 4 bytes a slice. Neither reads memory that is not
//! the heap's own, whatever the address.
//!
//! ```text
//! reservation | map: u32 a slice | records: 64 B a slice | live bits: 128 B a slice | arenas ... |
//!             base = address of slice 0                                 first arena, 4 MiB aligned
//!
//! map entry   heap number << 12 | class offset       a slice of a pool
//!             heap number << 12 | LARGE              first slice of a large block
//!             0                                      anything else
//! ```
//! The range's own tables occupy its first slices, whose entries are 0. The map is committed at
//! once, records and live bits along with their arenas; live bits only in the checked build.
//!
//! The first range serves nearly every program and is the one that the fast paths test. When the
//! kernel refuses 32 GiB, smaller ones are tried, and when a range is full, another is added; the
//! slow paths look through all of them.
//!
//! Invariants:
//! * **R1** `base` is aligned to an arena; the map has an entry for each of `slices` slices; `base`,
//!   `map`, `records` and `bits` are set before `slices` is other than 0, and none of them changes
//!   afterwards.
//! * **R2** The entry of a slice is not 0 iff the slice belongs to a pool or begins a large block.
//! * **R3** Records of a slice are committed if its arena ever was.

mod check;

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::class::GRAIN;
use super::os;
use super::settings;
use super::slice::{SLICE_BYTES, SLICE_SHIFT, SliceRecord, Span};
use super::span_store::SpanStore;
use super::watched;
use crate::watch::tool::Tool;

/// Slices of an arena.
pub(crate) const ARENA_SLICES: usize = 256;
/// Bytes of an arena.
pub(crate) const ARENA_BYTES: usize = ARENA_SLICES * SLICE_BYTES;
/// Largest reservation, in bytes.
pub(crate) const MAX_RANGE_BYTES: usize = 32 << 30;
/// Arenas of the largest range.
pub(crate) const MAX_ARENAS: usize = MAX_RANGE_BYTES / ARENA_BYTES;
/// Smallest reservation that is tried, in bytes.
const MIN_RANGE_BYTES: usize = 4 * ARENA_BYTES;
/// Number of ranges there can be.
const MAX_RANGES: usize = 64;

/// Bits of an entry below the heap's number.
pub(crate) const OWNER_SHIFT: u32 = 12;
/// Low part of the entry of a large block.
pub(crate) const LARGE: u32 = (1 << OWNER_SHIFT) - 16;

/// Live bits of a slice, in words: one bit for every 16 bytes.
const BIT_WORDS: usize = SLICE_BYTES / 16 / 64;

/// Where a range lies, as thread heaps copy it.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    base: usize,
    slices: usize,
    /// Places where a block may begin, one every [`GRAIN`] bytes.
    grains: usize,
    /// Where the map would have the entry of address 0: it leads from an address to its entry by one
    /// shift, which nothing else has to wait for.
    origin: *const AtomicU32,
}

impl Extent {
    /// No range: no address lies in it.
    pub(crate) const NONE: Self = Self { base: 0, slices: 0, grains: 0, origin: ptr::null() };

    /// Number of the slice that `address` lies in.
    #[inline(always)]
    pub(crate) fn index_of(&self, address: *const u8) -> Option<usize> {
        let index = address.addr().wrapping_sub(self.base) >> SLICE_SHIFT;
        (index < self.slices).then_some(index)
    }

    /// As [`Extent::index_of`], for an address that a block may begin at; `None` for others. The
    /// rotation makes a huge number of an address that is not aligned, so that one comparison tells
    /// both.
    #[inline(always)]
    pub(crate) fn index_of_block(&self, address: *const u8) -> Option<usize> {
        const GRAIN_SHIFT: u32 = GRAIN.trailing_zeros();
        let grain = address.addr().wrapping_sub(self.base).rotate_right(GRAIN_SHIFT);
        (grain < self.grains).then_some(grain >> (SLICE_SHIFT - GRAIN_SHIFT))
    }

    /// What the slice around `address` is, for which `index_of` or `index_of_block` gave a number.
    #[inline(always)]
    pub(crate) fn entry_around(&self, address: *const u8) -> u32 {
        // SAFETY: R1: the map has an entry for every slice, and the caller knows that one holds the
        // address.
        let entry = unsafe { &*self.origin.wrapping_add(address.addr() >> SLICE_SHIFT) };
        // Relaxed: whoever was given a block was given it after the entry was written.
        entry.load(Ordering::Relaxed)
    }
}

/// One reservation.
pub(crate) struct Range {
    base: AtomicUsize,
    slices: AtomicUsize,
    map: AtomicPtr<AtomicU32>,
    records: AtomicPtr<SliceRecord>,
    bits: AtomicPtr<AtomicU64>,
    store: UnsafeCell<SpanStore>,
}

// SAFETY: the store is reached under the spans lock alone, the rest is atomic.
unsafe impl Sync for Range {}

/// All ranges; the first [`COUNT`] are in use.
static RANGES: [Range; MAX_RANGES] = [const { Range::unreserved() }; MAX_RANGES];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The range that thread heaps have a copy of, and the fast paths test.
pub(crate) fn primary() -> &'static Range {
    &RANGES[0]
}

/// All ranges in use.
pub(crate) fn all() -> &'static [Range] {
    // Acquire: pairs with the release in `add`.
    &RANGES[..COUNT.load(Ordering::Acquire)]
}

/// The range and slice that `address` lies in.
pub(crate) fn locate(address: *const u8) -> Option<(&'static Range, usize)> {
    all().iter().find_map(|range| Some((range, range.index_of(address)?)))
}

/// Reserves one more range. The caller holds the spans lock.
pub(crate) fn add() -> Option<&'static Range> {
    let count = COUNT.load(Ordering::Relaxed);
    let range = RANGES.get(count)?;
    if settings::is_memcheck() {
        let (memory, bytes) = watched::reserve(count);
        let is_laid_out = !memory.is_null() && range.lay_out(memory, bytes);
        if is_laid_out {
            COUNT.store(count + 1, Ordering::Release);
        }
        return is_laid_out.then_some(range);
    }
    let mut bytes = settings::reserve_bytes().clamp(MIN_RANGE_BYTES, MAX_RANGE_BYTES);
    // Half of a limited address space is left to everybody else.
    while bytes > MIN_RANGE_BYTES && bytes > os::address_space_limit() / 2 {
        bytes /= 2;
    }
    loop {
        let reservation = os::reserve(bytes);
        if !reservation.is_null() {
            if !range.lay_out(reservation, bytes) {
                os::unmap(reservation, bytes);
                return None;
            }
            COUNT.store(count + 1, Ordering::Release);
            return Some(range);
        }
        if bytes == MIN_RANGE_BYTES {
            return None;
        }
        bytes = (bytes / 2).max(MIN_RANGE_BYTES);
    }
}

/// Makes a part of the tables usable and zero; false when the kernel refuses.
fn commit_table(base: *mut u8, bytes: usize) -> bool {
    match settings::watch() {
        Some((tool @ Tool::Memcheck, _)) => {
            tool.show(base, bytes);
            // SAFETY: a part of the range's own memory that holds nothing yet.
            unsafe { base.write_bytes(0, bytes) };
            true
        }
        _ => os::commit(base, bytes),
    }
}

/// Makes an arena's memory usable for the heap, and out of bounds for a watched program.
fn commit_memory(base: *mut u8, bytes: usize) -> bool {
    match settings::watch() {
        None => os::commit(base, bytes),
        Some((Tool::Memcheck, _)) => true,
        Some((tool, _)) => {
            tool.hide(base, bytes);
            os::commit(base, bytes)
        }
    }
}

impl Range {
    const fn unreserved() -> Self {
        Self {
            base: AtomicUsize::new(0),
            slices: AtomicUsize::new(0),
            map: AtomicPtr::new(ptr::null_mut()),
            records: AtomicPtr::new(ptr::null_mut()),
            bits: AtomicPtr::new(ptr::null_mut()),
            store: UnsafeCell::new(SpanStore::EMPTY),
        }
    }

    /// Cuts a reservation into tables and arenas; false when its map cannot be committed.
    fn lay_out(&self, reservation: *mut u8, bytes: usize) -> bool {
        let padding = reservation.addr().wrapping_neg() & (ARENA_BYTES - 1);
        let base = reservation.wrapping_add(padding);
        let slices = (bytes - padding) / ARENA_BYTES * ARENA_SLICES;
        let map_bytes = (slices * size_of::<u32>()).next_multiple_of(SLICE_BYTES);
        let records = base.wrapping_add(map_bytes);
        let bits = records.wrapping_add(slices * size_of::<SliceRecord>());
        let tables_end = bits.addr() + slices * BIT_WORDS * size_of::<u64>() - base.addr();
        if !commit_table(base, map_bytes) {
            return false;
        }
        self.map.store(base.cast(), Ordering::Relaxed);
        self.records.store(records.cast(), Ordering::Relaxed);
        self.bits.store(bits.cast(), Ordering::Relaxed);
        // SAFETY: the caller holds the spans lock.
        let store = unsafe { &mut *self.store.get() };
        store.arenas = tables_end.div_ceil(ARENA_BYTES)..slices / ARENA_SLICES;
        self.base.store(base.addr(), Ordering::Relaxed);
        // Release: pairs with the acquire in `extent`.
        self.slices.store(slices, Ordering::Release);
        true
    }

    /// Address of slice 0.
    #[inline(always)]
    pub(crate) fn base(&self) -> *mut u8 {
        self.map.load(Ordering::Relaxed).cast()
    }

    /// Where the range lies.
    #[inline]
    pub(crate) fn extent(&self) -> Extent {
        // Acquire: pairs with the release in `lay_out`: with slices there are base and map (R1).
        let slices = self.slices.load(Ordering::Acquire);
        let base = self.base.load(Ordering::Relaxed);
        let grains = slices * (SLICE_BYTES / GRAIN);
        let origin = self.map.load(Ordering::Relaxed).wrapping_sub(base >> SLICE_SHIFT);
        Extent { base, slices, grains, origin }
    }

    /// Number of the slice that `address` lies in.
    #[inline]
    pub(crate) fn index_of(&self, address: *const u8) -> Option<usize> {
        self.extent().index_of(address)
    }

    /// What the slice is.
    #[inline]
    pub(crate) fn entry(&self, index: usize) -> u32 {
        // SAFETY: R1: the map has an entry for every slice.
        unsafe { &*self.map.load(Ordering::Relaxed).wrapping_add(index) }.load(Ordering::Relaxed)
    }

    /// Says what `slices` slices are. The caller holds the spans lock.
    pub(crate) fn set_entries(&self, index: usize, slices: usize, entry: u32) {
        for index in index..index + slices {
            // SAFETY: R1: the map has an entry for every slice.
            let place = unsafe { &*self.map.load(Ordering::Relaxed).wrapping_add(index) };
            place.store(entry, Ordering::Relaxed);
        }
    }

    /// The record of a slice of an arena that was committed.
    #[inline(always)]
    pub(crate) fn record(&self, index: usize) -> Span {
        Span(self.records.load(Ordering::Relaxed).wrapping_add(index))
    }

    /// Number of the slice that a record describes.
    pub(crate) fn index_of_record(&self, span: Span) -> usize {
        (span.0.addr() - self.records.load(Ordering::Relaxed).addr()) / size_of::<SliceRecord>()
    }

    /// The range whose records `span` is among.
    pub(crate) fn of(span: Span) -> &'static Self {
        all()
            .iter()
            .find(|range| {
                let first = range.records.load(Ordering::Relaxed).addr();
                let bytes = range.slices.load(Ordering::Relaxed) * size_of::<SliceRecord>();
                span.0.addr().wrapping_sub(first) < bytes
            })
            .expect("F1: every span lies in a range")
    }

    /// Commits an arena with its tables; false when the kernel refuses.
    pub(crate) fn commit_arena(&self, arena: usize) -> bool {
        let index = arena * ARENA_SLICES;
        let records = self.record(index).0.cast::<u8>();
        if !commit_table(records, ARENA_SLICES * size_of::<SliceRecord>()) {
            return false;
        }
        let bits = self.bits.load(Ordering::Relaxed).wrapping_add(index * BIT_WORDS);
        let bytes = ARENA_SLICES * BIT_WORDS * size_of::<u64>();
        if settings::is_checked() && !commit_table(bits.cast(), bytes) {
            return false;
        }
        commit_memory(self.memory(index), ARENA_BYTES)
    }

    /// Gives back what the tables of an arena occupy that was given back itself: they read as zeroes
    /// then, a record of zeroes is that of a slice in use (F3), and no record outside looks at them.
    pub(crate) fn clear_tables(&self, arena: usize) {
        let index = arena * ARENA_SLICES;
        let records = self.record(index).0.cast::<u8>();
        let _refused = os::decommit(records, ARENA_SLICES * size_of::<SliceRecord>());
        if settings::is_checked() {
            let bits = self.bits.load(Ordering::Relaxed).wrapping_add(index * BIT_WORDS);
            let bytes = ARENA_SLICES * BIT_WORDS * size_of::<u64>();
            let _refused = os::decommit(bits.cast(), bytes);
        }
    }

    /// First byte of a slice.
    pub(crate) fn memory(&self, index: usize) -> *mut u8 {
        self.base().wrapping_add(index * SLICE_BYTES)
    }

    /// The free spans. The caller holds the spans lock.
    pub(crate) fn store(&self) -> *mut SpanStore {
        self.store.get()
    }

    /// The word of live bits for the block at `address`, and its bit in it. The address lies in
    /// this range, in an arena committed by the checked build.
    pub(crate) fn live_bit(&self, address: *const u8) -> (&AtomicU64, u64) {
        let grain = (address.addr() - self.base.load(Ordering::Relaxed)) / 16;
        let word = self.bits.load(Ordering::Relaxed).wrapping_add(grain / 64);
        // SAFETY: R3 and the caller's obligation.
        (unsafe { &*word }, 1 << (grain % 64))
    }
}
