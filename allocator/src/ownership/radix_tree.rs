//! Ownership by a radix tree over the address space.
//!
//! The address space is cut into slots as large as an arena. An arena that starts on a slot's edge
//! fills that slot; any other straddles two. A leaf entry says of a slot which part of it is ours:
//!
//! ```text
//!            slot k                        slot k+1
//! |..............[ arena starts at t | arena ends at t )...............|
//!          high(k) = t                     low(k+1) = t
//! ours:    offset >= t                     offset < t
//! ```
//!
//! In decimal, with slots of 100: an arena at 357 covers 357 to 456. Slot 3 gets high = 57, slot 4
//! gets low = 57. Is 410 ours? Slot 4, offset 10 < 57: yes. 480? Offset 80: no, unless another
//! arena starts in slot 4 at 80 or below. `high` = 0 means that no arena starts in the slot, and
//! one that starts exactly at its edge is written as -1, which every offset reaches.
//!
//! ```text
//! address bits   63..49      48..34      33..ARENA_BITS    ARENA_BITS-1..0
//!                top index   mid index   leaf index        offset in the slot
//! entries        32768       32768       2^(34-ARENA_BITS)
//! bytes          256 KiB     256 KiB     128 KiB for 1 MiB arenas (16 GiB of addresses a leaf)
//! ```
//!
//! The top table is part of the heap and all zero at first; nodes come zeroed from the next
//! allocator and stay while the heap runs. Only what is read gets memory from the OS.
//!
//! *What it touches*: its own tables, never the memory asked about. *Foreign pointers*: any bit
//! pattern is answered rightly, null, unmapped and non-canonical addresses too. *Cost*: at most
//! three dependent loads; an address far from any arena ends at the first or second. Constant.
//! *Pool sizes*: any.
//!
//! The tree is that of CPython 3.10.

#[cfg(test)]
mod tests;

use core::ptr::NonNull;

use crate::arena::ArenaTable;
use crate::geometry::Geometry;
use crate::next::NextAllocator;
use crate::ownership::{Ownership, OwnershipTables};
use crate::validate::{Invariant, Violation};

const INNER_BITS: u32 = 15;
const INNER_LEN: usize = 1 << INNER_BITS;
/// log2 of the address range of one leaf.
const LEAF_RANGE_BITS: u32 = usize::BITS - 2 * INNER_BITS;

/// What of a slot is ours; see the drawing above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub(crate) struct Tails {
    pub(crate) low: i32,
    pub(crate) high: i32,
}

/// The first of the entries of a leaf, whose number depends on the arena size.
pub(crate) type Leaf = NonNull<Tails>;
type Mid = [Option<Leaf>; INNER_LEN];

const _: () = assert!(size_of::<Tails>() == 8);
const _: () = assert!(size_of::<Mid>() == 256 << 10);

/// Three-level radix tree over the address space, with leaf entries as large as an arena.
///
/// 256 KiB, nearly all of which stays untouched zero pages. See the head of this module for what it
/// promises.
pub struct RadixTree {
    top: [Option<NonNull<Mid>>; INNER_LEN],
    mid_nodes: usize,
    leaf_nodes: usize,
}

// SAFETY: the tree owns its nodes and is reached through `&mut` for changes.
unsafe impl Send for RadixTree {}

impl RadixTree {
    fn arena_bits<G: Geometry>() -> u32 {
        G::ARENA_BYTES.trailing_zeros()
    }

    fn leaf_len<G: Geometry>() -> usize {
        1 << (LEAF_RANGE_BITS - Self::arena_bits::<G>())
    }

    #[inline(always)]
    fn leaf_index<G: Geometry>(addr: usize) -> usize {
        (addr >> Self::arena_bits::<G>()) & (Self::leaf_len::<G>() - 1)
    }

    /// The leaf for `addr`, if there is one.
    #[inline(always)]
    fn leaf(&self, addr: usize) -> Option<Leaf> {
        let mid = self.top[addr >> (usize::BITS - INNER_BITS)]?;
        // SAFETY: nodes are linked when they are complete and stay until `give_back`.
        let mid = unsafe { mid.as_ref() };
        mid[(addr >> LEAF_RANGE_BITS) & (INNER_LEN - 1)]
    }

    /// The entry of the slot that `addr` lies in, if its leaf exists.
    #[inline(always)]
    pub(crate) fn entry<G: Geometry>(&self, addr: usize) -> Option<NonNull<Tails>> {
        let leaf = self.leaf(addr)?;
        // SAFETY: the index is masked to the length of a leaf.
        Some(unsafe { leaf.add(Self::leaf_index::<G>(addr)) })
    }

    /// Whether `addr` lies in a marked arena. Any address may be asked about.
    #[inline(always)]
    pub(crate) fn covers<G: Geometry>(&self, addr: usize) -> bool {
        let Some(entry) = self.entry::<G>(addr) else { return false };
        // SAFETY: entries are initialised (zeroed at first) and nobody writes during a test.
        let tails = unsafe { entry.read() };
        let offset = (addr & (G::ARENA_BYTES - 1)) as i32;
        offset < tails.low || (offset >= tails.high && tails.high != 0)
    }

