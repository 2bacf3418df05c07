//! Arenite: an arena allocator in pymalloc's tradition, built from interchangeable parts.
#![no_std]

#[cfg(test)]
extern crate std;

mod arena;
mod geometry;
mod heap;
mod next;
mod ownership;
mod pool;
mod presets;
mod size_class;
mod source;
mod stats;
mod sys;
mod usable_arenas;
mod used_pools;
mod validate;

pub use arena::ArenaTable;
pub use geometry::{ForeignRealloc, Geometry, MAX_CLASSES, MAX_POOLS_PER_ARENA, Release};
pub use heap::ClassicHeap;
pub use next::NextAllocator;
pub use next::system_malloc::SystemMalloc;
pub use ownership::arena_index::ArenaIndex;
pub use ownership::radix_tree::RadixTree;
pub use ownership::{Ownership, OwnershipTables};
pub use presets::{Preset, Pymalloc23, Pymalloc39, Pymalloc311, Python23, Python39, Python311};
pub use source::ArenaSource;
pub use source::malloc::MallocSource;
pub use source::mmap::MmapSource;
pub use stats::{ClassStats, Stats};
pub use validate::{Invariant, Violation};
