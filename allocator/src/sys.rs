//! The C library functions that the system-backed instances and the flagship heap call.
//!
//! This is the only file that declares foreign functions. The arena sources (`source/`), the next
//! allocators (`next/`) and `ownership/cookie.rs` call them, of the flagship heap `os.rs`, `fatal.rs`,
//! `threads.rs`, `fork.rs` and `settings.rs`, `watch/client_heap.rs`, and `hooks.rs` to report and
//! stop; the classic heap itself never does. The declarations
//! follow the POSIX and glibc manual pages.

use core::ffi::{c_char, c_int, c_long, c_uint, c_void};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("arenite knows the constants of 64-bit Linux only");

/// `PROT_READ | PROT_WRITE`.
pub(crate) const PROT_READ_WRITE: c_int = 0x1 | 0x2;
/// `MAP_PRIVATE | MAP_ANONYMOUS`.
pub(crate) const MAP_PRIVATE_ANONYMOUS: c_int = 0x02 | 0x20;
/// `ENOMEM`.
pub(crate) const ENOMEM: c_int = 12;
/// `PROT_NONE`.
pub(crate) const PROT_NONE: c_int = 0;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`.
pub(crate) const MAP_RESERVATION: c_int = MAP_PRIVATE_ANONYMOUS | 0x4000;
/// `MADV_DONTNEED`.
pub(crate) const MADV_DONTNEED: c_int = 4;
/// `SIGTRAP`.
pub(crate) const SIGTRAP: c_int = 5;
/// `MADV_HUGEPAGE`.
pub(crate) const MADV_HUGEPAGE: c_int = 14;
/// Bytes of the huge pages that `MAP_HUGE_PAGES` asks for.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB`.
pub(crate) const MAP_HUGE_PAGES: c_int = MAP_PRIVATE_ANONYMOUS | 0x4_0000 | 21 << 26;
/// Number of the system call `getrandom`.
pub(crate) const SYS_GETRANDOM: c_long = if cfg!(target_arch = "x86_64") { 318 } else { 278 };
/// `MREMAP_MAYMOVE`.
pub(crate) const MREMAP_MAYMOVE: c_int = 1;
/// Number of the system call `futex`.
pub(crate) const SYS_FUTEX: c_long = if cfg!(target_arch = "x86_64") { 202 } else { 98 };
/// `FUTEX_WAIT_PRIVATE`.
pub(crate) const FUTEX_WAIT_PRIVATE: c_int = 128;
/// `FUTEX_WAKE_PRIVATE`.
pub(crate) const FUTEX_WAKE_PRIVATE: c_int = 129;
/// `RLIMIT_AS`.
pub(crate) const RLIMIT_AS: c_int = 9;
/// What `mmap` returns instead of null when it fails: all bits set.
pub(crate) const MAP_FAILED_ADDR: usize = usize::MAX;

/// `RTLD_NEXT`.
pub(crate) const RTLD_NEXT: *mut c_void = usize::MAX as *mut c_void;

/// `struct rlimit`.
#[repr(C)]
pub(crate) struct Limit {
    pub(crate) soft: u64,
    pub(crate) hard: u64,
}

unsafe extern "C" {
    pub(crate) static environ: *const *const c_char;
    pub(crate) fn __errno_location() -> *mut c_int;
    pub(crate) fn abort() -> !;
    pub(crate) fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    pub(crate) fn getpid() -> c_int;
    pub(crate) fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
    pub(crate) fn madvise(addr: *mut c_void, length: usize, advice: c_int) -> c_int;
    pub(crate) fn mprotect(addr: *mut c_void, length: usize, protection: c_int) -> c_int;
    pub(crate) fn mremap(
        addr: *mut c_void,
        old: usize,
        new: usize,
        flags: c_int,
        ...
    ) -> *mut c_void;
    pub(crate) fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
    pub(crate) fn pthread_key_create(
        key: *mut c_uint,
        destructor: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
    pub(crate) fn pthread_setspecific(key: c_uint, value: *const c_void) -> c_int;
    pub(crate) fn raise(signal: c_int) -> c_int;
    pub(crate) fn sched_yield() -> c_int;
    pub(crate) fn syscall(number: c_long, ...) -> c_long;
    pub(crate) fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize;
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

    // The C library's own, whoever has taken the place of `malloc`.
    pub(crate) fn __libc_malloc(size: usize) -> *mut c_void;
    pub(crate) fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    pub(crate) fn __libc_realloc(ptr: *mut c_void, size: usize) -> *mut c_void;
    pub(crate) fn __libc_free(ptr: *mut c_void);
    pub(crate) fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
}
