//! Which thread asked for a block.

use crate::glibc;
use core::ffi::c_void;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

/// Places of a table.
const PLACES: usize = 1 << 16;

/// Who asked for a block, by a part of its address: the rest of the address, and of the thread's number. A
/// block whose place another has taken passes for the calling thread's own.
pub struct Askers([AtomicU64; PLACES]);

impl Askers {
    /// Nobody has asked.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a static")]
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; PLACES])
    }

    /// A block of glibc's that the calling thread is known to have asked for.
    #[must_use]
    pub fn malloc(&self, size: usize) -> *mut c_void {
        let block = glibc::malloc(size);
        self.place(block).store(asked_here(block), Relaxed);
        block
    }

    /// Whether another thread has asked for it, as far as the table tells.
    pub fn is_anothers(&self, block: *mut c_void) -> bool {
        let (asked, here) = (self.place(block).load(Relaxed), asked_here(block));
        asked >> 32 == here >> 32 && asked != here
    }

    fn place(&self, block: *mut c_void) -> &AtomicU64 {
        &self.0[block.addr() / 16 % PLACES]
    }
}

fn asked_here(block: *mut c_void) -> u64 {
    // SAFETY: has no obligations.
    let thread = unsafe { libc::pthread_self() };
    (block.addr() as u64) << 32 | thread >> 12 & u64::from(u32::MAX)
}
