//! The heaps to choose from: each one static, with its debug hooks around it, zero until it is used.

use core::cell::UnsafeCell;

use arenite::{
    AlignedSource, ArenaIndex, ArenaIndexDebugger, ArenaIndexGuarded, Arenite, Classic39,
    Classic39Never, Cookie, DebugHooks, Domain, Era, GlibcMalloc, HugePageSource, MmapSource,
    NextAllocator, PageMap, Python38Hooks, Python39, Python311, Python315, RadixTree,
    ReservedRange, ReservedSource, WatchedHeap,
};

/// What serves a program: a heap with hooks around it or without.
pub(crate) trait Served {
    fn malloc(&mut self, hooked: bool, domain: Domain, size: usize) -> *mut u8;
    fn calloc(&mut self, hooked: bool, domain: Domain, count: usize, size: usize) -> *mut u8;
    fn aligned_alloc(&mut self, hooked: bool, align: usize, size: usize) -> *mut u8;

    /// # Safety
    /// `block` is live, and dead after a result that is not null.
    unsafe fn realloc(
        &mut self,
        hooked: bool,
        domain: Domain,
        block: *mut u8,
        size: usize,
    ) -> *mut u8;

    /// # Safety
    /// `block` is live, and dead afterwards.
    unsafe fn free(&mut self, hooked: bool, domain: Domain, block: *mut u8);

    /// # Safety
    /// `block` is live.
    unsafe fn usable_size(&self, hooked: bool, block: *mut u8) -> usize;
}

impl<A: NextAllocator, E: Era> Served for DebugHooks<A, E, true> {
    fn malloc(&mut self, hooked: bool, domain: Domain, size: usize) -> *mut u8 {
        if hooked { self.malloc(domain, size) } else { self.inner_mut().malloc(size) }
    }

    fn calloc(&mut self, hooked: bool, domain: Domain, count: usize, size: usize) -> *mut u8 {
        if hooked { self.calloc(domain, count, size) } else { self.inner_mut().calloc(count, size) }
    }

    fn aligned_alloc(&mut self, hooked: bool, align: usize, size: usize) -> *mut u8 {
        if hooked {
            self.aligned_alloc(Domain::Raw, align, size)
        } else {
            self.inner_mut().aligned_alloc(align, size)
        }
    }

    unsafe fn realloc(
        &mut self,
        hooked: bool,
        domain: Domain,
        block: *mut u8,
        size: usize,
    ) -> *mut u8 {
        if hooked {
            // SAFETY: the caller's obligation.
            unsafe { self.realloc(domain, block, size) }
        } else {
            // SAFETY: the caller's obligation.
            unsafe { self.inner_mut().realloc(block, size) }
        }
    }

    unsafe fn free(&mut self, hooked: bool, domain: Domain, block: *mut u8) {
        if hooked {
            // SAFETY: the caller's obligation.
            unsafe { self.free(domain, block) };
        } else {
            // SAFETY: the caller's obligation.
            unsafe { self.inner_mut().free(block) };
        }
    }

    unsafe fn usable_size(&self, hooked: bool, block: *mut u8) -> usize {
        if hooked {
            // SAFETY: the caller's obligation.
            unsafe { self.usable_size(block) }
        } else {
            // SAFETY: the caller's obligation.
            unsafe { self.inner().usable_size(block) }
        }
    }
}

/// Arenite in the shape of an allocator below another layer.
pub(crate) struct Flagship;

// SAFETY: Arenite's promises are the trait's; a size of 0 gets a block of its own.
unsafe impl NextAllocator for Flagship {
    const NAME: &'static str = "arenite";

    fn malloc(&mut self, size: usize) -> *mut u8 {
        Arenite::malloc(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        Arenite::calloc(count, size)
    }

    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        Arenite::aligned_alloc(align, size)
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligation.
        unsafe { Arenite::realloc(block, size) }
    }

    unsafe fn free(&mut self, block: *mut u8) {
        // SAFETY: the caller's obligation.
        unsafe { Arenite::free(block) };
    }

    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        // SAFETY: the caller's obligation.
        unsafe { Arenite::usable_size(block) }
    }
}

/// A heap that is reached under the lock alone.
struct Guarded<H>(UnsafeCell<H>);

// SAFETY: reached under the lock alone.
unsafe impl<H> Sync for Guarded<H> {}

type Hooked<A> = DebugHooks<A, Python38Hooks<true>, true>;

macro_rules! heaps {
    ($($name:literal: $heap:ty = $value:expr;)*) => {
        /// Name and heap. The second is to be dereferenced under the lock alone.
        pub(crate) fn by_name(name: &[u8]) -> Option<*mut dyn Served> {
            $(if name == $name.as_bytes() {
                static HEAP: Guarded<Hooked<$heap>> =
                    Guarded(UnsafeCell::new(DebugHooks::new($value)));
                return Some(HEAP.0.get());
            })*
            None
        }

        /// Every name, for the line that says what there is.
        pub(crate) const NAMES: &[u8] = concat!($($name, " "),*).as_bytes();
    };
}

type Watched<G, O, S> = WatchedHeap<G, O, S, GlibcMalloc>;

heaps! {
    "pymalloc-3.9": Watched<Python39, ArenaIndex<3>, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "pymalloc-3.11": Watched<Python311, RadixTree, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "pymalloc-3.15": Watched<Python315, RadixTree, HugePageSource> =
        Watched::new(HugePageSource::new(), GlibcMalloc);
    "classic-arena-index-2": Watched<Classic39Never, ArenaIndex<2>, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "classic-arena-index": Watched<Classic39, ArenaIndex<3>, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "classic-arena-index-debugger": Watched<Classic39, ArenaIndexDebugger, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "classic-arena-index-guarded": Watched<Classic39, ArenaIndexGuarded, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "classic-radix-tree": Watched<Classic39, RadixTree, MmapSource> =
        Watched::new(MmapSource, GlibcMalloc);
    "classic-page-map": Watched<Classic39, PageMap, AlignedSource> =
        Watched::new(AlignedSource, GlibcMalloc);
    "classic-reserved-range": Watched<Classic39, ReservedRange, ReservedSource> =
        Watched::new(ReservedSource::new(), GlibcMalloc);
    "classic-cookie": Watched<Classic39, Cookie, AlignedSource> =
        Watched::new(AlignedSource, GlibcMalloc);
    "arenite": Flagship = Flagship;
}
