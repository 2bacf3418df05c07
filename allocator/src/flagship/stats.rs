//! Statistics of the flagship heap, in the shape of Python's `sys._debugmallocstats()`.
//!
//! A snapshot taken by walking; the heap keeps no counters that its fast paths would have to pay
//! for. Every byte of every arena is accounted for once: in a live block, in a free block, in the
//! tail of a pool that is too short for a block, in a large block, or in slices that are free and
//! dirty or clean. Huge blocks lie outside of the arenas.

use core::convert::Infallible;
use core::fmt;

use super::class::{self, CLASSES, GRAIN, MEDIUM_MAX, OFFSETS_END};
use super::huge;
use super::range::{self, ARENA_BYTES, LARGE};
use super::slice::{SLICE_BYTES, State};
use super::span_store;
use super::threads;
use crate::stats::ClassStats;
use crate::stats::table::line;

/// A snapshot of the flagship heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagshipStats {
    /// Address space of all ranges, in bytes.
    pub reserved_bytes: usize,
    /// Arenas that are committed.
    pub arenas: usize,
    /// Heaps there ever were: of threads, parked, private and unused ones.
    pub heaps: usize,
    /// Bytes in live blocks of pools, at block size.
    pub live_bytes: usize,
    /// Bytes in free blocks of pools, those not carved yet and those that wait included.
    pub free_bytes: usize,
    /// Bytes in free blocks that are in no pool: they wait in a heap for the next malloc, or on
    /// their way to their heap.
    pub waiting_bytes: usize,
    /// Bytes at the end of pools that are too few for another block.
    pub quantization_bytes: usize,
    /// Blocks of whole slices.
    pub large_blocks: usize,
    /// Bytes in them.
    pub large_bytes: usize,
    /// Bytes in free slices that still occupy memory.
    pub dirty_bytes: usize,
    /// Bytes in free slices that occupy none.
    pub clean_bytes: usize,
    /// Blocks with mappings of their own.
    pub huge_blocks: usize,
    /// Bytes in them.
    pub huge_bytes: usize,
    /// Bytes of freed ones whose mappings are kept for the next.
    pub kept_bytes: usize,
    classes: [ClassStats; CLASSES],
}

impl FlagshipStats {
    /// The size classes in ascending order, empty ones included. The first serves requests of 0
    /// bytes.
    #[must_use]
    pub fn classes(&self) -> &[ClassStats] {
        &self.classes
    }

    /// The byte account: equal to [`mapped_bytes`](Self::mapped_bytes), or the heap is broken.
    #[must_use]
    pub fn accounted_bytes(&self) -> usize {
        self.live_bytes
            + self.free_bytes
            + self.quantization_bytes
            + self.large_bytes
            + self.dirty_bytes
            + self.clean_bytes
    }

    /// Bytes in committed arenas.
    #[must_use]
    pub fn mapped_bytes(&self) -> usize {
        self.arenas * ARENA_BYTES
    }

    /// Live blocks of all kinds.
    #[must_use]
    pub fn live_blocks(&self) -> usize {
        let in_pools: usize = self.classes.iter().map(|class| class.live_blocks).sum();
        in_pools + self.large_blocks + self.huge_blocks
    }
}

