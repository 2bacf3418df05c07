//! The calls: malloc and its family for the calling thread, fast paths first.
//!
//! Every function is compiled for each level of [`Checks`]. The fast paths are inlined wherever
//! they are called; everything else lies behind one call that is the last thing they do.

use core::ptr;

use super::checks::Checks;
use super::class::{self, GRAIN, MEDIUM_MAX, OFFSETS_END, SMALL_MAX};
use super::fatal::{Misuse, die};
use super::foreign;
use super::heap::Heap;
use super::huge;
use super::large::{self, LARGE_MAX};
use super::os::{self, OS_PAGE_BYTES};
use super::range::{self, LARGE, OWNER_SHIFT, Range};
use super::remote;
use super::settings;
use super::slice::SLICE_BYTES;
use super::span_store;
use super::thread_local;
use super::threads;
use super::watched;

/// Largest alignment that is served, in bytes.
pub(crate) const ALIGN_MAX: usize = 1 << 30;

/// See [`Arenite::malloc`](crate::Arenite::malloc).
#[inline(always)]
pub(crate) fn malloc<C: Checks>(size: usize) -> *mut u8 {
    if size > SMALL_MAX {
        cold();
        return malloc_medium::<C>(size);
    }
    if C::ON {
        return C::handed_out(malloc_slow::<C>(size));
    }
    let block = Heap(thread_local::heap()).pop(class::small_offset(size));
    if block.is_null() { malloc_slow::<C>(size) } else { block }
}

/// Tells the compiler which branch to lay out of the way.
#[cold]
#[inline(always)]
fn cold() {}

/// Requests above [`SMALL_MAX`].
#[inline(never)]
fn malloc_medium<C: Checks>(size: usize) -> *mut u8 {
    if size > MEDIUM_MAX {
        return C::handed_out(malloc_large(size, GRAIN).0);
    }
    if C::ON {
        return C::handed_out(malloc_slow::<C>(size));
    }
    let block = Heap(thread_local::heap()).pop(class::medium_offset(size));
    if block.is_null() { malloc_slow::<C>(size) } else { block }
}

/// A block of a class, for a thread whose front is empty.
#[cold]
#[inline(never)]
fn malloc_slow<C: Checks>(size: usize) -> *mut u8 {
    malloc_class::<C>(size, GRAIN, class::offset_of(size))
}

/// A block of `size` bytes aligned to `align`, which is to be of the class at `offset`.
fn malloc_class<C: Checks>(size: usize, align: usize, offset: usize) -> *mut u8 {
    let take = |heap: Heap| {
        let block = heap.take(offset);
        C::taken(heap, offset, block);
        block
    };
    let block = match threads::heap() {
        Some(heap) => take(heap),
        None => match settings::watch() {
            Some(watch) => watched::malloc(watch, size, align),
            None => threads::with_late(take).unwrap_or(ptr::null_mut()),
        },
    };
    os::or_enomem(block)
}

/// A block above the classes, or aligned to more than a slice, and whether it reads as zeroes.
#[cold]
#[inline(never)]
fn malloc_large(size: usize, align: usize) -> (*mut u8, bool) {
    let take = |heap| take_large(heap, size, align);
    let (block, is_zeroed) = match threads::heap() {
        Some(heap) => take(heap),
        None => match settings::watch() {
            Some(watch) => (watched::malloc(watch, size, align), false),
            None => threads::with_late(take).unwrap_or((ptr::null_mut(), false)),
        },
    };
    (os::or_enomem(block), is_zeroed)
}

/// As [`malloc_large`], for a given heap.
pub(crate) fn take_large(heap: Heap, size: usize, align: usize) -> (*mut u8, bool) {
    let take = || {
        if size > LARGE_MAX || align > LARGE_MAX {
            huge::take(heap, size, align)
        } else {
            large::take(heap, size, align.max(SLICE_BYTES))
        }
    };
    remote::collect(heap);
    heap.make_room_for(size.div_ceil(SLICE_BYTES));
    let taken = take();
    if taken.0.is_null() && heap.send_all_home() { take() } else { taken }
}

