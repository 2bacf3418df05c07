//! Presets: the classic heap as CPython shipped it, era by era.
//!
//! | preset | alignment | threshold | pool | arena | arenas from | given back | ownership |
//! |---|---|---|---|---|---|---|---|
//! | `pymalloc-2.3` | 8 | 256 | 4 KiB | 256 KiB | malloc | never | arena index, 2 clauses |
//! | `pymalloc-3.9` | 16 | 512 | 4 KiB | 256 KiB | mmap | all but the last | arena index, 3 clauses |
//! | `pymalloc-3.11` | 16 | 512 | 16 KiB | 1 MiB | mmap | all but the last | radix tree |
//!
//! The numbers are those of Objects/obmalloc.c of each release, on 64-bit Linux. Known differences
//! from 2.3: it kept one list of empty pools for all arenas, here they stay with their arena and
//! the fullest arena is used first; it leaked outgrown arena tables, here they are freed; and it
//! read beyond the end of foreign blocks that `realloc` took over, here the copy is bounded.

use crate::geometry::{ForeignRealloc, Geometry, Release};
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::Ownership;
use crate::ownership::arena_index::ArenaIndex;
use crate::ownership::radix_tree::RadixTree;
use crate::source::ArenaSource;
use crate::source::malloc::MallocSource;
use crate::source::mmap::MmapSource;

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

/// `pymalloc-2.3`.
pub type Pymalloc23<N> = ClassicHeap<Python23, ArenaIndex<2>, MallocSource, N>;
/// `pymalloc-3.9`.
pub type Pymalloc39<N> = ClassicHeap<Python39, ArenaIndex<3>, MmapSource, N>;
/// `pymalloc-3.11`.
pub type Pymalloc311<N> = ClassicHeap<Python311, RadixTree, MmapSource, N>;

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
