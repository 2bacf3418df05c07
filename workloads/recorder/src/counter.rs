//! A counter that costs no locked instruction while the process has one thread.
//!
//! glibc clears `__libc_single_threaded` before it starts a second thread and sets it again only
//! when one is left, so whoever reads "single" has no rival until it creates one itself: a plain
//! load and store then count exactly, and what they wrote is visible to every thread created
//! later. glibc's own malloc skips its locks by the same flag.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// A number that only grows.
///
/// Relaxed is enough to order calls (R1 of the raw log): a block passes from a free to the malloc
/// that gets it through the allocator's own synchronisation, so the two takes are ordered by
/// happens-before, and takes so ordered see each other.
#[repr(transparent)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// The present value.
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Adds one and returns the value before.
    #[inline(always)]
    pub(crate) fn take(&self) -> u64 {
        if single_threaded() {
            let value = self.0.load(Relaxed);
            self.0.store(value + 1, Relaxed);
            value
        } else {
            self.0.fetch_add(1, Relaxed)
        }
    }
}

/// Whether glibc vouches that the calling thread is the only one.
#[inline(always)]
fn single_threaded() -> bool {
    let flag: *const AtomicU8;
    // The reference is weak: a glibc before 2.32 lacks the flag, its address is null there, and
    // every take is an atomic one.
    //
    // SAFETY: loads one entry of this library's own offset table.
    unsafe {
        asm!(
            ".weak __libc_single_threaded",
            "mov {flag}, qword ptr [rip + __libc_single_threaded@GOTPCREL]",
            flag = out(reg) flag,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    // SAFETY: null or glibc's `char`, which lives as long as the process.
    let flag = unsafe { flag.as_ref() };
    flag.is_some_and(|flag| flag.load(Relaxed) != 0)
}
