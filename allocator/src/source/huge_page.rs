//! Arenas on huge pages.

use core::ptr;

use crate::source::ArenaSource;
use crate::source::aligned::AlignedSource;
use crate::sys;

/// Maps aligned arenas and asks the kernel to put huge pages under them, as CPython 3.15 can.
///
/// The request is `MADV_HUGEPAGE`, a hint that the kernel may ignore. [`from_pool`](Self::from_pool)
/// tries `MAP_HUGETLB` first: arenas whose size is a multiple of 2 MiB come from the kernel's pool of
/// 2 MiB pages while it has some. That is opt-in, because a process that forks while it uses pages of
/// the pool may be killed when the pool runs out.
#[derive(Clone, Copy, Debug, Default)]
pub struct HugePageSource {
    from_pool: bool,
}

impl HugePageSource {
    /// Hints only.
    #[must_use]
    pub const fn new() -> Self {
        Self { from_pool: false }
    }

    /// The kernel's pool first, hints when it has nothing to give.
    #[must_use]
    pub const fn from_pool() -> Self {
        Self { from_pool: true }
    }
}

// SAFETY: an anonymous mapping is fresh memory. One on huge pages is aligned to 2 MiB, and is kept
// only if that aligns it to its size; the others come from `AlignedSource`.
unsafe impl ArenaSource for HugePageSource {
    const NAME: &'static str = "huge-pages";
    const ARENAS_ALIGNED: bool = true;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        if self.from_pool && bytes.is_multiple_of(sys::HUGE_PAGE_BYTES) {
            let (protection, flags) = (sys::PROT_READ_WRITE, sys::MAP_HUGE_PAGES);
            // SAFETY: a new anonymous mapping at a place of the kernel's choice disturbs nothing.
            let base = unsafe { sys::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
            if base.addr() != sys::MAP_FAILED_ADDR {
                if base.addr().is_multiple_of(bytes) {
                    return base.cast();
                }
                // SAFETY: mapped above with this size, and not used.
                let _refused = unsafe { sys::munmap(base, bytes) };
            }
        }
        let base = AlignedSource.map(bytes);
        if !base.is_null() {
            // SAFETY: advice on a mapping of our own; a kernel without huge pages refuses it.
            let _refused = unsafe { sys::madvise(base.cast(), bytes, sys::MADV_HUGEPAGE) };
        }
        base
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        // SAFETY: forwarded to the caller; of huge pages the arena is whole ones.
        unsafe { AlignedSource.unmap(base, bytes) };
    }
}
