//! A classic heap under memcheck: the client-request layer over any instance.
//!
//! Where memcheck watches (`watch.rs`), every block of a pool gets red zones and a
//! header, is told to memcheck when it is born and when it dies, and waits before its memory is used
//! again. Elsewhere every call is handed on as it is, behind one test of a flag. Blocks of the next
//! allocator, too large for a pool with all that around them, are memcheck's own affair: it
//! intercepts the C library's malloc.
//!
//! The heap below is touched in a silence only, which covers the ownership test too: a strategy that
//! reads foreign memory is reported under the bare heap and not under this layer.

use core::ptr;

use crate::flagship::under_memcheck as watching;
use crate::geometry::Geometry;
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::source::ArenaSource;
use crate::valgrind;
use crate::watch::tool::Tool;
use crate::watch::{Base, Found, Measures, Memory, Watch};

/// An arena source whose arenas are, under memcheck, out of bounds for the program and no roots of the
/// leak search.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchedSource<S>(pub S);

// SAFETY: memory is the wrapped source's, or the C library's until it is given back.
unsafe impl<S: ArenaSource> ArenaSource for WatchedSource<S> {
    const NAME: &'static str = S::NAME;

    const ARENAS_ALIGNED: bool = S::ARENAS_ALIGNED;
    const ONE_RESERVATION: bool = S::ONE_RESERVATION;

    fn map(&mut self, bytes: usize) -> *mut u8 {
        if watching().is_some() { self.0.map_watched(bytes) } else { self.0.map(bytes) }
    }

    unsafe fn unmap(&mut self, base: *mut u8, bytes: usize) {
        if watching().is_some() {
            // SAFETY: the caller's obligation; memcheck watches for good or not at all.
            unsafe { self.0.unmap_watched(base, bytes) };
        } else {
            // SAFETY: the caller's obligation.
            unsafe { self.0.unmap(base, bytes) };
        }
    }
}

/// A classic heap that tells memcheck of its blocks.
///
/// ```
/// use arenite::{ArenaIndex, MmapSource, NextAllocator, Python39, SystemMalloc, WatchedHeap};
///
/// type Heap = WatchedHeap<Python39, ArenaIndex<3>, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
///
/// // SAFETY: one thread only, and this is the only reference.
/// let heap = unsafe { &mut *&raw mut HEAP };
/// let block = heap.malloc(24);
/// // SAFETY: live, and freed once.
/// unsafe { heap.free(block) };
/// ```
pub struct WatchedHeap<G, O, S, N> {
    heap: ClassicHeap<G, O, WatchedSource<S>, N>,
    state: Watch,
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> WatchedHeap<G, O, S, N> {
    /// An empty heap, as [`ClassicHeap::new`].
    #[must_use]
    pub const fn new(source: S, next: N) -> Self {
        Self { heap: ClassicHeap::new(WatchedSource(source), next), state: Watch::NEW }
    }

    /// The heap below. Blocks that it hands out by itself are unknown to this layer.
    pub fn bare(&self) -> &ClassicHeap<G, O, WatchedSource<S>, N> {
        &self.heap
    }

    /// A block with everything around it, or null where no pool serves so much.
    fn take(&mut self, watch: (Tool, Measures), size: usize) -> *mut u8 {
        self.state.take(&mut self.heap, watch, size, G::ALIGNMENT)
    }

    fn find(&self, watch: (Tool, Measures), block: *mut u8) -> Found {
        Watch::find(&self.heap, watch.0, block)
    }
}

// SAFETY: blocks are the heap's or the next allocator's, with room to spare around them.
unsafe impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> NextAllocator
    for WatchedHeap<G, O, S, N>
{
    const NAME: &'static str = O::NAME;

    fn malloc(&mut self, size: usize) -> *mut u8 {
        let Some(watch) = watching() else { return self.heap.malloc(size) };
        let block = if size == 0 { ptr::null_mut() } else { self.take(watch, size) };
        if block.is_null() { self.heap.malloc_next(size) } else { block }
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(watch) = watching() else { return self.heap.calloc(count, size) };
        let Some(total) = count.checked_mul(size) else { return ptr::null_mut() };
        let block = if total == 0 { ptr::null_mut() } else { self.take(watch, total) };
        if block.is_null() {
            return self.heap.calloc_next(count, size);
        }
        // SAFETY: the block is fresh and `total` bytes long.
        unsafe { block.write_bytes(0, total) };
        block
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        if align <= G::ALIGNMENT { self.malloc(size) } else { self.heap.aligned_alloc(align, size) }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        let Some(watch) = watching() else {
            // SAFETY: the caller's obligation.
            return unsafe { self.heap.realloc(block, size) };
        };
        if block.is_null() {
            return self.malloc(size);
        }
        let old = match self.find(watch, block) {
            Found::Live(_, old) => old,
            // SAFETY: not of a pool, hence the next allocator's.
            Found::Foreign => return unsafe { self.heap.realloc_next(block, size) },
            Found::Wrong { .. } => {
                valgrind::free_like(block, 0);
                return ptr::null_mut();
            }
        };
        let moved = self.malloc(size);
        if !moved.is_null() {
            // SAFETY: both blocks hold the smaller size, and they are distinct.
            unsafe { ptr::copy_nonoverlapping(block, moved, old.min(size)) };
            // SAFETY: the caller's obligation.
            unsafe { self.free(block) };
        }
        moved
    }

    unsafe fn free(&mut self, block: *mut u8) {
        let Some(watch) = watching() else {
            // SAFETY: the caller's obligation.
            return unsafe { self.heap.free(block) };
        };
        if block.is_null() {
            return;
        }
        match self.find(watch, block) {
            Found::Live(memory, size) => {
                // SAFETY: found live; dead by the caller's promise.
                unsafe { self.state.bury(&mut self.heap, watch, block, memory, size) };
            }
            // SAFETY: not of a pool, hence the next allocator's.
            Found::Foreign => unsafe { self.heap.free_next(block) },
            Found::Wrong { .. } => valgrind::free_like(block, 0),
        }
    }

    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        let Some(watch) = watching() else {
            // SAFETY: the caller's obligation.
            return unsafe { self.heap.usable_size(block) };
        };
        match self.find(watch, block) {
            _ if block.is_null() => 0,
            Found::Live(_, size) => size,
            // SAFETY: not of a pool, hence the next allocator's.
            Found::Foreign => unsafe { self.heap.next_usable_size(block) },
            Found::Wrong { .. } => 0,
        }
    }
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> Base
    for ClassicHeap<G, O, S, N>
{
    const ALIGNMENT: usize = G::ALIGNMENT;

    fn take(&mut self, bytes: usize, _align: usize) -> *mut u8 {
        self.pool_malloc(bytes)
    }

    unsafe fn give(&mut self, memory: *mut u8) {
        // SAFETY: the caller's obligation: a block of a pool, not used any more.
        unsafe { self.pool_free(memory) };
    }

    fn around(&self, address: *const u8) -> Option<Memory> {
        let block = address.cast_mut();
        // SAFETY: what the program frees lies in memory that is there, or the test needs no such
        // promise; a fault is what the bare heap would answer with as well.
        if !unsafe { self.owns(block) } {
            return None;
        }
        // SAFETY: owned, and arenas under memcheck are aligned, so that the pool lies in one.
        let pool = unsafe { self.arenas.cut_pool_around::<G>(block) }?;
        let (start, bytes) = pool.block_around::<G>(block)?;
        Some(Memory { start, bytes })
    }
}
