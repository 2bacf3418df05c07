//! Presets: the classic heap as CPython shipped it, era by era.
//!
//! | preset | alignment | threshold | pool | arena | arenas from | given back | ownership |
//! |---|---|---|---|---|---|---|---|
//! | `pymalloc-2.3` | 8 | 256 | 4 KiB | 256 KiB | malloc | never | arena index, 2 clauses |
//! | `pymalloc-2.7` | 8 | 512 | 4 KiB | 256 KiB | mmap | every empty one | arena index, 3 clauses |
//! | `pymalloc-3.9` | 16 | 512 | 4 KiB | 256 KiB | mmap | all but the last | arena index, 3 clauses |
//! | `pymalloc-3.11` | 16 | 512 | 16 KiB | 1 MiB | mmap | all but the last | radix tree |
//! | `pymalloc-3.15` | 16 | 512 | 16 KiB | 2 MiB | huge pages | all but the last | radix tree |
//!
//! The numbers are those of Objects/obmalloc.c of each release, on 64-bit Linux. Known differences
//! from 2.3: it kept one list of empty pools for all arenas, here they stay with their arena and
//! the fullest arena is used first; it leaked outgrown arena tables, here they are freed; and it
//! read beyond the end of foreign blocks that `realloc` took over, here the copy is bounded.
//!
//! `classic-<strategy>` are no eras: one geometry, that of 3.9, under every ownership strategy, to
//! show what the strategy alone costs and reports. Their source is the one the strategy needs, and
//! `classic-arena-index-2` gives no arena back.

use crate::geometry::{ForeignRealloc, Geometry, Release};
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::ownership::arena_index::{ArenaIndex, ArenaIndexDebugger, ArenaIndexGuarded};
use crate::ownership::cookie::Cookie;
use crate::ownership::page_map::PageMap;
use crate::ownership::radix_tree::RadixTree;
use crate::ownership::reserved_range::ReservedRange;
use crate::source::ArenaSource;
use crate::source::aligned::AlignedSource;
use crate::source::huge_page::HugePageSource;
use crate::source::malloc::MallocSource;
use crate::source::mmap::MmapSource;
use crate::source::reserved::ReservedSource;

/// The geometry of CPython 2.3 and 2.4.
pub struct Python23;

impl Geometry for Python23 {
    const ALIGNMENT: usize = 8;
    const THRESHOLD: usize = 256;
    const POOL_BYTES: usize = 4 << 10;
    const ARENA_BYTES: usize = 256 << 10;
    const RELEASE: Release = Release::Never;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::TakeOver;
}

/// The geometry of the last releases of CPython 2.7 that kept 8-byte classes.
pub struct Python27;

