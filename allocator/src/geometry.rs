//! Geometry: the numbers and the era rules that shape a heap.
//!
//! A [`Geometry`] is a type without values; the heap reads its constants and compiles a version of
//! itself for each. It stands below everything else in the crate and knows nothing of pools or
//! lists. `size_class.rs` derives the class map from it, `presets.rs` holds the instances.
//!
//! The relations between the constants are checked at compile time (`Checked::<G>::OK`), when a
//! heap of that geometry is constructed: a geometry that breaks one does not compile.

use core::marker::PhantomData;

/// Size of a pool header in bytes; `pool.rs` draws it.
pub(crate) const HEADER_BYTES: usize = 48;
/// Upper bound of the number of size classes, `THRESHOLD / ALIGNMENT`.
pub const MAX_CLASSES: usize = 64;
/// Upper bound of the number of pools in an arena, `ARENA_BYTES / POOL_BYTES`.
pub const MAX_POOLS_PER_ARENA: usize = 256;

/// When an arena whose pools are all empty goes back to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Never: arenas are only ever added (2.3 and 2.4).
    Never,
    /// As soon as its last pool falls empty (2.5 to 3.8).
    EveryEmpty,
    /// As soon as its last pool falls empty, unless it is the last arena of the usable list, so
    /// that a load at the edge of an arena does not map and unmap on every turn (3.9 and later).
    AllButLast,
}

/// What `realloc` does with a block of the next allocator when the new size is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignRealloc {
    /// It stays with the next allocator for life, whatever its size becomes (2.5 and later).
    Stay,
    /// It moves into a pool (2.3 and 2.4). The copy is bounded by the usable size of the foreign
    /// block; the original copied the new size and so read beyond the end of a growing block.
    TakeOver,
}

/// The constants of a classic heap.
///
/// ```
/// use arenite::{ClassicHeap, ForeignRealloc, Geometry, MmapSource, RadixTree, Release, SystemMalloc};
///
/// /// Arenas as large as a huge page.
/// struct HugePages;
/// impl Geometry for HugePages {
///     const ALIGNMENT: usize = 16;
///     const THRESHOLD: usize = 512;
///     const POOL_BYTES: usize = 16 << 10;
///     const ARENA_BYTES: usize = 2 << 20;
///     const RELEASE: Release = Release::AllButLast;
///     const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
/// }
/// type Heap = ClassicHeap<HugePages, RadixTree, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
///
/// A geometry whose numbers do not fit together is refused by the compiler, here because two
/// blocks of the largest class do not fit into a pool:
///
/// ```compile_fail,E0080
/// use arenite::{ClassicHeap, ForeignRealloc, Geometry, MmapSource, RadixTree, Release, SystemMalloc};
///
/// struct Cramped;
/// impl Geometry for Cramped {
///     const ALIGNMENT: usize = 16;
///     const THRESHOLD: usize = 512;
///     const POOL_BYTES: usize = 1 << 10;
///     const ARENA_BYTES: usize = 256 << 10;
///     const RELEASE: Release = Release::AllButLast;
///     const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
/// }
/// type Heap = ClassicHeap<Cramped, RadixTree, MmapSource, SystemMalloc>;
/// static mut HEAP: Heap = Heap::new(MmapSource, SystemMalloc);
/// ```
pub trait Geometry {
    /// Alignment of every pool block and distance between two size classes, in bytes: 8 or 16.
    const ALIGNMENT: usize;
    /// Largest request that pools serve, in bytes; a multiple of `ALIGNMENT`.
    const THRESHOLD: usize;
    /// Size and alignment of a pool, in bytes; a power of two.
    const POOL_BYTES: usize;
    /// Size of an arena, in bytes; a power of two, at least three pools.
    const ARENA_BYTES: usize;
    /// When arenas are given back.
    const RELEASE: Release;
    /// What `realloc` does with foreign blocks.
    const FOREIGN_REALLOC: ForeignRealloc;
}

/// The compile-time check of a geometry.
pub(crate) struct Checked<G>(PhantomData<G>);

impl<G: Geometry> Checked<G> {
    /// Evaluating this constant refuses a geometry whose numbers do not fit together.
    pub(crate) const OK: () = {
        assert!(G::ALIGNMENT.is_power_of_two());
        assert!(G::ALIGNMENT >= size_of::<*mut u8>(), "a free link must fit the smallest block");
        assert!(HEADER_BYTES.is_multiple_of(G::ALIGNMENT), "the first block must be aligned");
        assert!(G::THRESHOLD.is_multiple_of(G::ALIGNMENT) && G::THRESHOLD > 0);
        assert!(G::THRESHOLD / G::ALIGNMENT <= MAX_CLASSES);
        assert!(G::POOL_BYTES.is_power_of_two());
        assert!(
            G::POOL_BYTES >= HEADER_BYTES + 2 * G::THRESHOLD,
            "a pool that stops being full must not be empty: it needs two blocks"
        );
        assert!(G::ARENA_BYTES.is_power_of_two());
        assert!(
            G::ARENA_BYTES >= 3 * G::POOL_BYTES,
            "one pool may be lost to alignment, and an arena with one pool would be in no list \
             when that pool falls empty"
        );
        assert!(G::ARENA_BYTES / G::POOL_BYTES <= MAX_POOLS_PER_ARENA);
        assert!(G::ARENA_BYTES <= 1 << 31, "offsets in an arena must fit an i32");
    };
}