/// See [`Arenite::free`](crate::Arenite::free).
///
/// # Safety
/// As there.
#[inline(always)]
pub(crate) unsafe fn free<C: Checks>(block: *mut u8) {
    C::freeing(block);
    let heap = Heap(thread_local::heap());
    if let Some(index) = heap.index_of(block) {
        let offset = (heap.entry_around(block) ^ heap.loose_tag()) as usize;
        if offset < OFFSETS_END {
            // SAFETY: R2: a block of the class in a pool of this heap; the caller lets go of it.
            unsafe { heap.push_loose(offset, block) };
            return;
        }
        let offset = (heap.entry_around(block) ^ heap.tag()) as usize;
        if offset < OFFSETS_END {
            // SAFETY: as above.
            if !unsafe { heap.push(offset, block) } {
                // SAFETY: as above.
                unsafe { free_to_pool(block, heap, index) };
            }
            return;
        }
    }
    // SAFETY: the caller's obligation.
    unsafe { free_slow(block) }
}

/// See [`Arenite::free_sized`](crate::Arenite::free_sized).
///
/// # Safety
/// As there.
#[inline]
pub(crate) unsafe fn free_sized<C: Checks>(block: *mut u8, size: usize) {
    if let Some(watch) = settings::watch()
        && !block.is_null()
    {
        // SAFETY: the caller's obligation.
        return unsafe { watched::free_sized(watch, block, size) };
    }
    // SAFETY: the caller's obligation.
    if C::ON && !block.is_null() && size > unsafe { usable_size(block) } {
        die(Misuse::WrongSize, block);
    }
    // SAFETY: the caller's obligation.
    unsafe { free::<C>(block) };
}

/// As [`free`], out of line.
///
/// # Safety
/// As for [`free`].
#[inline(never)]
pub(crate) unsafe fn free_again(block: *mut u8) {
    // SAFETY: the caller's obligation.
    unsafe { free::<super::checks::Unchecked>(block) }
}

/// Frees a block of the thread's own heap whose front takes no more.
///
/// # Safety
/// `block` is a dead block in slice `index` of the primary range, in a pool of `heap`.
#[inline(never)]
unsafe fn free_to_pool(block: *mut u8, heap: Heap, index: usize) {
    // SAFETY: the caller's obligation.
    unsafe { heap.append(range::primary().record(index).head(), block) };
}

/// Everything that is not a block of the thread's own heap in the first range: blocks of other
/// threads' heaps first, since a thread that consumes frees nothing else.
///
/// # Safety
/// `block` is null, a live block, dead from here on, or a foreign pointer.
#[inline(never)]
unsafe fn free_slow(block: *mut u8) {
    let heap = Heap(thread_local::heap());
    if heap.index_of(block).is_some() {
        let entry = heap.entry_around(block);
        if entry ^ heap.tag() >= OFFSETS_END as u32 && is_pool(entry) {
            // SAFETY: R2: a block of another heap's pool, which the caller lets go of.
            unsafe { remote::free(heap, block, entry) };
            return;
        }
    }
    // SAFETY: the caller's obligation.
    unsafe { free_rare(block) };
}

/// What [`free_slow`] leaves: null, large and huge blocks, foreign pointers, blocks in further
/// ranges, and threads without a heap.
///
/// # Safety
/// As for [`free_slow`].
#[cold]
#[inline(never)]
unsafe fn free_rare(block: *mut u8) {
    if block.is_null() {
        return;
    }
    if let Some(watch) = settings::watch() {
        // SAFETY: the caller's obligation.
        unsafe { watched::free(watch, block) };
        return;
    }
    let Some((range, index)) = range::locate(block) else {
        if !huge::free(block, 0) {
            // SAFETY: the caller's obligation.
            unsafe { foreign::free(block) };
        }
        return;
    };
    let entry = range.entry(index);
    match kind_of(entry) {
        Kind::Nothing => die(Misuse::Invalid, block),
        // Large blocks with an owner are a private heap's.
        Kind::Large if entry >> OWNER_SHIFT != 0 => die(Misuse::Foreign, block),
        Kind::Large => large::free(large::span(range, index, block), entry),
        Kind::Pool(offset) => {
            if !block.addr().is_multiple_of(GRAIN) {
                die(Misuse::Interior, block);
            }
            let owner = threads::heap_of(entry >> OWNER_SHIFT);
            // SAFETY: R2: a block of a pool, which the caller lets go of.
            let free_on = |heap| unsafe { free_for(heap, owner, range, index, block, offset) };
            match threads::heap() {
                Some(heap) => free_on(heap),
                None if threads::with_late(free_on).is_some() => {}
                // SAFETY: as above.
                None => unsafe { remote::send_one(block, entry) },
            }
        }
    }
}

