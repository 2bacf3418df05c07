//! Arenas from anonymous private mappings.

use core::ptr;

use crate::source::ArenaSource;
use crate::sys;

/// Maps arenas with `mmap`. They are zeroed and aligned to an OS page.
#[derive(Clone, Copy, Debug, Default)]
pub struct MmapSource;

// SAFETY: an anonymous mapping is fresh memory, page-aligned, until it is unmapped.
unsafe impl ArenaSource for MmapSource {
    const NAME: &'static str = "mmap";

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let (protection, flags) = (sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANONYMOUS);
        // SAFETY: a new anonymous mapping at a place of the kernel's choice disturbs nothing.
        let base = unsafe { sys::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if base.addr() == sys::MAP_FAILED_ADDR { ptr::null_mut() } else { base.cast() }
    }

    /// A refusal by the kernel (its table of mappings is full) leaves the memory mapped and unused.
    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: the mapping came from `map` and is not used any more, by the caller's promise.
        let _refused = unsafe { sys::munmap(base.cast(), bytes) };
    }
}
