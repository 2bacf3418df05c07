//! The C library's mapping functions, as this binary defines them.
//!
//! The linker prefers them to those of the C library, whose own calls do not come here. Only calls
//! of the thread that runs a script are counted.

use std::arch::asm;
use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};

/// The calls that fail, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) from: usize,
    pub(crate) until: usize,
}

thread_local! {
    static REFUSED: Cell<Option<Refused>> = const { Cell::new(None) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Runs the script with these calls refused; the number of calls it made.
pub(crate) fn refusing(refused: Refused, script: impl FnOnce()) -> usize {
    CALLS.set(0);
    REFUSED.set(Some(refused));
    script();
    REFUSED.set(None);
    CALLS.get()
}

/// Lets the thread go on while calls are not counted: what a test needs for itself.
pub(crate) fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let refused = REFUSED.replace(None);
    let result = work();
    REFUSED.set(refused);
    result
}

/// Counts a call; whether it fails.
fn is_refused() -> bool {
    let Some(refused) = REFUSED.get() else { return false };
    let number = CALLS.replace(CALLS.get() + 1);
    (refused.from..refused.until).contains(&number)
}

const ENOMEM: c_long = 12;
const MMAP: c_long = 9;
const MPROTECT: c_long = 10;
const MUNMAP: c_long = 11;
const MREMAP: c_long = 25;
const MADVISE: c_long = 28;

unsafe extern "C" {
    fn __errno_location() -> *mut c_int;
}

/// # Safety
/// As for the system call.
unsafe fn system_call(number: c_long, arguments: [usize; 6]) -> c_long {
    let [a, b, c, d, e, f] = arguments;
    let result: c_long;
    // SAFETY: the caller's obligation.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The call as the C library makes it: -1, with `errno` set, on failure.
///
/// # Safety
/// As for the system call.
unsafe fn call(number: c_long, refuse: bool, arguments: [usize; 6]) -> c_long {
    let result = if refuse {
        -ENOMEM
    } else {
        // SAFETY: the caller's obligation.
        unsafe { system_call(number, arguments) }
    };
    if !(-4095..0).contains(&result) {
        return result;
    }
    // SAFETY: the location is the thread's own.
    let location = unsafe { __errno_location() };
    // SAFETY: as above.
    unsafe { location.write(-result as c_int) };
    -1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    addr: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: c_long,
) -> *mut c_void {
    let place = [protection as usize, flags as usize, fd as usize, offset as usize];
    let arguments = [addr.addr(), length, place[0], place[1], place[2], place[3]];
    // SAFETY: the caller's obligation.
    let result = unsafe { call(MMAP, is_refused(), arguments) };
    std::ptr::with_exposed_provenance_mut(result as usize)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mprotect(addr: *mut c_void, length: usize, protection: c_int) -> c_int {
    let arguments = [addr.addr(), length, protection as usize, 0, 0, 0];
    // SAFETY: the caller's obligation.
    unsafe { call(MPROTECT, is_refused(), arguments) as c_int }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(addr: *mut c_void, length: usize, advice: c_int) -> c_int {
    let arguments = [addr.addr(), length, advice as usize, 0, 0, 0];
    // SAFETY: the caller's obligation.
    unsafe { call(MADVISE, is_refused(), arguments) as c_int }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    addr: *mut c_void,
    old: usize,
    new: usize,
    flags: c_int,
    place: *mut c_void,
) -> *mut c_void {
    let arguments = [addr.addr(), old, new, flags as usize, place.addr(), 0];
    // SAFETY: the caller's obligation.
    let result = unsafe { call(MREMAP, is_refused(), arguments) };
    std::ptr::with_exposed_provenance_mut(result as usize)
}

/// Never refused: the heap has no way to go on from there but to leave the memory mapped.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(addr: *mut c_void, length: usize) -> c_int {
    // SAFETY: the caller's obligation.
    unsafe { call(MUNMAP, false, [addr.addr(), length, 0, 0, 0, 0]) as c_int }
}
