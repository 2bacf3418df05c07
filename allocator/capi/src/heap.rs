//! What a door needs of a heap.

use arenite::{Arenite, AreniteChecked};

/// The heap behind a door: one for the whole process, named by a type.
///
/// # Safety
/// A block is the caller's alone until it is freed, as large and as aligned as asked, and any thread
/// may free it. Nothing unwinds. `free` leaves `errno` as it is.
pub unsafe trait Heap {
    /// A block of `size` bytes aligned to 16, or null with `errno` ENOMEM; 0 bytes get a block of
    /// their own.
    fn malloc(size: usize) -> *mut u8;

    /// A zeroed block of `count * size` bytes, or null, also when the product overflows.
    fn calloc(count: usize, size: usize) -> *mut u8;

    /// Frees a block; takes null.
    ///
    /// # Safety
    /// `block` is null or live, and dead afterwards.
    unsafe fn free(block: *mut u8);

    /// Frees a block of which the caller knows what size was asked for; takes null.
    ///
    /// # Safety
    /// `block` is null or live, and dead afterwards.
    unsafe fn free_sized(block: *mut u8, _size: usize) {
        // SAFETY: the caller's obligation.
        unsafe { Self::free(block) };
    }

    /// A block of `size` bytes with the contents of the old one, which is dead then; or null, and
    /// the old one is as it was. Serves null as `malloc` does and never takes 0 for a free.
    ///
    /// # Safety
    /// `block` is null or live, and dead after a result that is not null.
    unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8;

    /// A block aligned to `align`, a power of two; or null, also for alignments that are too large.
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;

    /// Bytes of the block that may be used; 0 for null.
    ///
    /// # Safety
    /// `block` is null or live.
    unsafe fn usable_size(block: *mut u8) -> usize;

    /// Usable size of the block that a request of `size` bytes gets.
    fn good_size(size: usize) -> usize;

    /// Whether the address lies in memory of this heap; reads nothing of what it points to.
    fn owns(address: *const u8) -> bool;

    /// Gives back to the system what can be given back.
    fn purge();
}

/// Both heaps have the same calls; `$prepare` comes before those that may make the heap.
macro_rules! heap {
    ($heap:ty, $prepare:block) => {
        // SAFETY: the heap promises just this.
        unsafe impl Heap for $heap {
            #[inline(always)]
            fn malloc(size: usize) -> *mut u8 {
                $prepare
                <$heap>::malloc(size)
            }

            #[inline(always)]
            fn calloc(count: usize, size: usize) -> *mut u8 {
                $prepare
                <$heap>::calloc(count, size)
            }

            #[inline(always)]
            unsafe fn free(block: *mut u8) {
                // SAFETY: the caller's obligation.
                unsafe { <$heap>::free(block) };
            }

            #[inline(always)]
            unsafe fn free_sized(block: *mut u8, size: usize) {
                // SAFETY: the caller's obligation.
                unsafe { <$heap>::free_sized(block, size) };
            }

            #[inline(always)]
            unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
                $prepare
                // SAFETY: the caller's obligation.
                unsafe { <$heap>::realloc(block, size) }
            }

            #[inline(always)]
            fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
                $prepare
                <$heap>::aligned_alloc(align, size)
            }

            #[inline(always)]
            unsafe fn usable_size(block: *mut u8) -> usize {
                // SAFETY: the caller's obligation.
                unsafe { <$heap>::usable_size(block) }
            }

            #[inline(always)]
            fn good_size(size: usize) -> usize {
                <$heap>::good_size(size)
            }

            #[inline(always)]
            fn owns(address: *const u8) -> bool {
                <$heap>::owns(address)
            }

            #[inline(always)]
            fn purge() {
                <$heap>::purge();
            }
        }
    };
}

heap!(Arenite, {});
// The first call may come before any constructor has run: every call that can be the first prepares
// the heap, at the price of one store.
heap!(AreniteChecked, { AreniteChecked::prepare() });
