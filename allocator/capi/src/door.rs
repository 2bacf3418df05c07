//! The functions of C's malloc family over any [`Heap`]: what the manual pages add to what a heap
//! does. Null comes with an error number, sizes are checked for overflow, alignments for sense.
//!
//! `malloc` and `free` are the heap's own and nothing else: its fast path and a jump to everything
//! else, without a stack frame. That is why the heap sets `errno` when `malloc` gives null, and the
//! door in all other calls.

use core::ffi::{c_int, c_void};
use core::ptr;

use crate::errno::{self, EINVAL, ENOMEM, invalid, out_of_memory};
use crate::heap::Heap;

/// Bytes of an OS page.
const OS_PAGE_BYTES: usize = 4096;

/// The block, or null with ENOMEM.
#[inline(always)]
fn or_out_of_memory(block: *mut u8) -> *mut c_void {
    if block.is_null() { out_of_memory() } else { block.cast() }
}

/// C `malloc`.
#[inline(always)]
pub fn malloc<H: Heap>(size: usize) -> *mut c_void {
    H::malloc(size).cast()
}

/// C `calloc`: null and ENOMEM when the product overflows.
#[inline(always)]
pub fn calloc<H: Heap>(count: usize, size: usize) -> *mut c_void {
    or_out_of_memory(H::calloc(count, size))
}

/// C `free`: takes null, keeps `errno`.
///
/// # Safety
/// `block` is null or live, and dead afterwards.
#[inline(always)]
pub unsafe fn free<H: Heap>(block: *mut c_void) {
    // SAFETY: the caller's obligation.
    unsafe { H::free(block.cast()) };
}

/// C23 `free_sized` and `free_aligned_sized`: the size is the one that was asked for.
///
/// # Safety
/// `block` is null, or live and of that size, and dead afterwards.
#[inline(always)]
pub unsafe fn free_sized<H: Heap>(block: *mut c_void, size: usize) {
    // SAFETY: the caller's obligation.
    unsafe { H::free_sized(block.cast(), size) };
}

/// C `realloc`. A size of 0 frees the block and gives null with `errno` as it was; without a block
/// it gives one.
///
/// # Safety
/// `block` is null or live, and dead afterwards unless the result is null and the size is not 0.
#[inline(always)]
pub unsafe fn realloc<H: Heap>(block: *mut c_void, size: usize) -> *mut c_void {
    if size == 0 && !block.is_null() {
        // SAFETY: the caller's obligation.
        unsafe { H::free(block.cast()) };
        return ptr::null_mut();
    }
    // SAFETY: the caller's obligation.
    or_out_of_memory(unsafe { H::realloc(block.cast(), size) })
}

/// BSD `reallocarray`: a realloc to `count * size` bytes; null and ENOMEM when that overflows, the
/// block as it was.
///
/// # Safety
/// As for [`realloc`].
#[inline(always)]
pub unsafe fn reallocarray<H: Heap>(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the caller's obligation.
        Some(bytes) => unsafe { realloc::<H>(block, bytes) },
        None => out_of_memory(),
    }
}

/// C11 `aligned_alloc`: null and EINVAL when the alignment is no power of two. The size need not be
/// a multiple of it.
#[inline]
pub fn aligned_alloc<H: Heap>(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        return invalid();
    }
    or_out_of_memory(H::aligned_alloc(align, size))
}

/// POSIX `posix_memalign`: EINVAL when the alignment is no power of two or no multiple of a
/// pointer's size, ENOMEM when out of memory; `place` is then untouched. `errno` stays as it was.
///
/// # Safety
/// `place` is writable.
#[inline]
pub unsafe fn posix_memalign<H: Heap>(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return EINVAL;
    }
    let errno = errno::get();
    let block = H::aligned_alloc(align, size);
    if block.is_null() {
        errno::set(errno);
        return ENOMEM;
    }
    // SAFETY: the caller's obligation.
    unsafe { place.write(block.cast()) };
    0
}

/// SunOS `memalign` as glibc has it: an alignment that is no power of two is taken for the next one,
/// EINVAL when there is none.
#[inline]
pub fn memalign<H: Heap>(align: usize, size: usize) -> *mut c_void {
    match align.checked_next_power_of_two() {
        Some(align) => or_out_of_memory(H::aligned_alloc(align, size)),
        None => invalid(),
    }
}

/// BSD `valloc`: a block aligned to an OS page.
#[inline]
pub fn valloc<H: Heap>(size: usize) -> *mut c_void {
    or_out_of_memory(H::aligned_alloc(OS_PAGE_BYTES, size))
}

/// SunOS `pvalloc`: whole OS pages; null and ENOMEM when rounding up overflows.
#[inline]
pub fn pvalloc<H: Heap>(size: usize) -> *mut c_void {
    match size.checked_next_multiple_of(OS_PAGE_BYTES) {
        Some(size) => valloc::<H>(size),
        None => out_of_memory(),
    }
}

/// `malloc_usable_size`: bytes of the block that may be used, 0 for null.
///
/// # Safety
/// `block` is null or live.
#[inline]
pub unsafe fn malloc_usable_size<H: Heap>(block: *mut c_void) -> usize {
    // SAFETY: the caller's obligation.
    unsafe { H::usable_size(block.cast()) }
}

/// BSD's `malloc_good_size`: usable size of the block that a request of `size` bytes gets.
#[inline]
pub fn malloc_good_size<H: Heap>(size: usize) -> usize {
    H::good_size(size)
}

/// Whether the address lies in memory of the heap: 1 or 0. Any address may be asked for.
#[inline]
pub fn owns<H: Heap>(address: *const c_void) -> c_int {
    c_int::from(H::owns(address.cast()))
}

/// Gives back to the system what no live block needs.
#[inline]
pub fn purge<H: Heap>() {
    H::purge();
}
