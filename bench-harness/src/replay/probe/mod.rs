//! Looks at every call by itself: what it was, and what a probe saw around it.
//!
//! [`Probed`] stands between the replay loop and a subject, as `verify` does, so that the loop that is
//! timed as a whole knows nothing of it. A [`Probe`] is asked before and after each call. Two exist:
//! `stopwatch` times every call, `magnifier` looks closely at a few; `clock` and `histogram` are what
//! they stand on.
//!
//! What a call was is known behind it (a realloc may have moved), and whether a block is freed by the
//! thread that made it is looked up in [`Owners`], outside of what the probe sees.

pub(crate) mod clock;
mod histogram;
pub(crate) mod magnifier;
pub(crate) mod stopwatch;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::allocator::Allocator;
use crate::plan::op::{Extent, Place};
use crate::plan::streams::Phase;

/// What was called, as far as times are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Malloc,
    Calloc,
    Aligned,
    /// In place, to a larger size.
    ReallocGrow,
    /// The block has moved.
    ReallocGrowMoved,
    /// In place, to the same size or a smaller one.
    ReallocShrink,
    ReallocShrinkMoved,
    /// By the thread that made the block, or changed its size last.
    Free,
    /// By another thread.
    FreeRemote,
}

impl Operation {
    pub(crate) const ALL: [Self; 9] = [
        Self::Malloc,
        Self::Calloc,
        Self::Aligned,
        Self::ReallocGrow,
        Self::ReallocGrowMoved,
        Self::ReallocShrink,
        Self::ReallocShrinkMoved,
        Self::Free,
        Self::FreeRemote,
    ];

    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Malloc => "malloc",
            Self::Calloc => "calloc",
            Self::Aligned => "aligned",
            Self::ReallocGrow => "realloc-grow",
            Self::ReallocGrowMoved => "realloc-grow-moved",
            Self::ReallocShrink => "realloc-shrink",
            Self::ReallocShrinkMoved => "realloc-shrink-moved",
            Self::Free => "free",
            Self::FreeRemote => "free-remote",
        }
    }

    fn of_realloc(old: usize, new: usize, moved: bool) -> Self {
        match (new > old, moved) {
            (true, false) => Self::ReallocGrow,
            (true, true) => Self::ReallocGrowMoved,
            (false, false) => Self::ReallocShrink,
            (false, true) => Self::ReallocShrinkMoved,
        }
    }
}

/// Is asked before and after each call of one thread.
pub(crate) trait Probe: Sized {
    /// What is carried from before a call to behind it.
    type Mark;

    /// The calls from here on belong to this part of the pass.
    fn enter(&mut self, phase: Phase);

    /// A call is about to be made.
    fn before(&mut self) -> Self::Mark;

    /// The call has been made; `size` is that of the request, or of the block that was freed.
    fn after(&mut self, mark: Self::Mark, operation: Operation, size: usize);

    /// A probe for another thread, by its number.
    fn another(&self, thread: u32) -> Self;
}

/// Which thread made the block in each slot, or changed its size last. Whoever uses a slot comes
/// behind the one before (P3 of `plan::op`), so that no stronger order is needed.
struct Owners {
    of_slot: Vec<AtomicU32>,
    threads: AtomicU32,
}

/// An allocator whose calls are probed one by one.
pub(crate) struct Probed<A, P> {
    inner: A,
    probe: P,
    thread: u32,
    owners: Arc<Owners>,
}

impl<A: Allocator, P: Probe> Probed<A, P> {
    /// Wraps a subject for a plan with `slots` slots.
    pub(crate) fn new(inner: A, probe: P, slots: u32) -> Self {
        let of_slot = (0..slots).map(|_| AtomicU32::new(0)).collect();
        let owners = Arc::new(Owners { of_slot, threads: AtomicU32::new(1) });
        Self { inner, probe, thread: 0, owners }
    }

    fn own(&self, slot: Place) {
        self.owners.of_slot[slot.index()].store(self.thread, Relaxed);
    }

    fn is_own(&self, slot: Place) -> bool {
        self.owners.of_slot[slot.index()].load(Relaxed) == self.thread
    }

    /// A call that makes a block.
    #[inline(always)]
    fn birth(
        &mut self,
        slot: Place,
        operation: Operation,
        size: usize,
        call: impl FnOnce(&mut A) -> *mut u8,
    ) -> *mut u8 {
        let mark = self.probe.before();
        let block = call(&mut self.inner);
        self.probe.after(mark, operation, size);
        self.own(slot);
        block
    }
}

// SAFETY: hands on what the wrapped allocator returns.
unsafe impl<A: Allocator, P: Probe> Allocator for Probed<A, P> {
    const MIN_SIZE: usize = A::MIN_SIZE;

    fn another(&self) -> Option<Self> {
        let thread = self.owners.threads.fetch_add(1, Relaxed);
        Some(Self {
            inner: self.inner.another()?,
            probe: self.probe.another(thread),
            thread,
            owners: Arc::clone(&self.owners),
        })
    }

    fn enter(&mut self, phase: Phase) {
        self.probe.enter(phase);
    }

    fn malloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.birth(slot, Operation::Malloc, size, |inner| inner.malloc(slot, size))
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.birth(slot, Operation::Calloc, size, |inner| inner.calloc(slot, size))
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        self.birth(slot, Operation::Aligned, extent.size, |inner| inner.aligned(slot, extent))
    }

    fn realloc_new(&mut self, slot: Place, size: usize) -> *mut u8 {
        self.birth(slot, Operation::Malloc, size, |inner| inner.realloc_new(slot, size))
    }

    unsafe fn realloc(&mut self, slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        let mark = self.probe.before();
        // SAFETY: the caller's obligation.
        let block = unsafe { self.inner.realloc(slot, ptr, old, size) };
        self.probe.after(mark, Operation::of_realloc(old.size, size, block != ptr), size);
        self.own(slot);
        block
    }

    unsafe fn free(&mut self, slot: Place, ptr: *mut u8, old: Extent) {
        let operation = if self.is_own(slot) { Operation::Free } else { Operation::FreeRemote };
        let mark = self.probe.before();
        // SAFETY: the caller's obligation.
        unsafe { self.inner.free(slot, ptr, old) };
        self.probe.after(mark, operation, old.size);
    }

    fn free_null(&mut self) {
        let mark = self.probe.before();
        self.inner.free_null();
        self.probe.after(mark, Operation::Free, 0);
    }
}
