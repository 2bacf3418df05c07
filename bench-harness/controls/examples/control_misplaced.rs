//! A control that is slow in one place: where its own file has the inode number
//! `ARENABENCH_CONTROL_INODE`, every malloc waits for `ARENABENCH_CONTROL_SPIN` pauses of
//! the processor (default 3000, some tens of microseconds); a copy of the file does not. It stands for
//! a file that the page cache has put where the caches like it least.
//!
//! No comparison of times may take it for slow: what is timed is never the same file twice.

#![cfg_attr(panic = "abort", no_std)]

use arenabench_controls::{Allocator, Setting, export, glibc};
use core::ffi::c_void;
use core::hint;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

static INODE: Setting = Setting::new(c"ARENABENCH_CONTROL_INODE", 0);
static SPIN: Setting = Setting::new(c"ARENABENCH_CONTROL_SPIN", 3000);

/// Whether this file is the one: not known yet, no, or yes.
static IS_BAD: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

#[cold]
fn look() -> u8 {
    let mut about = MaybeUninit::<libc::Dl_info>::zeroed();
    let mut file = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: room for the answer, which is plain data, zeros included.
    let found = unsafe { libc::dladdr((&raw const IS_BAD).cast(), about.as_mut_ptr()) };
    // SAFETY: as above.
    let name = unsafe { about.assume_init() }.dli_fname;
    // SAFETY: a string of the loader's where it found the library; and room for the answer.
    let refused = found == 0 || unsafe { libc::stat(name, file.as_mut_ptr()) } != 0;
    // SAFETY: as above.
    let inode = unsafe { file.assume_init() }.st_ino;
    let is_bad = if !refused && inode == INODE.get() { YES } else { NO };
    IS_BAD.store(is_bad, Relaxed);
    is_bad
}

struct Misplaced;

impl Allocator for Misplaced {
    fn malloc(size: usize) -> *mut c_void {
        let known = IS_BAD.load(Relaxed);
        if (if known == UNKNOWN { look() } else { known }) == YES {
            (0..SPIN.get()).for_each(|_| hint::spin_loop());
        }
        glibc::malloc(size)
    }
}

export!(Misplaced);
