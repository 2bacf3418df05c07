//! The recorder: a preload library that logs every allocator call of a live process.
//!
//! With `ARENABENCH_RECORD_DIR` naming a folder, each process image the program goes through
//! leaves a raw log there ([`raw_log`] has its layout); without, the library passes calls on and
//! does nothing. It allocates nothing, starts no thread, takes no lock but once in some thousands
//! of calls, keeps `errno`, and when it cannot go on (a full disk, no descriptor) it notes that in
//! the log and leaves the program alone.
//!
//! ```text
//! lib      the exported functions: order of recording and calling on
//! next     the allocator that serves the calls
//! thread   record(): the thread's writer, or the slow path that finds it one
//! tls      one word per thread          writer   records into the thread's mapped slot
//! counter  sequence numbers             image    files and slots of this process image
//! process  constructor and exits        file, folder, lock, kernel   what those stand on
//! ```
//! For Linux with glibc on x86-64. Calls from signal handlers are recorded as far as they go;
//! POSIX forbids them.

#![cfg_attr(not(test), no_std)]

mod counter;
mod file;
mod folder;
mod image;
mod kernel;
mod lock;
mod next;
mod process;
pub mod raw_log;
#[cfg(test)]
mod tests;
mod thread;
mod tls;
mod writer;

use crate::raw_log::op;
use crate::thread::{count_failure, record, record_mark};
use crate::writer::Call;
use core::ffi::{c_int, c_void};

/// A panic is a bug of the recorder; there is nothing to unwind to.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: has no obligations.
    unsafe { libc::abort() }
}

/// Records a call that asked for a block of `wanted` bytes, after the call.
#[inline(always)]
fn record_block(call: Call, wanted: usize) {
    let recorded = record(call);
    if call.result == 0 && wanted > 0 && recorded.is_some() {
        count_failure();
    }
}

/// Records an aligned allocation, after the call. glibc takes alignments that are no power of two
/// for the next one, so that is what goes into the log.
fn record_aligned(block: *mut c_void, align: usize, size: usize) {
    let align = align.checked_next_power_of_two().unwrap_or(align);
    let (result, aux) = (block.addr() as u64, align as u64);
    record_block(Call { op: op::ALIGNED, result, size: size as u64, aux }, size);
}

/// C `malloc`.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::malloc(size) };
    let result = block.addr() as u64;
    record_block(Call { op: op::MALLOC, result, size: size as u64, aux: 0 }, size);
    block
}

/// C `calloc`.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::calloc(count, size) };
    let (result, aux) = (block.addr() as u64, count as u64);
    let call = Call { op: op::CALLOC, result, size: size as u64, aux };
    record_block(call, count.saturating_mul(size));
    block
}

/// C `realloc`.
///
/// # Safety
/// `block` is null or live.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    let old = block.addr() as u64;
    let enter = record(Call { op: op::REALLOC_ENTER, result: old, size: size as u64, aux: 0 });
    // SAFETY: the caller's promise.
    let block = unsafe { next::realloc(block, size) };
    if let Some(aux) = enter {
        let result = block.addr() as u64;
        record_mark(Call { op: op::REALLOC_EXIT, result, size: 0, aux });
        if block.is_null() && size > 0 {
            count_failure();
        }
    }
    block
}

/// BSD `reallocarray`: a realloc to `count * size` bytes.
///
/// # Safety
/// `block` is null or live.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn reallocarray(
    block: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    // A product that overflows is more than any allocator has: realloc fails with ENOMEM.
    let size = count.saturating_mul(size);
    // SAFETY: the caller's promise.
    unsafe { realloc(block, size) }
}

/// C `free`.
///
/// # Safety
/// `block` is null or live.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn free(block: *mut c_void) {
    record(Call { op: op::FREE, result: block.addr() as u64, size: 0, aux: 0 });
    // SAFETY: the caller's promise.
    unsafe { next::free(block) };
}

/// POSIX `posix_memalign`.
///
/// # Safety
/// `place` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_memalign(
    place: *mut *mut c_void,
    align: usize,
    size: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    let error = unsafe { next::posix_memalign(place, align, size) };
    let block = if error == 0 {
        // SAFETY: `place` is readable, having been written.
        unsafe { *place }
    } else {
        core::ptr::null_mut()
    };
    record_aligned(block, align, size);
    error
}

/// C11 `aligned_alloc`.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::aligned_alloc(align, size) };
    record_aligned(block, align, size);
    block
}

/// SunOS `memalign`.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::memalign(align, size) };
    record_aligned(block, align, size);
    block
}

/// BSD `valloc`: a block aligned to an OS page.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::valloc(size) };
    record_aligned(block, kernel::page_bytes(), size);
    block
}

/// SunOS `pvalloc`: whole OS pages.
///
/// # Safety
/// None beyond C's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let block = unsafe { next::pvalloc(size) };
    let page = kernel::page_bytes();
    record_aligned(block, page, size.checked_next_multiple_of(page).unwrap_or(size));
    block
}

/// POSIX `_exit`: skips the destructors that would note the end of the process.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn _exit(status: c_int) -> ! {
    process::exit_at_once(status)
}

/// C99 `_Exit`.
#[allow(non_snake_case, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn _Exit(status: c_int) -> ! {
    process::exit_at_once(status)
}
