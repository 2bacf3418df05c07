//! Fault injection: parts that fail on demand, for the tests of heaps.
//!
//! [`FaultySource`] and [`FaultyNext`] wrap an arena source and a next allocator. Both count their
//! requests on one [`FaultPlan`] and refuse those that the plan names, so that a test can run a
//! script once for every request it makes and see each of them fail. The plan also counts what is
//! outstanding: 0 after `give_back`, or something leaked.

use core::cell::Cell;
use core::ops::Range;
use core::ptr;

use crate::next::NextAllocator;
use crate::source::ArenaSource;

/// Which requests are refused, and what has been seen of them.
///
/// ```
/// use arenite::fault::{FaultPlan, FaultyNext, FaultySource};
/// use arenite::{ArenaIndex, ClassicHeap, MmapSource, Python39, SystemMalloc};
///
/// // Request 0 asks for the arena table, request 1 for the arena: refuse the arena.
/// let plan = FaultPlan::refusing(1..2);
/// let (source, next) = (FaultySource::new(MmapSource, &plan), FaultyNext::new(SystemMalloc, &plan));
/// let mut heap: Box<ClassicHeap<Python39, ArenaIndex<3>, _, _>> =
///     Box::new(ClassicHeap::new(source, next));
/// let block = heap.malloc(100);
/// assert!(!block.is_null(), "the next allocator serves it instead");
/// assert_eq!((plan.injected(), heap.stats().raw_blocks), (1, 1));
/// // SAFETY: live, freed once; no block is left.
/// unsafe {
///     heap.free(block);
///     heap.give_back();
/// }
/// assert_eq!(plan.outstanding(), 0);
/// ```
#[derive(Debug)]
pub struct FaultPlan {
    refused: Range<u64>,
    requests: Cell<u64>,
    injected: Cell<u64>,
    outstanding: Cell<i64>,
}

impl FaultPlan {
    /// Refuses the requests with these numbers, counted from 0 in the order they are made.
    #[must_use]
    pub const fn refusing(refused: Range<u64>) -> Self {
        Self { refused, requests: Cell::new(0), injected: Cell::new(0), outstanding: Cell::new(0) }
    }

    /// Number of requests made, the refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Number of requests refused by the plan.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.injected.get()
    }

    /// Arenas and blocks handed out and not given back.
    #[must_use]
    pub fn outstanding(&self) -> i64 {
        self.outstanding.get()
    }

    /// Counts a request; whether it is to be refused.
    fn refuses(&self) -> bool {
        let number = self.requests.replace(self.requests.get() + 1);
        let refused = self.refused.contains(&number);
        self.injected.set(self.injected.get() + u64::from(refused));
        refused
    }

    /// Makes a request for fresh memory, unless it is refused.
    fn fresh(&self, request: impl FnOnce() -> *mut u8) -> *mut u8 {
        if self.refuses() {
            return ptr::null_mut();
        }
        let memory = request();
        self.outstanding.set(self.outstanding.get() + i64::from(!memory.is_null()));
        memory
    }

    fn gave_back(&self) {
        self.outstanding.set(self.outstanding.get() - 1);
    }
}

/// An arena source that fails as its plan says.
#[derive(Debug)]
pub struct FaultySource<'a, S> {
    inner: S,
    plan: &'a FaultPlan,
}

impl<'a, S> FaultySource<'a, S> {
    /// Wraps `inner`.
    pub const fn new(inner: S, plan: &'a FaultPlan) -> Self {
        Self { inner, plan }
    }
}

// SAFETY: memory comes from the inner source unchanged.
unsafe impl<S: ArenaSource> ArenaSource for FaultySource<'_, S> {
    const NAME: &'static str = "faulty";
    const ARENAS_ALIGNED: bool = S::ARENAS_ALIGNED;
    const ONE_RESERVATION: bool = S::ONE_RESERVATION;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        self.plan.fresh(|| self.inner.map(bytes))
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        self.plan.gave_back();
        // SAFETY: forwarded to the caller.
        unsafe { self.inner.unmap(base, bytes) };
    }
}

/// A next allocator that fails as its plan says.
#[derive(Debug)]
pub struct FaultyNext<'a, N> {
    inner: N,
    plan: &'a FaultPlan,
}

impl<'a, N> FaultyNext<'a, N> {
    /// Wraps `inner`.
    pub const fn new(inner: N, plan: &'a FaultPlan) -> Self {
        Self { inner, plan }
    }
}

// SAFETY: blocks come from the inner allocator unchanged; a refused realloc leaves its block.
unsafe impl<N: NextAllocator> NextAllocator for FaultyNext<'_, N> {
    const NAME: &'static str = "faulty";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        self.plan.fresh(|| self.inner.malloc(size))
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        self.plan.fresh(|| self.inner.calloc(count, size))
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        self.plan.fresh(|| self.inner.aligned_alloc(align, size))
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        if self.plan.refuses() {
            return ptr::null_mut();
        }
        // SAFETY: forwarded to the caller.
        unsafe { self.inner.realloc(ptr, size) }
    }

    unsafe fn free(&mut self, ptr: *mut u8) {
        self.plan.gave_back();
        // SAFETY: forwarded to the caller.
        unsafe { self.inner.free(ptr) };
    }

    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { self.inner.usable_size(ptr) }
    }
}
