//! Arenite: an arena allocator in pymalloc's tradition.
//!
//! The crate holds two heaps. [`Arenite`] is the **flagship heap**: thread-safe, every size, for
//! programs; `flagship.rs` draws it. [`ClassicHeap`] is the **classic heap**: pymalloc's own
//! algorithm, built from interchangeable parts, for study; the rest of this page is about it.
//!
//! Small requests are served from *pools*, runs of equal *blocks*; pools are cut from *arenas*,
//! mappings of 256 KiB or 1 MiB. Everything else goes to the next allocator, the C library's malloc
//! as a rule. The words are those of the project's glossary (ARCHITECTURE.md).
//!
//! ```text
//! arena (one mapping)    | pool | pool | pool | pool | never cut ...                        |
//!                              /        \
//! pool (one size class)    | header | block | block | block | ... | tail |
//!                              |        \ a free block holds the address of the next free one
//!                              \ live blocks, first free block, list links, arena index, class
//!
//! heap      used lists      per class: the pools with free and live blocks       `used_pools.rs`
//!           usable arenas   the arenas with free pools, most full first       `usable_arenas.rs`
//!           arena table     one descriptor per arena                                  `arena.rs`
//!           ownership       is this address in one of our arenas?                 `ownership.rs`
//! ```
//!
//! # Layers
//!
//! A file may use those above it only:
//!
//! | layer | files |
//! |---|---|
//! | numbers and names | `geometry.rs`, `size_class.rs`, `validate.rs` |
//! | outside | `sys.rs` (C declarations), `valgrind.rs` (client requests), `source.rs` (arenas), `next.rs` (everything else) |
//! | structures | `pool.rs`, `arena.rs`, `used_pools.rs`, `usable_arenas.rs`, `ownership.rs` |
//! | heap | `heap.rs` and its folder, `stats.rs` |
//! | debug hooks | `hooks.rs` and its folder, on any next allocator |
//! | instances | `presets.rs`; for measuring `lab.rs`; for tests `fault.rs` |
//! | told blocks | `watch.rs` and its folder, for both heaps; `watched_heap.rs` over a classic one |
//! | the flagship heap | `flagship.rs` and its folder, on `sys.rs` and `valgrind.rs` alone |
//!
//! Sixteen numbered invariants are stated at the heads of the structure files and checked by
//! [`ClassicHeap::validate`]; `validate.rs` is their index.
//!
//! # Using a preset
//!
//! ```
//! use arenite::{Pymalloc39, SystemMalloc};
//!
//! // All zero bytes: stands in .bss and asks for nothing before the first allocation.
//! static mut HEAP: Pymalloc39<SystemMalloc> = Pymalloc39::preset(SystemMalloc);
//!
//! // SAFETY: one thread only, and this is the only reference.
//! let heap = unsafe { &mut *&raw mut HEAP };
//! let block = heap.malloc(24);
//! // SAFETY: live, and freed once.
//! unsafe { heap.free(block) };
//! heap.validate().expect("every invariant holds");
//! println!("{}", heap.stats());
//! ```
//!
//! # Adding to it
//!
//! * A *geometry*: a type that implements [`Geometry`]. Numbers that do not fit do not compile.
//! * An *ownership strategy*: a type that implements [`Ownership`]; `tests/all/extension.rs` adds
//!   one from outside of the crate.
//! * An *arena source* or *next allocator*: [`ArenaSource`], [`NextAllocator`].
//! * A *preset*: a geometry, a type alias and a line in `presets.rs`.
//!
//! # What it never does
//!
//! It has no dependency, uses no global allocator, formats only into a caller's `fmt` writer, reads
//! no clock and never unwinds. The classic heap takes no lock: `&mut` is the lock. Neither heap is
//! async-signal-safe.
#![no_std]

#[cfg(test)]
extern crate std;

mod arena;
pub mod fault;
mod flagship;
mod geometry;
mod heap;
mod hooks;
mod lab;
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
mod valgrind;
mod validate;
mod watch;
mod watched_heap;

pub use arena::ArenaTable;
pub use flagship::{
    Arenite, AreniteChecked, AreniteLab, FlagshipInvariant, FlagshipStats, FlagshipViolation,
    ForeignFunctions, Heap,
};
pub use geometry::{ForeignRealloc, Geometry, MAX_CLASSES, MAX_POOLS_PER_ARENA, Release};
pub use heap::ClassicHeap;
pub use hooks::era::{Era, Python23Hooks, Python27Hooks, Python38Hooks};
pub use hooks::live::{LiveBlock, LiveBlocks};
pub use hooks::report::Damage;
pub use hooks::serial::arenite_serial_number;
pub use hooks::{
    DebugHooks, Domain, HookedPymalloc23, HookedPymalloc39, HookedPymalloc311, looks_freed,
};
pub use lab::{MadeUpSource, OwnershipLab};
pub use next::NextAllocator;
pub use next::glibc_malloc::GlibcMalloc;
pub use next::system_malloc::SystemMalloc;
pub use ownership::arena_index::{ArenaIndex, ArenaIndexDebugger, ArenaIndexGuarded};
pub use ownership::cookie::Cookie;
pub use ownership::page_map::PageMap;
pub use ownership::radix_tree::RadixTree;
pub use ownership::reserved_range::ReservedRange;
pub use ownership::{Ownership, OwnershipTables};
pub use presets::{
    Classic39, Classic39Never, ClassicArenaIndex, ClassicArenaIndex2, ClassicArenaIndexDebugger,
    ClassicArenaIndexGuarded, ClassicCookie, ClassicPageMap, ClassicRadixTree,
    ClassicReservedRange, Preset, Pymalloc23, Pymalloc27, Pymalloc39, Pymalloc311, Pymalloc315,
    Python23, Python27, Python39, Python311, Python315,
};
pub use source::ArenaSource;
pub use source::aligned::AlignedSource;
pub use source::huge_page::HugePageSource;
pub use source::malloc::MallocSource;
pub use source::mmap::MmapSource;
pub use source::reserved::ReservedSource;
pub use stats::{ClassStats, Stats};
pub use valgrind::client_request;
pub use validate::{Invariant, Violation};
pub use watched_heap::{WatchedHeap, WatchedSource};
