//! A next allocator that sees through its callers: exact usable sizes, and bytes behind each block
//! that nobody may read.

use arenite::{NextAllocator, SystemMalloc};

/// Room that every block occupies, whatever was asked for, up to this size.
const SLOT_BYTES: usize = 2048;
/// What stands in a slot where nobody wrote.
pub(crate) const BEYOND: u8 = 0xee;
/// The word before a block, which holds its size.
const PREFIX_BYTES: usize = 16;

/// Serves every request from a slot filled with [`BEYOND`]. Reports as usable what was asked for,
/// and fails the test when it is asked for more than the largest object.
#[derive(Default)]
pub(crate) struct SlottedNext {
    system: SystemMalloc,
}

// SAFETY: blocks lie in blocks of the system malloc, 16 bytes in, which keeps them aligned.
unsafe impl NextAllocator for SlottedNext {
    const NAME: &'static str = "slotted";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        assert!(size <= isize::MAX as usize, "asked for {size} bytes");
        let size = size.max(1);
        let room = PREFIX_BYTES + size.max(SLOT_BYTES);
        let slot = self.system.malloc(room);
        assert!(!slot.is_null());
        // SAFETY: a fresh block of this size.
        unsafe { slot.write_bytes(BEYOND, room) };
        // SAFETY: as above, and aligned to 16.
        unsafe { slot.cast::<usize>().write(size) };
        slot.wrapping_add(PREFIX_BYTES)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let total = count.checked_mul(size).expect("the product was checked before");
        let block = self.malloc(total);
        // SAFETY: a fresh block of this size.
        unsafe { block.write_bytes(0, total) };
        block
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        assert!(size <= isize::MAX as usize && align <= PREFIX_BYTES, "not needed here");
        self.malloc(size)
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        let moved = self.malloc(size);
        // SAFETY: a live block (caller).
        let kept = unsafe { self.usable_size(ptr) }.min(size);
        // SAFETY: two live blocks of at least this size.
        unsafe { ptr.copy_to_nonoverlapping(moved, kept) };
        // SAFETY: dead from here on.
        unsafe { self.free(ptr) };
        moved
    }

    unsafe fn free(&mut self, ptr: *mut u8) {
        // SAFETY: the slot of a live block (caller).
        unsafe { self.system.free(ptr.wrapping_sub(PREFIX_BYTES)) };
    }

    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: the word before a live block (caller) holds its size.
        unsafe { ptr.wrapping_sub(PREFIX_BYTES).cast::<usize>().read() }
    }
}
