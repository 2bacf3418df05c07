//! glibc's own malloc as the next allocator, whoever has taken the place of `malloc`.
//!
//! A library that exports `malloc` reaches itself by that name. glibc exports its functions under a
//! second name each, but for `malloc_usable_size`, which is looked up behind the calling library.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::next::NextAllocator;
use crate::sys;

/// glibc's malloc family by its other names. Memcheck intercepts these as well.
#[derive(Clone, Copy, Debug, Default)]
pub struct GlibcMalloc;

/// `malloc_usable_size` behind this library; null before it was looked up, or where it is missing.
static USABLE_SIZE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

fn usable_size_behind(block: *mut c_void) -> usize {
    type Function = unsafe extern "C" fn(*mut c_void) -> usize;
    // Acquire and release: the function's code was there before its address.
    let mut address = USABLE_SIZE.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: a handle that is always valid and a string that ends in zero.
        address = unsafe { sys::dlsym(sys::RTLD_NEXT, c"malloc_usable_size".as_ptr()) };
        USABLE_SIZE.store(address, Ordering::Release);
    }
    // SAFETY: null, or the C library's function of that name, which has this type.
    let function = unsafe { core::mem::transmute::<*mut c_void, Option<Function>>(address) };
    // SAFETY: a live block of that allocator, by the trait's contract.
    function.map_or(0, |function| unsafe { function(block) })
}

// SAFETY: C's contract is the trait's; zero sizes are raised to one here.
unsafe impl NextAllocator for GlibcMalloc {
    const NAME: &'static str = "glibc";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        // SAFETY: malloc may be called with any size.
        unsafe { sys::__libc_malloc(size.max(1)) }.cast()
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let (count, size) = if count == 0 || size == 0 { (1, 1) } else { (count, size) };
        // SAFETY: calloc may be called with any numbers and checks the product.
        unsafe { sys::__libc_calloc(count, size) }.cast()
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        // SAFETY: memalign may be called with any size and a power of two.
        unsafe { sys::__libc_memalign(align, size.max(1)) }.cast()
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { sys::__libc_realloc(ptr.cast(), size.max(1)) }.cast()
    }

    unsafe fn free(&mut self, ptr: *mut u8) {
        // SAFETY: forwarded to the caller.
        unsafe { sys::__libc_free(ptr.cast()) };
    }

    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        usable_size_behind(ptr.cast())
    }
}
