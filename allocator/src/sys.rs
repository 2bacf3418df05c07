//! The C library functions that the system-backed instances call, and nothing else.
//!
//! This is the only file that declares foreign functions. `source/mmap.rs`, `source/malloc.rs` and
//! `next/system_malloc.rs` call them; the heap itself never does. The declarations follow the
//! POSIX and glibc manual pages.

use core::ffi::{c_int, c_long, c_void};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("arenite knows the constants of 64-bit Linux only");

/// `PROT_READ | PROT_WRITE`.
pub(crate) const PROT_READ_WRITE: c_int = 0x1 | 0x2;
/// `MAP_PRIVATE | MAP_ANONYMOUS`.
pub(crate) const MAP_PRIVATE_ANONYMOUS: c_int = 0x02 | 0x20;
/// What `mmap` returns instead of null when it fails: all bits set.
pub(crate) const MAP_FAILED_ADDR: usize = usize::MAX;

unsafe extern "C" {
    pub(crate) fn mmap(
        addr: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    pub(crate) fn munmap(addr: *mut c_void, length: usize) -> c_int;
    pub(crate) fn malloc(size: usize) -> *mut c_void;
    pub(crate) fn calloc(count: usize, size: usize) -> *mut c_void;
    pub(crate) fn realloc(ptr: *mut c_void, size: usize) -> *mut c_void;
    pub(crate) fn free(ptr: *mut c_void);
    pub(crate) fn malloc_usable_size(ptr: *mut c_void) -> usize;
    pub(crate) fn posix_memalign(slot: *mut *mut c_void, align: usize, size: usize) -> c_int;
}
