//! A control that prints nonsense: while it is loaded it writes half a JSON record, a zero byte and
//! what is no UTF-8 to standard output, and ends the process with status 0.
//!
//! Must show as a failed cell: a status of 0 without a whole report is no success.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export};

const NONSENSE: &[u8] =
    b"{\"schema\": 1, \"status\": \"ok\", \"wall_ns\": \0\xff\xfe}}\n{\"operations\n";

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = print_and_exit;

extern "C" fn print_and_exit() {
    // SAFETY: the text has the length given.
    unsafe { libc::write(libc::STDOUT_FILENO, NONSENSE.as_ptr().cast(), NONSENSE.len()) };
    // SAFETY: has no obligations.
    unsafe { libc::_exit(0) };
}

struct Garbage;

impl Allocator for Garbage {}

export!(Garbage);