    /// The entry of the slot that `addr` lies in; nodes that are missing are made.
    fn make_entry<G: Geometry, N: NextAllocator>(
        &mut self,
        addr: usize,
        next: &mut N,
    ) -> Option<NonNull<Tails>> {
        let top = &mut self.top[addr >> (usize::BITS - INNER_BITS)];
        let mut mid = if let Some(mid) = *top {
            mid
        } else {
            let mid = NonNull::new(next.calloc(1, size_of::<Mid>()).cast::<Mid>())?;
            self.mid_nodes += 1;
            *top.insert(mid)
        };
        // SAFETY: the node is zeroed or filled here, and only this tree reaches it.
        let mid = unsafe { mid.as_mut() };
        let slot = &mut mid[(addr >> LEAF_RANGE_BITS) & (INNER_LEN - 1)];
        if slot.is_none() {
            let leaf = next.calloc(Self::leaf_len::<G>(), size_of::<Tails>());
            *slot = Some(NonNull::new(leaf.cast())?);
            self.leaf_nodes += 1;
        }
        self.entry::<G>(addr)
    }

    /// Calls `visit` for every leaf.
    fn for_each_leaf(&self, mut visit: impl FnMut(Leaf)) {
        for mid in self.top.iter().flatten() {
            // SAFETY: as in `leaf`.
            let mid = unsafe { mid.as_ref() };
            for leaf in mid.iter().flatten() {
                visit(*leaf);
            }
        }
    }
}

/// Writes one side of an entry.
fn set_low(entry: NonNull<Tails>, low: i32) {
    // SAFETY: entries come from `entry` or `make_entry` and are initialised.
    unsafe { (*entry.as_ptr()).low = low };
}

fn set_high(entry: NonNull<Tails>, high: i32) {
    // SAFETY: as in `set_low`.
    unsafe { (*entry.as_ptr()).high = high };
}

// SAFETY: entries cover exactly the marked arenas (I16).
unsafe impl<G: Geometry> Ownership<G> for RadixTree {
    const NAME: &'static str = "radix-tree";
    const MAX_POOL_BYTES: usize = usize::MAX;
    const COMPATIBLE: () = {
        let bits = G::ARENA_BYTES.trailing_zeros();
        assert!(bits < 32, "offsets in a slot are kept in an i32");
        assert!(bits < LEAF_RANGE_BITS);
    };
    const NEW: Self = Self { top: [None; INNER_LEN], mid_nodes: 0, leaf_nodes: 0 };

    /// Whether `ptr` lies in an arena.
    ///
    /// # Safety
    /// None: `ptr` may be anything, it is not dereferenced.
    #[inline(always)]
    unsafe fn owns(&self, ptr: *mut u8, _arenas: &ArenaTable) -> bool {
        self.covers::<G>(ptr.addr())
    }

    fn mark<N: NextAllocator>(&mut self, base: usize, next: &mut N) -> bool {
        let Some(entry) = self.make_entry::<G, N>(base, next) else { return false };
        let start = (base & (G::ARENA_BYTES - 1)) as i32;
        if start == 0 {
            set_high(entry, -1);
            return true;
        }
        // Both entries are made before one is written: a refusal must leave nothing marked.
        let Some(upper) = self.make_entry::<G, N>(base + G::ARENA_BYTES, next) else {
            return false;
        };
        set_high(entry, start);
        set_low(upper, start);
        true
    }

    fn unmark(&mut self, base: usize) {
        if let Some(entry) = self.entry::<G>(base) {
            set_high(entry, 0);
        }
        if !base.is_multiple_of(G::ARENA_BYTES)
            && let Some(upper) = self.entry::<G>(base + G::ARENA_BYTES)
        {
            set_low(upper, 0);
        }
    }

    fn give_back<N: NextAllocator>(&mut self, next: &mut N) {
        // SAFETY: leaves came from this allocator, and the tree is emptied below.
        self.for_each_leaf(|leaf| unsafe { next.free(leaf.as_ptr().cast()) });
        for mid in self.top.iter_mut().filter_map(Option::take) {
            // SAFETY: as above.
            unsafe { next.free(mid.as_ptr().cast()) };
        }
        self.mid_nodes = 0;
        self.leaf_nodes = 0;
    }

    fn tables(&self) -> OwnershipTables {
        OwnershipTables {
            root_bytes: size_of_val(&self.top),
            mid_nodes: self.mid_nodes,
            mid_node_bytes: size_of::<Mid>(),
            leaf_nodes: self.leaf_nodes,
            leaf_node_bytes: Self::leaf_len::<G>() * size_of::<Tails>(),
        }
    }

    /// Cost: reads every leaf whole.
    fn check(&self, arenas: &ArenaTable) -> Result<(), Violation> {
        let (mut starts, mut straddles) = (0, 0);
        for (_, arena) in arenas.mapped() {
            let base = arena.base.get().addr();
            let start = (base & (G::ARENA_BYTES - 1)) as i32;
            let high = if start == 0 { -1 } else { start };
            let tails = |addr| self.entry::<G>(addr).map(read_entry).unwrap_or_default();
            Invariant::OwnershipRecords.holds(tails(base).high == high, base)?;
            starts += 1;
            if start != 0 {
                let low = tails(base + G::ARENA_BYTES).low;
                Invariant::OwnershipRecords.holds(low == start, base)?;
                straddles += 1;
            }
        }
        self.for_each_leaf(|leaf| {
            for index in 0..Self::leaf_len::<G>() {
                // SAFETY: in bounds of the leaf.
                let tails = read_entry(unsafe { leaf.add(index) });
                starts -= i64::from(tails.high != 0);
                straddles -= i64::from(tails.low != 0);
            }
        });
        Invariant::OwnershipRecords.holds(starts == 0 && straddles == 0, 0)
    }
}

fn read_entry(entry: NonNull<Tails>) -> Tails {
    // SAFETY: entries come from `entry` or lie in a leaf, and are initialised.
    unsafe { entry.read() }
}
