//! The exported functions of a control, from the five or six that it may do wrong.

use crate::glibc;
use core::ffi::{c_int, c_void};

/// An allocator on top of glibc's; what it does not define is glibc's.
///
/// A control that hands out addresses glibc does not know defines every function that takes one.
pub trait Allocator {
    /// C `malloc`.
    #[must_use]
    fn malloc(size: usize) -> *mut c_void {
        glibc::malloc(size)
    }

    /// C `calloc`.
    #[must_use]
    fn calloc(count: usize, size: usize) -> *mut c_void {
        glibc::calloc(count, size)
    }

    /// C `realloc`.
    ///
    /// # Safety
    /// `block` is null or live.
    unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { glibc::realloc(block, size) }
    }

    /// C `free`.
    ///
    /// # Safety
    /// `block` is null or live.
    unsafe fn free(block: *mut c_void) {
        // SAFETY: the caller's promise.
        unsafe { glibc::free(block) };
    }

    /// Aligned allocation of every kind; `align` is as the caller gave it.
    #[must_use]
    fn memalign(align: usize, size: usize) -> *mut c_void {
        glibc::memalign(align, size)
    }

    /// `malloc_usable_size`.
    ///
    /// # Safety
    /// `block` is null or live.
    #[must_use]
    unsafe fn usable_size(block: *mut c_void) -> usize {
        // SAFETY: the caller's promise.
        unsafe { glibc::usable_size(block) }
    }
}

/// `posix_memalign` by way of [`Allocator::memalign`].
///
/// # Safety
/// `place` is writable.
pub unsafe fn posix_memalign<A: Allocator>(
    place: *mut *mut c_void,
    align: usize,
    size: usize,
) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    let block = A::memalign(align, size);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { *place = block };
    0
}

/// `reallocarray` by way of [`Allocator::realloc`]; a product that overflows is too large for any.
///
/// # Safety
/// `block` is null or live.
pub unsafe fn reallocarray<A: Allocator>(
    block: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { A::realloc(block, count.saturating_mul(size)) }
}

/// Bytes of an OS page.
#[must_use]
pub fn page_bytes() -> usize {
    // SAFETY: has no obligations.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Exports malloc and its family from a preload library, served by an [`Allocator`].
#[macro_export]
macro_rules! export {
    ($allocator:ty) => {
        $crate::panic_handler!();

        #[unsafe(no_mangle)]
        extern "C" fn malloc(size: usize) -> *mut core::ffi::c_void {
            <$allocator as $crate::Allocator>::malloc(size)
        }
        #[unsafe(no_mangle)]
        extern "C" fn calloc(count: usize, size: usize) -> *mut core::ffi::c_void {
            <$allocator as $crate::Allocator>::calloc(count, size)
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn realloc(
            block: *mut core::ffi::c_void,
            size: usize,
        ) -> *mut core::ffi::c_void {
            // SAFETY: the caller's promise.
            unsafe { <$allocator as $crate::Allocator>::realloc(block, size) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn reallocarray(
            block: *mut core::ffi::c_void,
            count: usize,
            size: usize,
        ) -> *mut core::ffi::c_void {
            // SAFETY: the caller's promise.
            unsafe { $crate::door::reallocarray::<$allocator>(block, count, size) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn free(block: *mut core::ffi::c_void) {
            // SAFETY: the caller's promise.
            unsafe { <$allocator as $crate::Allocator>::free(block) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn posix_memalign(
            place: *mut *mut core::ffi::c_void,
            align: usize,
            size: usize,
        ) -> core::ffi::c_int {
            // SAFETY: the caller's promise.
            unsafe { $crate::door::posix_memalign::<$allocator>(place, align, size) }
        }
        #[unsafe(no_mangle)]
        extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut core::ffi::c_void {
            <$allocator as $crate::Allocator>::memalign(align, size)
        }
        #[unsafe(no_mangle)]
        extern "C" fn memalign(align: usize, size: usize) -> *mut core::ffi::c_void {
            <$allocator as $crate::Allocator>::memalign(align, size)
        }
        #[unsafe(no_mangle)]
        extern "C" fn valloc(size: usize) -> *mut core::ffi::c_void {
            <$allocator as $crate::Allocator>::memalign($crate::door::page_bytes(), size)
        }
        #[unsafe(no_mangle)]
        extern "C" fn pvalloc(size: usize) -> *mut core::ffi::c_void {
            let page = $crate::door::page_bytes();
            let size = size.checked_next_multiple_of(page).unwrap_or(size);
            <$allocator as $crate::Allocator>::memalign(page, size)
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn malloc_usable_size(block: *mut core::ffi::c_void) -> usize {
            // SAFETY: the caller's promise.
            unsafe { <$allocator as $crate::Allocator>::usable_size(block) }
        }
    };
}

/// What a library without std needs to be one. Tests build the controls with std, which has its
/// own; without it they build in a fraction of the time and bring nothing into the process.
#[macro_export]
macro_rules! panic_handler {
    () => {
        #[cfg(panic = "abort")]
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::door::abort()
        }
    };
}

/// Ends the process.
pub fn abort() -> ! {
    // SAFETY: has no obligations.
    unsafe { libc::abort() }
}
