//! A heap as a trait object, so that one test runs on every preset and on small geometries.

use arenite::{
    ArenaIndex, ArenaSource, ClassicArenaIndex, ClassicArenaIndex2, ClassicArenaIndexDebugger,
    ClassicArenaIndexGuarded, ClassicCookie, ClassicHeap, ClassicPageMap, ClassicRadixTree,
    ClassicReservedRange, ForeignRealloc, Geometry, MmapSource, NextAllocator, Ownership, Preset,
    Pymalloc23, Pymalloc27, Pymalloc39, Pymalloc311, Pymalloc315, Release, Stats, SystemMalloc,
};

/// The operations and numbers of a heap. The unsafe ones ask what the heap's ask.
pub(crate) trait Subject {
    fn malloc(&mut self, size: usize) -> *mut u8;
    fn calloc(&mut self, count: usize, size: usize) -> *mut u8;
    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8;
    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8;
    unsafe fn free(&mut self, ptr: *mut u8);
    unsafe fn usable_size(&self, ptr: *mut u8) -> usize;
    unsafe fn owns(&self, ptr: *mut u8) -> bool;
    unsafe fn give_back(&mut self);
    fn stats(&self) -> Stats;

    fn alignment(&self) -> usize;
    fn threshold(&self) -> usize;
    fn pool_bytes(&self) -> usize;
    fn release(&self) -> Release;
    fn takes_over(&self) -> bool;

    /// Fails the test if an invariant is broken or the byte account does not add up.
    fn assert_sound(&self);

    /// Block size of the class that serves `size`.
    fn block_bytes(&self, size: usize) -> usize {
        size.next_multiple_of(self.alignment())
    }

    /// Blocks in a pool of the class that serves `size`.
    fn capacity(&self, size: usize) -> usize {
        (self.pool_bytes() - 48) / self.block_bytes(size)
    }

    /// Whether a pool serves `size`.
    fn is_small(&self, size: usize) -> bool {
        (1..=self.threshold()).contains(&size)
    }

    /// Address of the pool that a block lies in.
    fn pool_of(&self, block: *mut u8) -> usize {
        block.addr() & !(self.pool_bytes() - 1)
    }
}

impl<G, O, S, N> Subject for ClassicHeap<G, O, S, N>
where
    G: Geometry,
    O: Ownership<G>,
    S: ArenaSource,
    N: NextAllocator,
{
    fn malloc(&mut self, size: usize) -> *mut u8 {
        self.malloc(size)
    }
    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        self.calloc(count, size)
    }
    fn aligned_alloc(&mut self, align: usize, size: usize) -> *mut u8 {
        self.aligned_alloc(align, size)
    }
    unsafe fn realloc(&mut self, ptr: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: forwarded to the caller.
        unsafe { self.realloc(ptr, size) }
    }
    unsafe fn free(&mut self, ptr: *mut u8) {
        // SAFETY: forwarded to the caller.
        unsafe { self.free(ptr) };
    }
    unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { self.usable_size(ptr) }
    }
    unsafe fn owns(&self, ptr: *mut u8) -> bool {
        // SAFETY: forwarded to the caller.
        unsafe { self.owns(ptr) }
    }
    unsafe fn give_back(&mut self) {
        // SAFETY: forwarded to the caller.
        unsafe { self.give_back() };
    }
    fn stats(&self) -> Stats {
        self.stats()
    }
    fn alignment(&self) -> usize {
        G::ALIGNMENT
    }
    fn threshold(&self) -> usize {
        G::THRESHOLD
    }
    fn pool_bytes(&self) -> usize {
        G::POOL_BYTES
    }
    fn release(&self) -> Release {
        G::RELEASE
    }
    fn takes_over(&self) -> bool {
        G::FOREIGN_REALLOC == ForeignRealloc::TakeOver
    }
    fn assert_sound(&self) {
        if let Err(violation) = self.validate() {
            panic!("{violation}");
        }
        let stats = self.stats();
        assert_eq!(stats.accounted_bytes(), stats.mapped_bytes(), "{stats}");
    }
}

/// A geometry with 8 pools of 4 KiB in an arena, for tests that want many arenas.
pub(crate) struct Tiny<const RELEASE: u8>;

impl<const RELEASE: u8> Geometry for Tiny<RELEASE> {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 4 << 10;
    const ARENA_BYTES: usize = 32 << 10;
    const RELEASE: Release = match RELEASE {
        0 => Release::Never,
        1 => Release::EveryEmpty,
        _ => Release::AllButLast,
    };
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

pub(crate) type TinyNever = Tiny<0>;
pub(crate) type TinyEveryEmpty = Tiny<1>;
pub(crate) type TinyAllButLast = Tiny<2>;

/// A heap of a small geometry with the given source.
pub(crate) type TinyHeap<G, S> = ClassicHeap<G, ArenaIndex<3>, S, SystemMalloc>;

/// The presets by name, eras first, then every strategy on one geometry.
pub(crate) fn presets() -> Vec<(&'static str, Box<dyn Subject>)> {
    fn named<P: Preset + Subject + 'static>(heap: P) -> (&'static str, Box<dyn Subject>) {
        (P::NAME, Box::new(heap))
    }
    vec![
        named(Pymalloc23::preset(SystemMalloc)),
        named(Pymalloc27::preset(SystemMalloc)),
        named(Pymalloc39::preset(SystemMalloc)),
        named(Pymalloc311::preset(SystemMalloc)),
        named(Pymalloc315::preset(SystemMalloc)),
        named(ClassicArenaIndex2::preset(SystemMalloc)),
        named(ClassicArenaIndex::preset(SystemMalloc)),
        named(ClassicArenaIndexDebugger::preset(SystemMalloc)),
        named(ClassicArenaIndexGuarded::preset(SystemMalloc)),
        named(ClassicRadixTree::preset(SystemMalloc)),
        named(ClassicPageMap::preset(SystemMalloc)),
        named(ClassicReservedRange::preset(SystemMalloc)),
        named(ClassicCookie::preset(SystemMalloc)),
    ]
}

/// The presets and the small geometry under each release rule.
pub(crate) fn all() -> Vec<(&'static str, Box<dyn Subject>)> {
    let mut subjects = presets();
    let never: TinyHeap<TinyNever, MmapSource> = ClassicHeap::new(MmapSource, SystemMalloc);
    let every: TinyHeap<TinyEveryEmpty, MmapSource> = ClassicHeap::new(MmapSource, SystemMalloc);
    let but_last: TinyHeap<TinyAllButLast, MmapSource> = ClassicHeap::new(MmapSource, SystemMalloc);
    subjects.push(("tiny-never", Box::new(never)));
    subjects.push(("tiny-every-empty", Box::new(every)));
    subjects.push(("tiny-all-but-last", Box::new(but_last)));
    subjects
}
