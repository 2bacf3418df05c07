//! Arena sources: where arenas come from and where they go back to.
//!
//! [`MmapSource`](crate::MmapSource) maps anonymous memory, [`MallocSource`](crate::MallocSource)
//! asks the system malloc as 2.3 did. Huge pages or a reserved range are further instances.
//! `fault.rs` wraps any source to make it fail on demand.

pub(crate) mod malloc;
pub(crate) mod mmap;

/// A supplier of arenas.
///
/// # Safety
/// What `map` returns, unless null, is readable and writable memory of the asked size that nobody
/// else uses until it is passed to `unmap`. It need not be zeroed, and need be aligned to no more
/// than 16 bytes.
pub unsafe trait ArenaSource {
    /// Name in reports, such as `mmap`.
    const NAME: &'static str;

    /// Fresh memory of `bytes` bytes, or null when it is refused.
    fn map(&mut self, bytes: usize) -> *mut u8;

    /// Takes memory back.
    ///
    /// # Safety
    /// * `base` came from `map(bytes)` of this source and was not given back since.
    /// * Nothing in it is used any more.
    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize);
}
