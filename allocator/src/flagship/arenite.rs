//! The process's heap, as a value that Rust programs name in one line.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use super::calls;
use super::checks::{Checked, Unchecked};
use super::class::{self, GRAIN, SMALL_MAX};
use super::foreign::{self, ForeignFunctions};
use super::heap::Heap;
use super::settings;
use super::stats::{self, FlagshipStats};
use super::thread_local;
use super::validate::{self, FlagshipViolation};
use super::watched;

/// The flagship heap: a thread-safe general-purpose allocator that serves every size itself.
///
/// ```
/// #[global_allocator]
/// static GLOBAL: arenite::Arenite = arenite::Arenite::new();
///
/// let words: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
/// assert!(arenite::Arenite::owns(words[7].as_ptr()));
/// ```
/// There is one heap in a process, whatever the number of values of this type. Blocks are aligned to
/// 16 bytes, or as asked. Any thread may free any block. Not async-signal-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arenite;

impl Arenite {
    /// The process's heap. Costs nothing and asks the system for nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// The same heap with every free checked, see [`Arenite`]: double free, invalid free, free of an
/// interior pointer and overwritten links die with a fixed line on standard error. For the whole
/// process or not at all: blocks that [`Arenite`] handed out are unknown to the checks.
#[derive(Clone, Copy, Debug, Default)]
pub struct AreniteChecked;

impl AreniteChecked {
    /// Makes the process's heap keep what the checks need. To be called before its first use.
    pub fn prepare() {
        settings::set_checked();
    }
}

macro_rules! calls {
    ($heap:ty, $checks:ty) => {
        impl $heap {
            /// A block of `size` bytes, or null with `errno` ENOMEM when out of memory. A request of
            /// 0 bytes gets a block of its own.
            #[inline(always)]
            #[must_use]
            pub fn malloc(size: usize) -> *mut u8 {
                calls::malloc::<$checks>(size)
            }

            /// A zeroed block of `count * size` bytes; null when the product overflows or memory
            /// is out.
            #[inline]
            #[must_use]
            pub fn calloc(count: usize, size: usize) -> *mut u8 {
                calls::calloc::<$checks>(count, size)
            }

            /// Frees a block. Null is ignored; `errno` is left as it is. A foreign pointer ends
            /// the process with one line, unless [`Arenite::set_next`] was called.
            ///
            /// # Safety
            /// `block` is null or a live block of this heap, dead afterwards.
            #[inline(always)]
            pub unsafe fn free(block: *mut u8) {
                // SAFETY: the caller's obligation.
                unsafe { calls::free::<$checks>(block) };
            }

            /// Frees a block whose size the caller knows. A watched heap and the checked one end the
            /// process with one line where the size cannot be the one that was asked for; others do
            /// not look at it.
            ///
            /// # Safety
            /// As for `free`; `size` is what was asked for when the block was handed out or resized
            /// last.
            #[inline]
            pub unsafe fn free_sized(block: *mut u8, size: usize) {
                // SAFETY: the caller's obligation.
                unsafe { calls::free_sized::<$checks>(block, size) };
            }

            /// A block of `size` bytes with the old one's contents up to the shorter size; null
            /// when out of memory, and then the old block is as it was. Null is served as by
            /// `malloc`. A block stays where it is while it holds the request and is at most twice
            /// as large, large blocks also when the memory behind them is free.
            ///
            /// # Safety
            /// `block` is null or a live block of this heap, dead after a result that is not null.
            #[inline]
            #[must_use]
            pub unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
                // SAFETY: the caller's obligation.
                unsafe { calls::realloc::<$checks>(block, size) }
            }

            /// A block of `size` bytes aligned to `align`; null when that is no power of two of at
            /// most 2^30, or memory is out.
            #[must_use]
            pub fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
                calls::aligned_alloc::<$checks>(align, size)
            }

            /// Number of bytes of the block that may be used, at least what was asked for; 0 for
            /// null.
            ///
            /// # Safety
            /// `block` is null or a live block of this heap.
            #[must_use]
            pub unsafe fn usable_size(block: *mut u8) -> usize {
                // SAFETY: the caller's obligation.
                unsafe { calls::usable_size(block) }
            }

            /// Usable size of the block that a request of `size` bytes gets.
            #[must_use]
            pub fn good_size(size: usize) -> usize {
                calls::good_size(size)
            }

            /// Whether the address lies in a pool or begins a larger block of this heap. Reads no
            /// memory but the heap's own, whatever the address.
            #[must_use]
            pub fn owns(address: *const u8) -> bool {
                calls::owns(address)
            }

            /// Gives all memory back that no live block lies in: the calling thread's, that of
            /// threads that ended, and what is free in the arenas.
            pub fn purge() {
                calls::purge();
            }
        }
    };
}

