//! Arena sources: where arenas come from and where they go back to.
//!
//! [`MmapSource`](crate::MmapSource) maps anonymous memory, [`MallocSource`](crate::MallocSource)
//! asks the system malloc as 2.3 did, [`AlignedSource`](crate::AlignedSource) aligns arenas to their
//! size, [`ReservedSource`](crate::ReservedSource) cuts them from one reservation, and
//! [`HugePageSource`](crate::HugePageSource) asks for huge pages. What a source guarantees beyond the
//! memory it states in constants, and a heap whose ownership test needs more does not compile.
//! `fault.rs` wraps any source to make it fail on demand.

pub(crate) mod aligned;
pub(crate) mod huge_page;
pub(crate) mod malloc;
pub(crate) mod mmap;
pub(crate) mod reserved;

use crate::watch::client_heap;

/// A supplier of arenas.
///
/// # Safety
/// What `map` returns, unless null, is readable and writable memory of the asked size that nobody
/// else uses until it is passed to `unmap`. It need not be zeroed, and need be aligned to no more
/// than 16 bytes. Constants that are `true` are promises about every arena.
pub unsafe trait ArenaSource {
    /// Name in reports, such as `mmap`.
    const NAME: &'static str;
    /// Whether an arena of `bytes` bytes, a power of two, is aligned to `bytes`.
    const ARENAS_ALIGNED: bool = false;
    /// Whether all arenas lie in one mapping that holds nothing else while the source lives.
    const ONE_RESERVATION: bool = false;

    /// Fresh memory of `bytes` bytes, or null when it is refused.
    fn map(&mut self, bytes: usize) -> *mut u8;

    /// Takes memory back.
    ///
    /// # Safety
    /// * `base` came from `map(bytes)` of this source and was not given back since.
    /// * Nothing in it is used any more.
    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize);

    /// As `map`, where memcheck watches a heap that tells it of its blocks: memory that may not be
    /// accessed, and that is no root of the leak search. It keeps the source's promises; by default it
    /// is aligned to its size and comes from the C library.
    fn map_watched(&mut self, bytes: usize) -> *mut u8 {
        client_heap::take(bytes, bytes)
    }

    /// Takes memory back that came from `map_watched`.
    ///
    /// # Safety
    /// As for `unmap`.
    unsafe fn unmap_watched(&mut self, base: *mut u8, _bytes: usize) {
        // SAFETY: the caller's obligation.
        unsafe { client_heap::give(base) };
    }
}
