//! Subjects linked from crates, and the system's malloc: their C functions in a table.
//!
//! None of the crates exports malloc, so that all of them live in one binary beside glibc's, and a
//! preloaded library still takes the place of `system`.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use crate::replay::allocator::FunctionTable;

/// The table of whatever serves `malloc` in this process: glibc, or a preloaded library.
pub(super) fn system() -> FunctionTable {
    FunctionTable {
        malloc: libc::malloc,
        calloc: libc::calloc,
        realloc: libc::realloc,
        aligned_alloc: system_aligned,
        free: libc::free,
        usable_size: Some(libc::malloc_usable_size),
    }
}

/// Every library that replaces malloc has `posix_memalign`; not every one has `aligned_alloc`.
unsafe extern "C" fn system_aligned(align: usize, size: usize) -> *mut c_void {
    let mut block = ptr::null_mut();
    // SAFETY: `block` is a place for the result.
    let error =
        unsafe { libc::posix_memalign(&raw mut block, align.max(size_of::<usize>()), size) };
    if error == 0 { block } else { ptr::null_mut() }
}

/// glibc's version, as it states it.
pub(super) fn glibc_version() -> String {
    // SAFETY: gnu_get_libc_version has no preconditions.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: it returns a static C string.
    let version = unsafe { CStr::from_ptr(version) };
    format!("glibc {}", version.to_string_lossy())
}

pub(super) fn mimalloc() -> FunctionTable {
    FunctionTable {
        malloc: libmimalloc_sys::mi_malloc,
        calloc: libmimalloc_sys::mi_calloc,
        realloc: libmimalloc_sys::mi_realloc,
        aligned_alloc: libmimalloc_sys::mi_aligned_alloc,
        free: libmimalloc_sys::mi_free,
        usable_size: Some(mimalloc_usable_size),
    }
}

unsafe extern "C" fn mimalloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the caller's obligation: a live block of mimalloc.
    unsafe { libmimalloc_sys::mi_usable_size(block) }
}

/// mimalloc's version, as it states it: major, minor and patch in decimal digits.
pub(super) fn mimalloc_version() -> String {
    // SAFETY: mi_version has no preconditions.
    let version = unsafe { libmimalloc_sys::mi_version() };
    if version >= 10_000 {
        format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100)
    } else {
        format!("{}.{}.{}", version / 100, version / 10 % 10, version % 10)
    }
}

pub(super) fn jemalloc() -> FunctionTable {
    FunctionTable {
        malloc: tikv_jemalloc_sys::malloc,
        calloc: tikv_jemalloc_sys::calloc,
        realloc: tikv_jemalloc_sys::realloc,
        aligned_alloc: tikv_jemalloc_sys::aligned_alloc,
        free: tikv_jemalloc_sys::free,
        usable_size: Some(jemalloc_usable_size),
    }
}

unsafe extern "C" fn jemalloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the caller's obligation: a live block of jemalloc.
    unsafe { tikv_jemalloc_sys::malloc_usable_size(block) }
}

/// jemalloc's version, as its control interface states it, without the commit.
pub(super) fn jemalloc_version() -> String {
    let mut version: *const c_char = ptr::null();
    let mut len = size_of::<*const c_char>();
    // SAFETY: `version` in jemalloc's name space is a pointer to a static C string.
    let error = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"version".as_ptr(),
            (&raw mut version).cast(),
            &raw mut len,
            ptr::null_mut(),
            0,
        )
    };
    if error != 0 || version.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: the call succeeded, so `version` points to a static C string.
    let text = unsafe { CStr::from_ptr(version) }.to_string_lossy();
    text.split('-').next().unwrap_or(&text).to_owned()
}

pub(super) fn snmalloc() -> FunctionTable {
    FunctionTable {
        malloc: snmalloc_sys::sn_malloc,
        calloc: snmalloc_sys::sn_calloc,
        realloc: snmalloc_sys::sn_realloc,
        aligned_alloc: snmalloc_aligned,
        free: snmalloc_sys::sn_free,
        usable_size: Some(snmalloc_usable_size),
    }
}

unsafe extern "C" fn snmalloc_aligned(align: usize, size: usize) -> *mut c_void {
    // SAFETY: the alignment is a power of two; sn_free takes blocks of either interface.
    unsafe { snmalloc_sys::sn_rust_alloc(align, size.max(1)) }
}

unsafe extern "C" fn snmalloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the caller's obligation: a live block of snmalloc.
    unsafe { snmalloc_sys::sn_malloc_usable_size(block) }
}

/// rpmalloc must be told when it begins.
pub(super) fn rpmalloc() -> FunctionTable {
    // SAFETY: called before any other of its functions; calling it again changes nothing.
    unsafe { rpmalloc_sys::rpmalloc_initialize() };
    FunctionTable {
        malloc: rpmalloc_sys::rpmalloc,
        calloc: rpmalloc_sys::rpcalloc,
        realloc: rpmalloc_sys::rprealloc,
        aligned_alloc: rpmalloc_sys::rpaligned_alloc,
        free: rpmalloc_sys::rpfree,
        usable_size: Some(rpmalloc_sys::rpmalloc_usable_size),
    }
}
