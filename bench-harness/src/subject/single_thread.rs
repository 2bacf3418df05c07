//! State of a subject that serves one thread, in a static.

use std::cell::UnsafeCell;

/// A value that one thread at a time uses. The replay child's first thread is that thread: presets and
/// references are given no workload on several threads (`threads`), and none of them calls itself.
pub(super) struct SingleThread<T>(pub(super) UnsafeCell<T>);

// SAFETY: `get` obliges every caller to be the only one.
unsafe impl<T> Sync for SingleThread<T> {}

impl<T> SingleThread<T> {
    /// The value.
    ///
    /// # Safety
    /// No other reference to the value is alive, in this thread or another.
    #[expect(clippy::mut_from_ref, reason = "the caller answers for exclusiveness")]
    #[inline(always)]
    pub(super) unsafe fn get(&self) -> &mut T {
        // SAFETY: the caller's obligation.
        unsafe { &mut *self.0.get() }
    }
}
