//! Statistics in the shape of Python's `sys._debugmallocstats()`.
//!
//! A [`Stats`] is a snapshot taken by walking every cut pool; the heap keeps no running counters
//! that its fast paths would have to pay for. Its byte account leaves nothing out: every byte of
//! every arena is in a live block, in a free block, in a pool that no class holds, in a pool
//! header, in the tail of a pool that is too short for a block, or lost because the arena does not
//! start on a pool boundary. The six add up to arenas * arena size exactly.
//!
//! Printing (`Display`) writes the table through `core::fmt` and allocates nothing.

pub(crate) mod table;

use crate::geometry::{Geometry, HEADER_BYTES, MAX_CLASSES};
use crate::heap::ClassicHeap;
use crate::next::NextAllocator;
use crate::ownership::{Ownership, OwnershipTables};
use crate::size_class::SizeClasses;
use crate::source::ArenaSource;

/// What a size class holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassStats {
    /// Size of a block, in bytes.
    pub block_bytes: usize,
    /// Pools that the class holds, used or full.
    pub pools: usize,
    /// Blocks handed out.
    pub live_blocks: usize,
    /// Blocks of these pools that are free or not yet cut.
    pub free_blocks: usize,
}

/// A snapshot of a classic heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Largest request that pools serve, in bytes.
    pub threshold: usize,
    /// Size of an arena, in bytes.
    pub arena_bytes: usize,
    /// Size of a pool, in bytes.
    pub pool_bytes: usize,
    /// Arenas obtained since the heap began.
    pub arenas_ever: u64,
    /// Arenas given back.
    pub arenas_reclaimed: u64,
    /// Most arenas held at one time.
    pub arenas_high_water: usize,
    /// Arenas held.
    pub arenas_current: usize,
    /// Bytes in live blocks, at block size.
    pub live_bytes: usize,
    /// Bytes in the free blocks of pools that a class holds.
    pub free_bytes: usize,
    /// Pools that no class holds.
    pub unused_pools: usize,
    /// Bytes in headers of pools that a class holds.
    pub header_bytes: usize,
    /// Bytes at the end of pools that are too few for another block.
    pub quantization_bytes: usize,
    /// Bytes lost because arenas do not start on a pool boundary.
    pub alignment_bytes: usize,
    /// Blocks of the next allocator handed out and not freed through this heap. Negative if more
    /// foreign blocks were freed here than handed out.
    pub raw_blocks: i64,
    /// Tables of the ownership strategy, which are not part of the arenas.
    pub ownership: OwnershipTables,
    classes: [ClassStats; MAX_CLASSES],
    class_count: usize,
}

impl Stats {
    /// The size classes in ascending order, empty ones included.
    #[must_use]
    pub fn classes(&self) -> &[ClassStats] {
        &self.classes[..self.class_count]
    }

    /// Bytes in pools that no class holds.
    #[must_use]
    pub fn unused_pool_bytes(&self) -> usize {
        self.unused_pools * self.pool_bytes
    }

    /// The byte account: equal to [`mapped_bytes`](Self::mapped_bytes), or the heap is broken.
    #[must_use]
    pub fn accounted_bytes(&self) -> usize {
        self.live_bytes
            + self.free_bytes
            + self.unused_pool_bytes()
            + self.header_bytes
            + self.quantization_bytes
            + self.alignment_bytes
    }

    /// Bytes in arenas: their number times their size.
    #[must_use]
    pub fn mapped_bytes(&self) -> usize {
        self.arenas_current * self.arena_bytes
    }

    /// Blocks handed out from pools.
    #[must_use]
    pub fn pool_blocks(&self) -> usize {
        self.classes().iter().map(|class| class.live_blocks).sum()
    }

    /// Blocks handed out altogether, as `sys.getallocatedblocks()` counts them: those from pools
    /// and the raw ones.
    #[must_use]
    pub fn allocated_blocks(&self) -> i64 {
        self.pool_blocks() as i64 + self.raw_blocks
    }
}

impl<G: Geometry, O: Ownership<G>, S: ArenaSource, N: NextAllocator> ClassicHeap<G, O, S, N> {
    /// A snapshot of the heap. Cost: reads the header of every cut pool.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            threshold: G::THRESHOLD,
            arena_bytes: G::ARENA_BYTES,
            pool_bytes: G::POOL_BYTES,
            arenas_ever: self.arenas.ever,
            arenas_reclaimed: self.arenas.reclaimed,
            arenas_high_water: self.arenas.high_water as usize,
            arenas_current: self.arenas.current() as usize,
            live_bytes: 0,
            free_bytes: 0,
            unused_pools: 0,
            header_bytes: 0,
            quantization_bytes: 0,
            alignment_bytes: 0,
            raw_blocks: self.raw_blocks,
            ownership: self.ownership.tables(),
            classes: [ClassStats::default(); MAX_CLASSES],
            class_count: G::CLASSES,
        };
        for (class, entry) in stats.classes.iter_mut().take(G::CLASSES).enumerate() {
            entry.block_bytes = G::block_bytes(class);
        }
        for (_, arena) in self.arenas.mapped() {
            let pools = arena.total_pools.get() as usize;
            stats.alignment_bytes += G::ARENA_BYTES - pools * G::POOL_BYTES;
            stats.unused_pools += arena.free_pools.get() as usize;
            for position in 0..arena.cut_pools::<G>() {
                let pool = arena.pool::<G>(position);
                let live = pool.live.get() as usize;
                if live == 0 {
                    continue;
                }
                let class = pool.class.get() as usize;
                let free = G::capacity(class) - live;
                if let Some(entry) = stats.classes.get_mut(class) {
                    entry.pools += 1;
                    entry.live_blocks += live;
                    entry.free_blocks += free;
                }
                stats.live_bytes += live * G::block_bytes(class);
                stats.free_bytes += free * G::block_bytes(class);
                stats.header_bytes += HEADER_BYTES;
                stats.quantization_bytes += G::tail_bytes(class);
            }
        }
        stats
    }
}
