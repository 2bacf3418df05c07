//! The harness's own memory. No subject serves it: a preloaded library takes the place of the system's
//! malloc, and a broken one must not break what finds it out.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Once;

use dlmalloc::GlobalDlmalloc;

/// dlmalloc behind calls that are not inlined.
///
/// To the compiler a fresh block is an object of its own, with nothing in front of it. dlmalloc keeps a
/// header there. Where birth and death of a block are both inlined into one function, the compiler may
/// take the read of that header for a read of nothing.
///
/// Its lock is free in the child of a fork, whatever other threads do at that moment.
pub(crate) struct OwnMemory;

// SAFETY: dlmalloc's own implementation, called with what the caller gave.
unsafe impl GlobalAlloc for OwnMemory {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        survive_forks();
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.dealloc(block, layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        survive_forks();
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { GlobalDlmalloc.realloc(block, layout, bytes) }
    }
}

/// Before the first block.
fn survive_forks() {
    static BEGIN: Once = Once::new();
    // SAFETY: nothing has been allocated before, as nothing else calls dlmalloc.
    BEGIN.call_once(|| unsafe { dlmalloc::enable_alloc_after_fork() });
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    use crate::contract::forked;

    #[test]
    fn the_child_of_a_fork_has_memory_while_other_threads_allocate() {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    black_box(Vec::<u8>::with_capacity(100));
                }
            });
            let one = |_| {
                forked(|_| {
                    black_box(Vec::<u8>::with_capacity(100));
                    Ok(())
                })
            };
            let ended = (0..200).map(one).find(|ended| !matches!(ended, Ok((_, 0))));
            is_over.store(true, Relaxed);
            assert!(ended.is_none(), "a child that waits for its own memory: {ended:?}");
        });
    }
}
