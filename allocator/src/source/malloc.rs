//! Arenas from the system malloc.

use crate::source::ArenaSource;
use crate::sys;

/// Takes arenas from the C library's `malloc`, as 2.3 did. They are not zeroed and not aligned to
/// an OS page (glibc puts 16 bytes before them), so each loses a pool to alignment.
#[derive(Clone, Copy, Debug, Default)]
pub struct MallocSource;

// SAFETY: malloc returns memory that is the caller's until `free`, aligned to 16 bytes.
unsafe impl ArenaSource for MallocSource {
    const NAME: &'static str = "malloc";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        // SAFETY: malloc may be called with any size.
        unsafe { sys::malloc(bytes) }.cast()
    }

    unsafe fn unmap(&mut self, base: *mut u8, _bytes: usize) {
        // SAFETY: the block came from `map` and is not used any more, by the caller's promise.
        unsafe { sys::free(base.cast()) };
    }
}
