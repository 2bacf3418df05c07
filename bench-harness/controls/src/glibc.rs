//! The honest allocator behind every control: glibc's own, under the names nobody interposes.

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

// Names the C library itself: the libc crate leaves that to std whenever another package of the
// build turns its `std` feature on, and the controls have no std.
#[link(name = "c")]
unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
}

/// glibc's `malloc`.
#[inline]
#[must_use]
pub fn malloc(size: usize) -> *mut c_void {
    // SAFETY: has no obligations.
    unsafe { __libc_malloc(size) }
}

/// glibc's `calloc`.
#[inline]
#[must_use]
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: has no obligations.
    unsafe { __libc_calloc(count, size) }
}

/// glibc's `realloc`.
///
/// # Safety
/// `block` is null or a live block of glibc's.
#[inline]
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { __libc_realloc(block, size) }
}

/// glibc's `free`.
///
/// # Safety
/// `block` is null or a live block of glibc's.
#[inline]
pub unsafe fn free(block: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { __libc_free(block) };
}

/// glibc's `memalign`; null with `errno` EINVAL or ENOMEM when it cannot serve.
#[inline]
#[must_use]
pub fn memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: has no obligations.
    unsafe { __libc_memalign(align, size) }
}

/// glibc's `malloc_usable_size`, which has no second name and is looked up behind the control.
///
/// # Safety
/// `block` is null or a live block of glibc's.
#[must_use]
pub unsafe fn usable_size(block: *mut c_void) -> usize {
    type Signature = unsafe extern "C" fn(*mut c_void) -> usize;
    static ADDRESS: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
    let mut address = ADDRESS.load(Relaxed);
    if address.is_null() {
        // SAFETY: a string and a handle that is always valid.
        address = unsafe { libc::dlsym(libc::RTLD_NEXT, c"malloc_usable_size".as_ptr()) };
        ADDRESS.store(address, Relaxed);
    }
    if address.is_null() {
        return 0;
    }
    // SAFETY: the function of this name has this signature.
    let function = unsafe { transmute::<*mut c_void, Signature>(address) };
    // SAFETY: the caller's promise.
    unsafe { function(block) }
}
