//! The C library functions that a door needs: the error number that C functions leave behind, and
//! the end.

use core::ffi::{c_int, c_void};
use core::ptr;

/// Out of memory.
pub(crate) const ENOMEM: c_int = 12;
/// Invalid argument.
pub(crate) const EINVAL: c_int = 22;

// Names the C library itself: without std nobody else does.
#[link(name = "c")]
unsafe extern "C" {
    fn __errno_location() -> *mut c_int;
    #[link_name = "abort"]
    fn c_abort() -> !;
}

/// The calling thread's error number.
pub(crate) fn get() -> c_int {
    // SAFETY: has no obligations.
    let place = unsafe { __errno_location() };
    // SAFETY: the calling thread's own errno.
    unsafe { place.read() }
}

/// Sets the calling thread's error number.
pub(crate) fn set(errno: c_int) {
    // SAFETY: has no obligations.
    let place = unsafe { __errno_location() };
    // SAFETY: the calling thread's own errno.
    unsafe { place.write(errno) };
}

/// Null, with `errno` ENOMEM.
#[cold]
#[inline(never)]
pub(crate) extern "C" fn out_of_memory() -> *mut c_void {
    set(ENOMEM);
    ptr::null_mut()
}

/// Null, with `errno` EINVAL.
#[cold]
#[inline(never)]
pub(crate) extern "C" fn invalid() -> *mut c_void {
    set(EINVAL);
    ptr::null_mut()
}

/// The block; `errno` becomes ENOMEM when it is null.
#[inline]
pub fn or_enomem(block: *mut u8) -> *mut u8 {
    if block.is_null() { out_of_memory().cast() } else { block }
}

/// Runs `call` and puts `errno` back.
#[inline]
pub fn keeping_errno<T>(call: impl FnOnce() -> T) -> T {
    let errno = get();
    let result = call();
    set(errno);
    result
}

/// Ends the process.
pub fn abort() -> ! {
    // SAFETY: has no obligations.
    unsafe { c_abort() }
}
