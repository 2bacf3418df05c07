//! The function that every new serial number goes through, for a debugger to stop in.

use core::hint::black_box;

/// Called with each serial number as it is given out; does nothing.
///
/// A breakpoint here, with a condition on the argument, stops at the birth of the block that a
/// report names. [`DebugHooks::break_at`](crate::DebugHooks::break_at) needs no debugger to set.
#[inline(never)]
pub extern "C" fn arenite_serial_number(serial: u64) {
    black_box(serial);
}