calls!(Arenite, Unchecked);
calls!(AreniteChecked, Checked);

impl Arenite {
    /// A snapshot of the heap. For tests and diagnosis: no other thread may be inside of a call, or
    /// ending (a thread that was joined has ended; one whose scope is over may still be ending).
    /// Costs a look at every span and every free block.
    #[must_use]
    pub fn stats() -> FlagshipStats {
        let _silence = watched::silence();
        stats::stats()
    }

    /// Checks every invariant of the heap. For tests: no other thread may be inside of a call, or
    /// ending, as for [`stats`](Self::stats).
    /// Costs a look at every span and every free block, and for every pool one at all free blocks
    /// of its class that are in no pool.
    ///
    /// # Errors
    ///
    /// The first invariant that is found broken, and where.
    pub fn validate() -> Result<(), FlagshipViolation> {
        let _silence = watched::silence();
        validate::validate()
    }

    /// Names the allocator that foreign pointers are passed on to, instead of ending the process.
    ///
    /// # Safety
    /// From here on, every pointer that is freed or resized here and is not of this heap is a live
    /// block of that allocator.
    pub unsafe fn set_next(next: &'static ForeignFunctions) {
        foreign::set_next(next);
    }
}

// SAFETY: blocks are as large and aligned as asked, nobody else's until freed; nothing unwinds.
unsafe impl GlobalAlloc for Arenite {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= GRAIN {
            calls::malloc::<Unchecked>(layout.size())
        } else {
            calls::aligned_alloc::<Unchecked>(layout.align(), layout.size())
        }
    }

    #[inline(always)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // The class that the size alone tells is the right one unless the block was aligned or
        // resized in place; the map has the last word.
        let size = layout.size();
        if size <= SMALL_MAX {
            let offset = class::small_offset(size);
            let heap = Heap(thread_local::heap());
            if heap.index_of(block).is_some()
                && (heap.entry_around(block) ^ heap.loose_tag()) as usize == offset
            {
                // SAFETY: R2: a block of the class in a pool of this heap, dead by contract.
                unsafe { heap.push_loose(offset, block) };
                return;
            }
        }
        // SAFETY: the caller's obligation.
        unsafe { calls::free_again(block) };
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= GRAIN {
            return calls::calloc::<Unchecked>(1, layout.size());
        }
        let block = calls::aligned_alloc::<Unchecked>(layout.align(), layout.size());
        if !block.is_null() {
            // SAFETY: a fresh block of that size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= GRAIN {
            // SAFETY: the caller's obligation.
            return unsafe { calls::realloc::<Unchecked>(block, size) };
        }
        if let Some(watch) = settings::watch() {
            // SAFETY: the caller's obligation.
            return unsafe { watched::realloc(watch, block, size, layout.align()) };
        }
        // SAFETY: the caller's obligation.
        let old = unsafe { calls::usable_size(block) };
        if calls::stays(old, size) {
            return block;
        }
        let moved = calls::aligned_alloc::<Unchecked>(layout.align(), size);
        if !moved.is_null() {
            // SAFETY: both blocks hold the smaller size, and they are distinct.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
            // SAFETY: the caller's obligation.
            unsafe { calls::free::<Unchecked>(block) };
        }
        moved
    }
}
