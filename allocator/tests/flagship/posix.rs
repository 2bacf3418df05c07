//! The functions of the C library that the tests call, each as a safe function.

use std::ffi::{c_int, c_uint};

/// `struct rlimit`.
#[repr(C)]
struct Limit {
    soft: u64,
    hard: u64,
}

unsafe extern "C" {
    fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    #[link_name = "alarm"]
    fn c_alarm(seconds: c_uint) -> c_uint;
}

/// `RLIMIT_CORE`.
const CORE: c_int = 4;

fn limit(resource: c_int, bytes: u64) {
    // SAFETY: the limit is readable.
    let refused = unsafe { setrlimit(resource, &Limit { soft: bytes, hard: bytes }) };
    assert_eq!(refused, 0);
}

/// A process that aborts on purpose leaves no core file.
pub(crate) fn leave_no_core() {
    limit(CORE, 0);
}

/// Ends the process by a signal when it takes longer.
pub(crate) fn alarm(seconds: u32) {
    // SAFETY: no preconditions; no handler is set, so that the signal ends the process.
    unsafe { c_alarm(seconds) };
}