fn never(result: Result<(), Infallible>) {
    match result {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// See [`Arenite::stats`](crate::Arenite::stats).
pub(crate) fn stats() -> FlagshipStats {
    let _quiet = threads::check::hold_all();
    let (huge_blocks, huge_bytes) = huge::check::totals();
    let mut stats = FlagshipStats {
        reserved_bytes: 0,
        arenas: 0,
        heaps: 0,
        live_bytes: 0,
        free_bytes: 0,
        waiting_bytes: 0,
        quantization_bytes: 0,
        large_blocks: 0,
        large_bytes: 0,
        dirty_bytes: 0,
        clean_bytes: 0,
        huge_blocks,
        huge_bytes,
        kept_bytes: huge::check::kept_bytes(),
        classes: [ClassStats::default(); CLASSES],
    };
    for range in range::all() {
        stats.reserved_bytes += range.bytes();
        span_store::with(range, |store| {
            stats.arenas += store.committed;
            never(store.each_span(range, |span, index| {
                let bytes = usize::from(span.slices()) * SLICE_BYTES;
                match span.state() {
                    State::Dirty => stats.dirty_bytes += bytes,
                    State::Clean => stats.clean_bytes += bytes,
                    State::Used if range.entry(index) & LARGE == LARGE => {
                        stats.large_blocks += 1;
                        stats.large_bytes += bytes;
                    }
                    State::Used => {}
                }
                Ok(())
            }));
        });
    }
    for heap in threads::check::heaps() {
        stats.heaps += 1;
        let classes = &mut stats.classes;
        let mut wait = |_, entry| {
            if let Some(class) = classes.get_mut((entry & LARGE) as usize / GRAIN) {
                class.live_blocks = class.live_blocks.wrapping_sub(1);
                class.free_blocks += 1;
                stats.waiting_bytes += class::at((entry & LARGE) as usize).size as usize;
            }
            Ok(())
        };
        never(heap.each_outgoing(&mut wait));
        never(heap.each_sent(&mut wait));
        for offset in (0..OFFSETS_END).step_by(GRAIN) {
            never(heap.each_dead(offset, &mut wait));
        }
        for offset in (0..OFFSETS_END).step_by(GRAIN) {
            let entry = &mut stats.classes[offset / GRAIN];
            never(heap.each_pool(offset, |pool| {
                let (live, capacity) = (pool.live() as usize, usize::from(pool.capacity()));
                entry.pools += 1;
                // Wraps back: what waits was taken away before.
                entry.live_blocks = entry.live_blocks.wrapping_add(live);
                entry.free_blocks += capacity - live;
                let used = capacity * class::at(offset).size as usize;
                stats.quantization_bytes += usize::from(pool.slices()) * SLICE_BYTES - used;
                Ok(())
            }));
        }
    }
    for (number, entry) in stats.classes.iter_mut().enumerate() {
        entry.block_bytes = class::at(number * GRAIN).size as usize;
        stats.live_bytes += entry.live_blocks * entry.block_bytes;
        stats.free_bytes += entry.free_blocks * entry.block_bytes;
    }
    stats
}

/// The table of non-empty classes, the larger blocks, and the byte account of the arenas.
impl fmt::Display for FlagshipStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes.len();
        writeln!(f, "Pool block threshold = {MEDIUM_MAX}, in {classes} size classes.")?;
        writeln!(f)?;
        writeln!(f, "class   size   num pools   blocks in use  avail blocks")?;
        writeln!(f, "-----   ----   ---------   -------------  ------------")?;
        for (number, class) in self.classes.iter().enumerate().filter(|(_, class)| class.pools > 0)
        {
            let ClassStats { block_bytes, pools, live_blocks, free_blocks } = class;
            writeln!(f, "{number:5} {block_bytes:6} {pools:11} {live_blocks:15} {free_blocks:13}")?;
        }
        writeln!(f)?;
        line(f, format_args!("# heaps"), self.heaps as u64)?;
        line(f, format_args!("# bytes of address space reserved"), self.reserved_bytes as u64)?;
        line(f, format_args!("# huge blocks"), self.huge_blocks as u64)?;
        line(f, format_args!("# bytes in huge blocks"), self.huge_bytes as u64)?;
        line(f, format_args!("# bytes kept of freed huge blocks"), self.kept_bytes as u64)?;
        let arenas = self.arenas;
        let mapped = self.mapped_bytes() as u64;
        line(f, format_args!("{arenas} arenas * {ARENA_BYTES} bytes/arena"), mapped)?;
        writeln!(f)?;
        line(f, format_args!("# bytes in allocated blocks"), self.live_bytes as u64)?;
        line(f, format_args!("# bytes in available blocks"), self.free_bytes as u64)?;
        line(f, format_args!("#   of these waiting outside of pools"), self.waiting_bytes as u64)?;
        line(f, format_args!("# bytes lost to quantization"), self.quantization_bytes as u64)?;
        let large = self.large_blocks;
        line(f, format_args!("# bytes in {large} large blocks"), self.large_bytes as u64)?;
        line(f, format_args!("# bytes in dirty slices"), self.dirty_bytes as u64)?;
        line(f, format_args!("# bytes in clean slices"), self.clean_bytes as u64)?;
        line(f, format_args!("Total"), self.accounted_bytes() as u64)
    }
}
