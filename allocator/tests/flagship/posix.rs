//! The functions of the C library that the tests call, each as a safe function.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

/// `struct rlimit`.
#[repr(C)]
struct Limit {
    soft: u64,
    hard: u64,
}

unsafe extern "C" {
    fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    #[link_name = "alarm"]
    fn c_alarm(seconds: c_uint) -> c_uint;
    #[link_name = "fork"]
    fn c_fork() -> c_int;
    fn waitpid(child: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
    fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int;
    fn atexit(function: extern "C" fn()) -> c_int;
    fn pthread_key_create(
        key: *mut c_uint,
        destructor: Option<extern "C" fn(*mut c_void)>,
    ) -> c_int;
    fn pthread_setspecific(key: c_uint, value: *const c_void) -> c_int;
}

/// `RLIMIT_DATA`.
const DATA: c_int = 2;
/// `RLIMIT_CORE`.
const CORE: c_int = 4;
/// `RLIMIT_AS`.
const ADDRESS_SPACE: c_int = 9;

fn limit(resource: c_int, bytes: u64) {
    // SAFETY: the limit is readable.
    let refused = unsafe { setrlimit(resource, &Limit { soft: bytes, hard: bytes }) };
    assert_eq!(refused, 0);
}

/// A process that aborts on purpose leaves no core file.
pub(crate) fn leave_no_core() {
    limit(CORE, 0);
}

/// Bytes of address space that the process may have.
pub(crate) fn limit_address_space(bytes: u64) {
    limit(ADDRESS_SPACE, bytes);
}

/// Bytes of writable memory of its own that the process may have; what is only reserved is free.
pub(crate) fn limit_data(bytes: u64) {
    limit(DATA, bytes);
}

/// Asks for huge pages in part of a mapping, which becomes one of its own for that.
pub(crate) fn advise_huge_pages(start: *mut u8, bytes: usize) {
    /// `MADV_HUGEPAGE`.
    const HUGE_PAGE: c_int = 14;
    // SAFETY: advice changes no contents.
    let refused = unsafe { madvise(start.cast(), bytes, HUGE_PAGE) };
    assert_eq!(refused, 0);
}

/// Sets a variable of the environment, in a process where no other thread reads it.
pub(crate) fn set_environment(name: &CStr, value: &CStr) {
    // SAFETY: both are strings, and copied.
    assert_eq!(unsafe { setenv(name.as_ptr(), value.as_ptr(), 1) }, 0);
}

/// Ends the process by a signal when it takes longer.
pub(crate) fn alarm(seconds: u32) {
    // SAFETY: no preconditions; no handler is set, so that the signal ends the process.
    unsafe { c_alarm(seconds) };
}

/// The key of [`make_late_key`].
static LATE_KEY: AtomicU32 = AtomicU32::new(0);

/// Makes a key of thread-specific data with this destructor.
pub(crate) fn make_late_key(destructor: extern "C" fn(*mut c_void)) {
    let mut key = 0;
    // SAFETY: `key` is a place for the answer.
    assert_eq!(unsafe { pthread_key_create(&raw mut key, Some(destructor)) }, 0);
    LATE_KEY.store(key, Ordering::Relaxed);
}

/// Sets the calling thread's value, which its destructor will get.
pub(crate) fn set_late_value(value: *mut c_void) {
    // SAFETY: the key was made.
    assert_eq!(unsafe { pthread_setspecific(LATE_KEY.load(Ordering::Relaxed), value) }, 0);
}

/// Calls the function when the process ends.
pub(crate) fn at_exit(function: extern "C" fn()) {
    // SAFETY: a function for the life of the process.
    assert_eq!(unsafe { atexit(function) }, 0);
}

/// Which of the two processes goes on.
pub(crate) enum Forked {
    /// The new one.
    Child,
    /// The old one.
    Parent(Child),
}

/// A process that was forked.
pub(crate) struct Child(c_int);

/// Forks.
pub(crate) fn fork() -> Forked {
    // SAFETY: what the tests do in the child needs no lock but the heap's.
    match unsafe { c_fork() } {
        0 => Forked::Child,
        child => {
            assert!(child > 0, "fork");
            Forked::Parent(Child(child))
        }
    }
}

impl Child {
    /// Waits for the process; its exit status, or 256 and the signal that ended it.
    pub(crate) fn wait(self) -> i32 {
        let mut status = 0;
        // SAFETY: `status` is a place for the answer.
        assert_eq!(unsafe { waitpid(self.0, &raw mut status, 0) }, self.0);
        let (signal, exit) = (status & 127, status >> 8 & 255);
        if signal == 0 { exit } else { 256 + signal }
    }
}

/// Ends the process at once, without what is to happen at exit.
pub(crate) fn end(status: i32) -> ! {
    // SAFETY: no preconditions.
    unsafe { _exit(status) }
}
