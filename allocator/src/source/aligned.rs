//! Arenas from mappings, aligned to their size.

use crate::source::ArenaSource;
use crate::source::mmap::MmapSource;

/// Maps arenas with `mmap` and aligns them to their size, a power of two.
///
/// A mapping that the kernel happened to align is taken as it is. Otherwise twice the size is mapped
/// and both ends are given back, three calls more.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlignedSource;

// SAFETY: what is kept of a fresh mapping is fresh memory, aligned to its size.
unsafe impl ArenaSource for AlignedSource {
    const NAME: &'static str = "mmap-aligned";
    const ARENAS_ALIGNED: bool = true;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        let base = MmapSource.map(bytes);
        if base.is_null() || base.addr().is_multiple_of(bytes) {
            return base;
        }
        // SAFETY: mapped above with this size, and not used.
        unsafe { MmapSource.unmap(base, bytes) };
        let Some(twice) = bytes.checked_mul(2) else { return core::ptr::null_mut() };
        let wide = MmapSource.map(twice);
        if wide.is_null() {
            return wide;
        }
        let before = wide.addr().next_multiple_of(bytes) - wide.addr();
        let arena = wide.wrapping_add(before);
        if before > 0 {
            // SAFETY: the part of the fresh mapping before the arena, in whole OS pages.
            unsafe { MmapSource.unmap(wide, before) };
        }
        // SAFETY: the part behind it, of which at least an OS page is left: before < bytes.
        unsafe { MmapSource.unmap(arena.wrapping_add(bytes), bytes - before) };
        arena
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: forwarded to the caller.
        unsafe { MmapSource.unmap(base, bytes) };
    }
}