/// Frees a pool block of `owner` on behalf of the thread that works on `heap`.
///
/// # Safety
/// `block` is a live block in slice `index` of `range`, of the class, dead from here on.
pub(crate) unsafe fn free_for(
    heap: Heap,
    owner: Heap,
    range: &Range,
    index: usize,
    block: *mut u8,
    offset: usize,
) {
    if heap != owner {
        // SAFETY: the caller's obligation.
        unsafe { remote::free(heap, block, range.entry(index)) };
        return;
    }
    if heap.loose_tag() == heap.tag() {
        // SAFETY: the caller's obligation.
        unsafe { heap.push_loose(offset, block) };
        return;
    }
    // SAFETY: the caller's obligation.
    if !unsafe { heap.push(offset, block) } {
        // SAFETY: the caller's obligation.
        unsafe { heap.append(range.record(index).head(), block) };
    }
}

/// What an entry of the map says.
pub(crate) enum Kind {
    /// No block begins there.
    Nothing,
    /// A large block begins there.
    Large,
    /// Part of a pool of the class at this offset.
    Pool(usize),
}

/// Whether an entry is that of a pool.
#[inline(always)]
fn is_pool(entry: u32) -> bool {
    entry != 0 && entry & LARGE != LARGE
}

/// Reads an entry.
pub(crate) fn kind_of(entry: u32) -> Kind {
    match entry & LARGE {
        _ if entry == 0 => Kind::Nothing,
        LARGE => Kind::Large,
        offset => Kind::Pool(offset as usize),
    }
}

/// See [`Arenite::usable_size`](crate::Arenite::usable_size).
///
/// # Safety
/// As there.
pub(crate) unsafe fn usable_size(block: *mut u8) -> usize {
    if block.is_null() {
        return 0;
    }
    if let Some(watch) = settings::watch() {
        return watched::usable_size(watch, block);
    }
    let Some((range, index)) = range::locate(block) else {
        return match huge::usable_size(block) {
            Some(bytes) => bytes,
            // SAFETY: the caller's obligation.
            None => unsafe { foreign::usable_size(block) },
        };
    };
    match kind_of(range.entry(index)) {
        Kind::Nothing => die(Misuse::Invalid, block),
        Kind::Large => usize::from(large::span(range, index, block).slices()) * SLICE_BYTES,
        Kind::Pool(_) if !block.addr().is_multiple_of(GRAIN) => die(Misuse::Interior, block),
        Kind::Pool(offset) => class::at(offset).size as usize,
    }
}

