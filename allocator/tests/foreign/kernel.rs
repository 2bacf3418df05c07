//! What the kernel and the C library are asked beside `posix.rs`: which memory can be read, where the
//! vdso is, mappings with and without access.

use std::ffi::{c_int, c_long, c_ulong, c_void};
use std::ptr;

unsafe extern "C" {
    fn getauxval(kind: c_ulong) -> c_ulong;
    fn syscall(number: c_long, ...) -> c_long;
    fn signal(signal: c_int, handler: usize) -> usize;
    fn mmap(
        addr: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(addr: *mut c_void, length: usize) -> c_int;
}

/// Size of the smallest OS page there is, in bytes.
pub(crate) const OS_PAGE_BYTES: usize = 4096;
/// `AT_SYSINFO_EHDR`.
const VDSO: c_ulong = 33;
/// Number of the system call `rt_sigprocmask`.
const SIGNAL_MASK: c_long = if cfg!(target_arch = "x86_64") { 14 } else { 135 };
/// No way to change a mask: the call fails once it has read its argument.
const NO_CHANGE: c_long = -1;
/// `SIGBUS` and `SIGSEGV`.
pub(crate) const FAULTS: [c_int; 2] = [7, 11];
const PROT_NONE: c_int = 0;
const PROT_READ_WRITE: c_int = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS`.
const PRIVATE_ANONYMOUS: c_int = 0x02 | 0x20;
/// `MAP_FIXED_NOREPLACE`.
const AT_THIS_PLACE: c_int = 0x10_0000;

/// Whether the OS page of `addr` can be read now.
///
/// The kernel copies a signal mask from there and then finds that it was told no change to make:
/// `EFAULT` if it could not read, `EINVAL` if it could. Nothing is mapped or written, and every
/// address may be asked about. Not the first word, for a mask at address 0 counts as none.
pub(crate) fn is_readable(addr: usize) -> bool {
    const EFAULT: i32 = 14;
    let word = addr & !(OS_PAGE_BYTES - 1) | 8;
    let mask = ptr::without_provenance::<c_void>(word);
    let (old, bytes) = (ptr::null::<c_void>(), 8_usize);
    // SAFETY: the call never succeeds, so it changes nothing; a bad address is its answer.
    let status = unsafe { syscall(SIGNAL_MASK, NO_CHANGE, mask, old, bytes) };
    assert_eq!(status, -1, "no mask was changed");
    std::io::Error::last_os_error().raw_os_error() != Some(EFAULT)
}

/// Address of the kernel's own code in this process, if it has any.
pub(crate) fn vdso() -> Option<usize> {
    // SAFETY: no preconditions.
    let addr = unsafe { getauxval(VDSO) } as usize;
    (addr != 0).then_some(addr)
}

/// A read from where nothing can be read ends the process, as if Rust had no say in it.
pub(crate) fn die_by_faults() {
    for number in FAULTS {
        // SAFETY: the default action, 0, is always there.
        unsafe { signal(number, 0) };
    }
}

fn map(addr: usize, bytes: usize, protection: c_int, flags: c_int) -> *mut u8 {
    let place = ptr::without_provenance_mut(addr);
    // SAFETY: a new anonymous mapping that replaces nothing.
    unsafe { mmap(place, bytes, protection, PRIVATE_ANONYMOUS | flags, -1, 0) }.cast()
}

/// Writable zeros at exactly this place; `None` where that cannot be had.
pub(crate) fn map_at(addr: usize, bytes: usize) -> Option<*mut u8> {
    let base = map(addr, bytes, PROT_READ_WRITE, AT_THIS_PLACE);
    (base.addr() == addr).then_some(base)
}

/// Addresses that are taken, and that nobody can read.
pub(crate) fn map_inaccessible(bytes: usize) -> usize {
    let base = map(0, bytes, PROT_NONE, 0).addr();
    assert_ne!(base, usize::MAX, "address space");
    base
}

/// Addresses that were mapped a moment ago and are not any more.
pub(crate) fn map_and_unmap(bytes: usize) -> usize {
    let base = map(0, bytes, PROT_READ_WRITE, 0);
    // SAFETY: mapped above, and never used.
    assert_eq!(unsafe { munmap(base.cast(), bytes) }, 0);
    base.addr()
}

#[test]
fn the_kernel_tells_which_memory_can_be_read() {
    let on_stack = 0_u64;
    assert!(is_readable((&raw const on_stack).addr()));
    assert!(is_readable((is_readable as fn(usize) -> bool as *const u8).addr()));
    for addr in [0, 8, map_inaccessible(OS_PAGE_BYTES), 1 << 47, 1 << 62, usize::MAX] {
        assert!(!is_readable(addr), "{addr:#x}");
    }
}
