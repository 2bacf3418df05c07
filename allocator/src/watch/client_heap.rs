//! Memory for arenas under memcheck: from the C library's malloc, as memcheck intercepts it.
//!
//! Memcheck's leak search takes every writable mapping for a root: a lost block in a mapped arena
//! would keep alive what it points to, and a lost cycle itself. Memory that its own `malloc` gave out
//! is no root. So arenas come from there, and the record of the block that each of them is to memcheck
//! is shortened to its first byte, so that no error in an arena is explained by the arena.

use crate::sys;
use crate::valgrind;

/// Bytes that memcheck's record of a piece keeps.
const RECORDED_BYTES: usize = 1;

/// Memory of `bytes` bytes aligned to `align`, a power of two, that may not be accessed; null when it
/// is refused. Only under memcheck.
pub(crate) fn take(bytes: usize, align: usize) -> *mut u8 {
    // SAFETY: any numbers may be asked for.
    let memory = unsafe { sys::__libc_memalign(align, bytes) }.cast::<u8>();
    if !memory.is_null() {
        valgrind::resize_in_place(memory, bytes, RECORDED_BYTES, 0);
        valgrind::make_no_access(memory, bytes);
    }
    memory
}

/// Gives a piece back.
///
/// # Safety
/// `memory` came from [`take`] and nothing of it is used any more.
pub(crate) unsafe fn give(memory: *mut u8) {
    // SAFETY: the caller's obligation.
    unsafe { sys::__libc_free(memory.cast()) };
}