/// See [`Arenite::calloc`](crate::Arenite::calloc).
#[inline]
pub(crate) fn calloc<C: Checks>(count: usize, size: usize) -> *mut u8 {
    let Some(bytes) = count.checked_mul(size) else { return ptr::null_mut() };
    if bytes > MEDIUM_MAX {
        return calloc_large::<C>(bytes);
    }
    let block = malloc::<C>(bytes);
    if !block.is_null() {
        // SAFETY: a fresh block of at least `bytes` bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    block
}

#[cold]
#[inline(never)]
fn calloc_large<C: Checks>(bytes: usize) -> *mut u8 {
    let (block, is_zeroed) = malloc_large(bytes, GRAIN);
    if !block.is_null() && !is_zeroed && !huge::forget_contents(block, bytes) {
        // SAFETY: a fresh block of at least `bytes` bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    C::handed_out(block)
}

/// See [`Arenite::realloc`](crate::Arenite::realloc).
///
/// # Safety
/// As there.
#[inline]
pub(crate) unsafe fn realloc<C: Checks>(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return malloc::<C>(size);
    }
    C::resizing(block);
    if let Some(watch) = settings::watch() {
        // SAFETY: the caller's obligation.
        return unsafe { watched::realloc(watch, block, size, GRAIN) };
    }
    let Some((range, index)) = range::locate(block) else {
        // SAFETY: the caller's obligation.
        return unsafe { realloc_huge::<C>(block, size) };
    };
    let entry = range.entry(index);
    let old = match kind_of(entry) {
        Kind::Nothing => die(Misuse::Invalid, block),
        // As in `free_rare`.
        Kind::Large if entry >> OWNER_SHIFT != 0 => die(Misuse::Foreign, block),
        Kind::Large => {
            let span = large::span(range, index, block);
            if size > MEDIUM_MAX && size <= LARGE_MAX && large::resize(span, size) {
                return block;
            }
            usize::from(span.slices()) * SLICE_BYTES
        }
        Kind::Pool(_) if !block.addr().is_multiple_of(GRAIN) => die(Misuse::Interior, block),
        Kind::Pool(offset) => class::at(offset).size as usize,
    };
    if stays(old, size) {
        return block;
    }
    // SAFETY: the caller's obligation; the block holds `old` bytes.
    unsafe { move_block::<C>(block, old, size) }
}

/// Whether a pool block of `old` bytes serves a request of `size` bytes well enough to be kept.
#[inline(always)]
pub(crate) fn stays(old: usize, size: usize) -> bool {
    size <= old && (size >= old / 2 || old <= GRAIN) && old <= MEDIUM_MAX
}

/// Resizes what lies outside of the ranges.
///
/// # Safety
/// As for [`realloc`].
#[cold]
#[inline(never)]
unsafe fn realloc_huge<C: Checks>(block: *mut u8, size: usize) -> *mut u8 {
    let Some(old) = huge::usable_size(block) else {
        // SAFETY: the caller's obligation.
        return unsafe { foreign::realloc(block, size) };
    };
    if size > LARGE_MAX {
        let resized = huge::resize(block, size);
        if !resized.is_null() {
            return resized;
        }
        if size <= old {
            return block;
        }
    }
    // SAFETY: the caller's obligation; the block holds `old` bytes.
    unsafe { move_block::<C>(block, old, size) }
}

/// A new block of `size` bytes with the contents of the old one, which is freed; null when out of
/// memory, and then the old one is as it was.
///
/// # Safety
/// `block` is a live block of `old` bytes.
unsafe fn move_block<C: Checks>(block: *mut u8, old: usize, size: usize) -> *mut u8 {
    let moved = malloc::<C>(size);
    if !moved.is_null() {
        // SAFETY: both blocks hold the smaller size, and they are distinct.
        unsafe { ptr::copy_nonoverlapping(block, moved, old.min(size)) };
        // SAFETY: the caller's obligation.
        unsafe { free::<C>(block) };
    }
    moved
}

/// See [`Arenite::aligned_alloc`](crate::Arenite::aligned_alloc).
pub(crate) fn aligned_alloc<C: Checks>(align: usize, size: usize) -> *mut u8 {
    if align <= GRAIN && align.is_power_of_two() {
        return malloc::<C>(size);
    }
    if !align.is_power_of_two() || align > ALIGN_MAX {
        return ptr::null_mut();
    }
    match class::aligned_offset(size, align) {
        Some(offset) => C::handed_out(malloc_class::<C>(size, align, offset)),
        None => C::handed_out(malloc_large(size, align).0),
    }
}

/// See [`Arenite::good_size`](crate::Arenite::good_size).
pub(crate) fn good_size(size: usize) -> usize {
    if settings::watch().is_some() {
        // What lies behind the bytes asked for is out of bounds.
        return size;
    }
    if size <= MEDIUM_MAX {
        return class::at(class::offset_of(size)).size as usize;
    }
    let granule = if size <= LARGE_MAX { SLICE_BYTES } else { OS_PAGE_BYTES };
    size.checked_next_multiple_of(granule).unwrap_or(size)
}

/// See [`Arenite::owns`](crate::Arenite::owns).
pub(crate) fn owns(address: *const u8) -> bool {
    if let Some(watch) = settings::watch() {
        return watched::owns(watch, address);
    }
    match range::locate(address) {
        Some((range, index)) => range.entry(index) != 0,
        None => huge::usable_size(address.cast_mut()).is_some(),
    }
}

/// See [`Arenite::purge`](crate::Arenite::purge).
pub(crate) fn purge() {
    let _silence = watched::silence();
    // Heaps that may have gathered blocks of others come before those that only receive.
    let heap = thread_local::heap();
    let own = (!thread_local::is_empty(heap)).then_some(Heap(heap));
    if let Some(heap) = own {
        remote::send_all(heap);
    }
    let _late = threads::with_late(Heap::settle);
    threads::look_after_all();
    if let Some(heap) = own {
        heap.settle();
    }
    huge::purge();
    span_store::purge();
}
