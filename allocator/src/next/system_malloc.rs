//! The C library's malloc as the next allocator.

use core::ptr;

use crate::next::NextAllocator;
use crate::sys;

/// The malloc family of the C library, or of whatever was preloaded in its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemMalloc;

// SAFETY: C's contract is the trait's; zero sizes are raised to one here.
unsafe impl NextAllocator for SystemMalloc {
    const NAME: &'static str = "system";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        // SAFETY: malloc may be called with any size.
        unsafe { sys::malloc(size.max(1)) }.cast()
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let (count, size) = if count == 0 || size == 0 { (1, 1) } else { (count, size) };
        // SAFETY: calloc may be called with any numbers and checks the product.
        unsafe { sys::calloc(count, size) }.cast()
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        let mut block = ptr::null_mut();
        // posix_memalign wants at least the size of a pointer.
        let align = align.max(size_of::<*mut u8>());
        // SAFETY: the slot is ours; a refusal is reported by the status.
        let status = unsafe { sys::posix_memalign(&raw mut block, align, size.max(1)) };
        if status == 0 { block.cast() } else { ptr::null_mut() }
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { sys::realloc(ptr.cast(), size.max(1)) }.cast()
    }

    unsafe fn free(&mut self, ptr: *mut u8) {
        // SAFETY: forwarded to the caller.
        unsafe { sys::free(ptr.cast()) };
    }

    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { sys::malloc_usable_size(ptr.cast()) }
    }
}
