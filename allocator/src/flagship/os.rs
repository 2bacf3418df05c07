//! Address space and memory from the kernel, and its way to sleep.
//!
//! The states of a piece of a range: *reserved* (no access, costs nothing), *committed* (readable
//! and writable, OS pages appear as they are touched), *decommitted* (committed, but its OS pages
//! were given back and read as zeroes). Every function but [`or_enomem`] leaves `errno` as it was.

use core::ptr;
use core::sync::atomic::AtomicU32;

use crate::sys;

/// Size of an OS page in bytes; the granule of large mappings.
pub(crate) const OS_PAGE_BYTES: usize = 4096;

/// Runs `calls` and puts `errno` back.
fn keeping_errno<T>(calls: impl FnOnce() -> T) -> T {
    // SAFETY: the location is the thread's own and always valid.
    let location = unsafe { sys::__errno_location() };
    // SAFETY: as above.
    let errno = unsafe { location.read() };
    let result = calls();
    // SAFETY: as above.
    unsafe { location.write(errno) };
    result
}

fn new_mapping(bytes: usize, protection: i32, flags: i32) -> *mut u8 {
    keeping_errno(|| {
        // SAFETY: a new mapping at a place of the kernel's choice disturbs nothing.
        let base = unsafe { sys::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if base.addr() == sys::MAP_FAILED_ADDR { ptr::null_mut() } else { base.cast() }
    })
}

/// The block; `errno` becomes ENOMEM when it is null.
#[inline]
pub(crate) fn or_enomem(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        // SAFETY: the location is the thread's own and always valid.
        let location = unsafe { sys::__errno_location() };
        // SAFETY: as above.
        unsafe { location.write(sys::ENOMEM) };
    }
    block
}

/// Address space without memory, or null.
pub(crate) fn reserve(bytes: usize) -> *mut u8 {
    new_mapping(bytes, sys::PROT_NONE, sys::MAP_RESERVATION)
}

/// Zeroed memory, or null.
pub(crate) fn map(bytes: usize) -> *mut u8 {
    new_mapping(bytes, sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANONYMOUS)
}

/// Makes reserved memory usable; false when the kernel refuses.
pub(crate) fn commit(base: *mut u8, bytes: usize) -> bool {
    // SAFETY: callers name a part of a reservation of ours.
    keeping_errno(|| unsafe { sys::mprotect(base.cast(), bytes, sys::PROT_READ_WRITE) } == 0)
}

/// Gives the OS pages of committed memory back; false when the kernel refuses. On success the memory
/// reads as zeroes.
pub(crate) fn decommit(base: *mut u8, bytes: usize) -> bool {
    // SAFETY: callers name committed memory of ours that nobody uses.
    keeping_errno(|| unsafe { sys::madvise(base.cast(), bytes, sys::MADV_DONTNEED) } == 0)
}

/// Turns decommitted memory into a reservation; false when the kernel refuses.
pub(crate) fn uncommit(base: *mut u8, bytes: usize) -> bool {
    // SAFETY: callers name decommitted memory of ours.
    keeping_errno(|| unsafe { sys::mprotect(base.cast(), bytes, sys::PROT_NONE) } == 0)
}

/// Unmaps memory. A refusal leaves it mapped and unused.
pub(crate) fn unmap(base: *mut u8, bytes: usize) {
    // SAFETY: callers name a mapping of ours, or part of one, that nobody uses.
    let _refused = keeping_errno(|| unsafe { sys::munmap(base.cast(), bytes) });
}

/// Grows or shrinks a mapping, moving it if need be; null when refused, and then it is as it was.
pub(crate) fn remap(base: *mut u8, old_bytes: usize, bytes: usize) -> *mut u8 {
    keeping_errno(|| {
        // SAFETY: callers name a whole mapping of ours and forget its old address.
        let moved = unsafe { sys::mremap(base.cast(), old_bytes, bytes, sys::MREMAP_MAYMOVE) };
        if moved.addr() == sys::MAP_FAILED_ADDR { ptr::null_mut() } else { moved.cast() }
    })
}

/// Address space the process may use, in bytes; `usize::MAX` when it is not limited.
pub(crate) fn address_space_limit() -> usize {
    let mut limit = sys::Limit { soft: u64::MAX, hard: u64::MAX };
    // SAFETY: `limit` is a place for the answer.
    keeping_errno(|| unsafe { sys::getrlimit(sys::RLIMIT_AS, &raw mut limit) });
    usize::try_from(limit.soft).unwrap_or(usize::MAX)
}

/// Sleeps as long as the word has this value; may return early.
pub(crate) fn sleep_while(word: &AtomicU32, value: u32) {
    keeping_errno(|| {
        // SAFETY: waits on a word that outlives the call, without a time limit.
        unsafe {
            sys::syscall(
                sys::SYS_FUTEX,
                word.as_ptr(),
                sys::FUTEX_WAIT_PRIVATE,
                value,
                ptr::null_mut::<u8>(),
            )
        }
    });
}

/// Wakes one thread that sleeps on the word.
pub(crate) fn wake_one(word: &AtomicU32) {
    // SAFETY: wakes at most one thread that sleeps on our own word.
    keeping_errno(|| unsafe {
        sys::syscall(sys::SYS_FUTEX, word.as_ptr(), sys::FUTEX_WAKE_PRIVATE, 1_u32)
    });
}