impl Geometry for Python27 {
    const ALIGNMENT: usize = 8;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 4 << 10;
    const ARENA_BYTES: usize = 256 << 10;
    const RELEASE: Release = Release::EveryEmpty;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

/// The geometry of CPython 3.9.
pub struct Python39;

impl Geometry for Python39 {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 4 << 10;
    const ARENA_BYTES: usize = 256 << 10;
    const RELEASE: Release = Release::AllButLast;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

/// The geometry of CPython 3.9 under another name: `classic-arena-index` has the parts of
/// `pymalloc-3.9`, and two presets cannot be one type.
pub struct Classic39;

impl Geometry for Classic39 {
    const ALIGNMENT: usize = Python39::ALIGNMENT;
    const THRESHOLD: usize = Python39::THRESHOLD;
    const POOL_BYTES: usize = Python39::POOL_BYTES;
    const ARENA_BYTES: usize = Python39::ARENA_BYTES;
    const RELEASE: Release = Python39::RELEASE;
    const FOREIGN_REALLOC: ForeignRealloc = Python39::FOREIGN_REALLOC;
}

/// The geometry of CPython 3.9 with arenas that are never given back.
pub struct Classic39Never;

impl Geometry for Classic39Never {
    const ALIGNMENT: usize = Python39::ALIGNMENT;
    const THRESHOLD: usize = Python39::THRESHOLD;
    const POOL_BYTES: usize = Python39::POOL_BYTES;
    const ARENA_BYTES: usize = Python39::ARENA_BYTES;
    const RELEASE: Release = Release::Never;
    const FOREIGN_REALLOC: ForeignRealloc = Python39::FOREIGN_REALLOC;
}

/// The geometry of CPython 3.10 to 3.14.
pub struct Python311;

impl Geometry for Python311 {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 16 << 10;
    const ARENA_BYTES: usize = 1 << 20;
    const RELEASE: Release = Release::AllButLast;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

/// The geometry of CPython 3.15 built for huge pages.
pub struct Python315;

impl Geometry for Python315 {
    const ALIGNMENT: usize = 16;
    const THRESHOLD: usize = 512;
    const POOL_BYTES: usize = 16 << 10;
    const ARENA_BYTES: usize = 2 << 20;
    const RELEASE: Release = Release::AllButLast;
    const FOREIGN_REALLOC: ForeignRealloc = ForeignRealloc::Stay;
}

/// `pymalloc-2.3`.
pub type Pymalloc23<N> = ClassicHeap<Python23, ArenaIndex<2>, MallocSource, N>;
/// `pymalloc-2.7`.
pub type Pymalloc27<N> = ClassicHeap<Python27, ArenaIndex<3>, MmapSource, N>;
/// `pymalloc-3.9`.
pub type Pymalloc39<N> = ClassicHeap<Python39, ArenaIndex<3>, MmapSource, N>;
/// `pymalloc-3.11`.
pub type Pymalloc311<N> = ClassicHeap<Python311, RadixTree, MmapSource, N>;
/// `pymalloc-3.15`.
pub type Pymalloc315<N> = ClassicHeap<Python315, RadixTree, HugePageSource, N>;

/// `classic-arena-index-2`.
pub type ClassicArenaIndex2<N> = ClassicHeap<Classic39Never, ArenaIndex<2>, MmapSource, N>;
/// `classic-arena-index`.
pub type ClassicArenaIndex<N> = ClassicHeap<Classic39, ArenaIndex<3>, MmapSource, N>;
/// `classic-arena-index-debugger`.
pub type ClassicArenaIndexDebugger<N> = ClassicHeap<Classic39, ArenaIndexDebugger, MmapSource, N>;
/// `classic-arena-index-guarded`.
pub type ClassicArenaIndexGuarded<N> = ClassicHeap<Classic39, ArenaIndexGuarded, MmapSource, N>;
/// `classic-radix-tree`.
pub type ClassicRadixTree<N> = ClassicHeap<Classic39, RadixTree, MmapSource, N>;
/// `classic-page-map`.
pub type ClassicPageMap<N> = ClassicHeap<Classic39, PageMap, AlignedSource, N>;
/// `classic-reserved-range`.
pub type ClassicReservedRange<N> = ClassicHeap<Classic39, ReservedRange, ReservedSource, N>;
/// `classic-cookie`.
pub type ClassicCookie<N> = ClassicHeap<Classic39, Cookie, AlignedSource, N>;

/// A heap that is known by name.
pub trait Preset {
    /// Name as a subject, such as `pymalloc-3.11`.
    const NAME: &'static str;
    /// A sentence on the era it stands for.
    const ERA: &'static str;
    /// Name of its ownership strategy, such as `radix-tree`.
    const OWNERSHIP: &'static str;
    /// Name of its arena source, such as `mmap`.
    const SOURCE: &'static str;
    /// Alignment of every block it hands out, in bytes.
    const ALIGNMENT: usize;
}

macro_rules! preset {
    ($heap:ident, $geometry:ident, $ownership:ty, $source:expr, $source_type:ty, $name:literal, $era:literal) => {
        impl<N: NextAllocator> Preset for $heap<N> {
            const NAME: &'static str = $name;
            const ERA: &'static str = $era;
            const OWNERSHIP: &'static str = <$ownership as Ownership<$geometry>>::NAME;
            const SOURCE: &'static str = <$source_type as ArenaSource>::NAME;
            const ALIGNMENT: usize = <$geometry as Geometry>::ALIGNMENT;
        }

        impl<N: NextAllocator> $heap<N> {
            /// An empty heap of this preset above the allocator `next`.
            #[must_use]
            pub const fn preset(next: N) -> Self {
                Self::new($source, next)
            }
        }
    };
}

preset!(
    Pymalloc23,
    Python23,
    ArenaIndex<2>,
    MallocSource,
    MallocSource,
    "pymalloc-2.3",
    "CPython 2.3 and 2.4: 8-byte classes to 256 bytes, arenas from malloc and never given back, \
     ownership by the index in the pool header in its 2-clause form."
);
preset!(
    Pymalloc39,
    Python39,
    ArenaIndex<3>,
    MmapSource,
    MmapSource,
    "pymalloc-3.9",
    "CPython 3.9: 16-byte classes to 512 bytes, 256 KiB mapped arenas of which one empty one is \
     kept, ownership by the index in the pool header in its 3-clause form."
);
preset!(
    Pymalloc311,
    Python311,
    RadixTree,
    MmapSource,
    MmapSource,
    "pymalloc-3.11",
    "CPython 3.10 to 3.14: 16-byte classes to 512 bytes, 16 KiB pools in 1 MiB mapped arenas, \
     ownership by a radix tree that never touches foreign memory."
);
preset!(
    Pymalloc27,
    Python27,
    ArenaIndex<3>,
    MmapSource,
    MmapSource,
    "pymalloc-2.7",
    "CPython 2.7: 8-byte classes to 512 bytes, 256 KiB mapped arenas given back as soon as they are \
     empty, ownership by the index in the pool header in its 3-clause form."
);
preset!(
    Pymalloc315,
    Python315,
    RadixTree,
    HugePageSource::new(),
    HugePageSource,
    "pymalloc-3.15",
    "CPython 3.15 built for huge pages: 16-byte classes to 512 bytes, 16 KiB pools in 2 MiB arenas \
     that ask for huge pages, ownership by a radix tree."
);
preset!(
    ClassicArenaIndex2,
    Classic39Never,
    ArenaIndex<2>,
    MmapSource,
    MmapSource,
    "classic-arena-index-2",
    "The geometry of CPython 3.9, ownership by the index in the pool header in its 2-clause form; no arena is given back."
);
preset!(
    ClassicArenaIndex,
    Classic39,
    ArenaIndex<3>,
    MmapSource,
    MmapSource,
    "classic-arena-index",
    "The geometry of CPython 3.9, ownership by the index in the pool header in its 3-clause form."
);
preset!(
    ClassicArenaIndexDebugger,
    Classic39,
    ArenaIndexDebugger,
    MmapSource,
    MmapSource,
    "classic-arena-index-debugger",
    "The geometry of CPython 3.9, ownership by the index in the pool header, read in a function of its own."
);
preset!(
    ClassicArenaIndexGuarded,
    Classic39,
    ArenaIndexGuarded,
    MmapSource,
    MmapSource,
    "classic-arena-index-guarded",
    "The geometry of CPython 3.9, ownership by the index in the pool header, read unseen by Valgrind."
);
preset!(
    ClassicRadixTree,
    Classic39,
    RadixTree,
    MmapSource,
    MmapSource,
    "classic-radix-tree",
    "The geometry of CPython 3.9, ownership by a radix tree."
);
preset!(
    ClassicPageMap,
    Classic39,
    PageMap,
    AlignedSource,
    AlignedSource,
    "classic-page-map",
    "The geometry of CPython 3.9, ownership by a byte per arena-sized granule of the address space."
);
preset!(
    ClassicReservedRange,
    Classic39,
    ReservedRange,
    ReservedSource::new(),
    ReservedSource,
    "classic-reserved-range",
    "The geometry of CPython 3.9, ownership by one reserved range of addresses."
);
preset!(
    ClassicCookie,
    Classic39,
    Cookie,
    AlignedSource,
    AlignedSource,
    "classic-cookie",
    "The geometry of CPython 3.9, ownership by a random word at the start of aligned arenas."
);
