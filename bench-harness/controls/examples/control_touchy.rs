//! A control that ends every program in whose environment there is a variable of four thousand bytes and more.
//! Nothing else is wrong with it.
//!
//! Must be caught by the C contract, which starts programs in odd environments; every other child has an
//! ordinary one.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, export, glibc};
use core::ffi::{CStr, c_char, c_void};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

const LONG: usize = 4000;

static IS_KNOWN: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// The environment: strings, and null behind the last.
    static environ: *const *const c_char;
}

#[cold]
fn look_around() {
    // SAFETY: an allocator's first call comes before anyone could change the environment at the same time.
    let mut at = unsafe { environ };
    // SAFETY: null, or the place of a string or of the null behind the last.
    while !at.is_null() && !unsafe { *at }.is_null() {
        // SAFETY: a place that holds no null, as just seen.
        let variable = unsafe { *at };
        // SAFETY: the environment holds strings.
        if unsafe { CStr::from_ptr(variable) }.to_bytes().len() >= LONG {
            // SAFETY: has no obligations.
            unsafe { libc::abort() };
        }
        at = at.wrapping_add(1);
    }
}

struct Touchy;

impl Allocator for Touchy {
    fn malloc(size: usize) -> *mut c_void {
        if !IS_KNOWN.swap(true, Relaxed) {
            look_around();
        }
        glibc::malloc(size)
    }
}

export!(Touchy);
