//! A heap with a lifetime of its own: everything in it goes when it is dropped.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use super::calls::{self, Kind, kind_of};
use super::class::{self, GRAIN, MEDIUM_MAX};
use super::fatal::{Misuse, die};
use super::heap;
use super::huge;
use super::large;
use super::range::{self, OWNER_SHIFT};
use super::remote;
use super::settings;
use super::threads;
use super::watched;

/// A heap for the blocks of one task, request or phase.
///
/// It is used by one thread at a time, wherever it is sent, and takes a lock for blocks up to
/// 32 KiB only when a pool is taken or given back. Dropping it frees every block that is left, in time proportional to the number of its
/// pools and larger blocks, not to that of its small ones.
///
/// ```
/// use std::alloc::Layout;
///
/// let heap = arenite::Heap::new().expect("memory for a heap");
/// let layout = Layout::new::<[u64; 4]>();
/// let block = heap.alloc(layout).cast::<[u64; 4]>();
/// // SAFETY: a live block of that layout.
/// unsafe { block.write([1, 2, 3, 4]) };
/// drop(heap); // `block` is gone with it
/// ```
pub struct Heap {
    heap: heap::Heap,
    /// Sent between threads, not shared.
    unshared: PhantomData<*mut ()>,
}

// SAFETY: H1: the value is the only way to work on its heap, and is not `Sync`.
unsafe impl Send for Heap {}

impl Heap {
    /// A heap without blocks; `None` when out of memory. It costs about 5 KiB, which a later one takes over,
    /// and a pool of 16 KiB or more for every size class that is used.
    #[must_use]
    pub fn new() -> Option<Self> {
        let heap = threads::obtain_private()?;
        Some(Self { heap, unshared: PhantomData })
    }

    /// A block for `layout`, or null when out of memory. A size of 0 gets a block of its own.
    #[inline]
    #[must_use]
    pub fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        if let Some(watch) = settings::watch() {
            return watched::take_private(self.heap, watch, size, align);
        }
        if size <= MEDIUM_MAX && align <= GRAIN {
            return self.heap.take(class::offset_of(size));
        }
        match class::aligned_offset(size, align.max(GRAIN)) {
            Some(offset) => self.heap.take(offset),
            None if align > calls::ALIGN_MAX => ptr::null_mut(),
            None => calls::take_large(self.heap, size, align).0,
        }
    }

    /// Frees a block before the heap ends.
    ///
    /// # Safety
    /// `block` is a live block of this heap, dead afterwards.
    #[inline]
    pub unsafe fn dealloc(&self, block: *mut u8) {
        if let Some(watch) = settings::watch() {
            // SAFETY: the caller's obligation.
            return unsafe { watched::free_private(self.heap, watch, block) };
        }
        let Some((range, index)) = range::locate(block) else {
            if !huge::free(block, self.heap.tag() >> OWNER_SHIFT) {
                die(Misuse::Foreign, block);
            }
            return;
        };
        let entry = range.entry(index);
        match kind_of(entry) {
            Kind::Nothing => die(Misuse::Invalid, block),
            _ if entry >> OWNER_SHIFT != self.heap.tag() >> OWNER_SHIFT => {
                die(Misuse::Foreign, block)
            }
            Kind::Large => large::free(large::span(range, index, block), entry),
            Kind::Pool(offset) => {
                let owner = threads::heap_of(entry >> OWNER_SHIFT);
                // SAFETY: the caller's obligation.
                unsafe { calls::free_for(self.heap, owner, range, index, block, offset) };
            }
        }
    }

    /// A block of `size` bytes with the alignment of `layout` and the contents of `block` up to the
    /// shorter size; null when out of memory, and then `block` is as it was.
    ///
    /// # Safety
    /// `block` is a live block of this heap, made for `layout`, dead after a result that is not
    /// null.
    #[must_use]
    pub unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        let old = unsafe { calls::usable_size(block) };
        if calls::stays(old, size) && settings::watch().is_none() {
            return block;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        let moved = self.alloc(wanted);
        if !moved.is_null() {
            // SAFETY: both blocks hold the smaller size, and they are distinct.
            unsafe { ptr::copy_nonoverlapping(block, moved, old.min(size)) };
            // SAFETY: the caller's obligation.
            unsafe { self.dealloc(block) };
        }
        moved
    }

    /// Bytes of the block that may be used.
    ///
    /// # Safety
    /// `block` is a live block of this heap.
    #[must_use]
    pub unsafe fn usable_size(&self, block: *mut u8) -> usize {
        // SAFETY: the caller's obligation.
        unsafe { calls::usable_size(block) }
    }

    /// Frees every block. The heap keeps nothing but itself.
    pub fn clear(&mut self) {
        if let Some(watch) = settings::watch() {
            watched::bury_private(self.heap, watch);
        }
        let _silence = watched::silence();
        remote::send_all(self.heap);
        huge::give_back(self.heap);
        large::give_back(self.heap);
        self.heap.give_back_pools();
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        self.clear();
        threads::give_private(self.heap);
    }
}

impl fmt::Debug for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heap").field("number", &(self.heap.tag() >> OWNER_SHIFT)).finish()
    }
}
