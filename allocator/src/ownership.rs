//! The ownership test: is this address ours?
//!
//! `free` and `realloc` get a pointer and nothing else. Whether it lies in an arena of the heap or
//! belongs to the next allocator decides everything that follows, so the question is asked on every
//! call, and its cost and its manners are what the strategies differ in:
//!
//! | strategy | reads | foreign pointers | pool size |
//! |---|---|---|---|
//! | [`ArenaIndex`](crate::ArenaIndex) | 4 bytes of the pointer's own OS page | right, but the read may touch freed or undefined memory | at most an OS page |
//! | [`ArenaIndexDebugger`](crate::ArenaIndexDebugger) | the same, from a function of its own | the same, with one frame to suppress | at most an OS page |
//! | [`ArenaIndexGuarded`](crate::ArenaIndexGuarded) | the same, unseen by Valgrind | the same, nothing is reported | at most an OS page |
//! | [`RadixTree`](crate::RadixTree) | its own tables | right, touches nothing foreign | any |
//! | [`PageMap`](crate::PageMap) | one byte of its own map | right, touches nothing foreign | any |
//! | [`ReservedRange`](crate::ReservedRange) | nothing but two words of the heap | right, touches nothing foreign | any |
//! | [`Cookie`](crate::Cookie) | the first word of the arena that would hold the pointer | wrong once in 2^64; between our arenas the read may fault | any |
//!
//! A new strategy is a further implementation of [`Ownership`]. `mark` and `unmark` see every arena
//! come and go; a strategy that keeps something in the arenas themselves says how much
//! (`HEAD_BYTES`) and writes it in `stamp`. What it needs of the arena source it says in constants.
//!
//! Invariants:
//! * **I15** The test accepts the first and the last byte of every cut pool.
//! * **I16** The strategy's own records name exactly the arenas that are mapped.

pub(crate) mod arena_index;
pub(crate) mod cookie;
pub(crate) mod page_map;
pub(crate) mod radix_tree;
pub(crate) mod reserved_range;

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::validate::Violation;

/// A way to tell the heap's own blocks from foreign pointers.
///
/// # Safety
/// `owns` must answer `true` for every address in a cut pool of the heap, `false` for every address
/// outside of its arenas, and must not write. The heap dereferences what `owns` accepts. Where the
/// source's reservation holds nothing but arenas, all of the reservation may be taken for ours.
pub unsafe trait Ownership<G: Geometry>: Sized {
    /// Name in reports, such as `radix-tree`.
    const NAME: &'static str;
    /// Largest pool with which `owns` is safe, in bytes. A heap with larger ones does not compile.
    const MAX_POOL_BYTES: usize;
    /// Whether arenas must be aligned to their size. Other sources do not compile.
    const NEEDS_ALIGNED_ARENAS: bool = false;
    /// Whether arenas must be cut from one reservation. Other sources do not compile.
    const NEEDS_ONE_RESERVATION: bool = false;
    /// Bytes that the strategy keeps at the start of every arena: at most a pool, which gives way.
    const HEAD_BYTES: usize = 0;
    /// Further demands on the geometry, asserted when a heap is constructed.
    const COMPATIBLE: () = ();
    /// The strategy before the first arena. All zero bytes, if heaps are to stand in `.bss`.
    const NEW: Self;

    /// Whether `ptr` lies in an arena of the heap.
    ///
    /// Exact for addresses in cut pools and for addresses outside of the arenas. For an address in
    /// an arena but in no cut pool, which no caller was ever given, either answer may come.
    ///
    /// # Safety
    /// What a strategy may read on behalf of `ptr` differs; each says which pointers it permits.
    /// Every strategy permits pointers to live blocks of the heap and, but for
    /// [`Cookie`](crate::Cookie), of the next allocator.
    unsafe fn owns(&self, ptr: *mut u8, arenas: &ArenaTable) -> bool;

    /// Learns that `[base, base + ARENA_BYTES)` became an arena. `false` when memory for the
    /// strategy's own tables is refused by `next`; nothing is marked then.
    fn mark<N: NextAllocator>(&mut self, base: usize, next: &mut N) -> bool;

    /// Writes what `owns` looks for into the first `HEAD_BYTES` of an arena that was marked.
    ///
    /// # Safety
    /// `arena` is the start of a mapped arena, whose head nobody else uses.
    unsafe fn stamp(&mut self, _arena: *mut u8) {}

    /// Takes out what `stamp` wrote, before the arena goes back to its source.
    ///
    /// # Safety
    /// As for `stamp`.
    unsafe fn erase(&mut self, _arena: *mut u8) {}

    /// Forgets an arena that was marked.
    fn unmark(&mut self, base: usize);

    /// Gives the strategy's own tables back. No arena is marked.
    fn give_back<N: NextAllocator>(&mut self, next: &mut N);

    /// The strategy's own tables.
    fn tables(&self) -> OwnershipTables {
        OwnershipTables::default()
    }

    /// Checks I16.
    ///
    /// # Errors
    /// The violation found first.
    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation>;
}

/// What an ownership strategy keeps for itself, beside the arenas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnershipTables {
    /// Bytes of the table that is part of the heap.
    pub root_bytes: usize,
    /// Inner nodes allocated.
    pub mid_nodes: usize,
    /// Bytes of one inner node.
    pub mid_node_bytes: usize,
    /// Leaf nodes allocated.
    pub leaf_nodes: usize,
    /// Bytes of one leaf node.
    pub leaf_node_bytes: usize,
}

impl OwnershipTables {
    /// Bytes of all tables together.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.root_bytes
            + self.mid_nodes * self.mid_node_bytes
            + self.leaf_nodes * self.leaf_node_bytes
    }
}
