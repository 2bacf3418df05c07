//! What a stream of events looks like: sizes, lifetimes, reuse.
//!
//! One pass, and memory for the live set and fixed tables. The figures are those of the marked
//! region where the stream has one and of the whole stream otherwise; what was live before the
//! region counts as its base. They are the measures in which allocation behaviour of CPython has
//! been described, so that a generator can be held against a recording.
//!
//! * A *request* is a call that creates a block: malloc, calloc, aligned, `realloc(NULL, n)`.
//! * The clock is the number of calls so far. A lifetime is the calls from a block's birth to its
//!   death; only blocks that are born and die in the region have one. Realloc keeps a block's age.
//! * A free is of the *newest* block when no live block is younger, and *class-LIFO* when no live
//!   block of its 16-byte class came into the class later.
//! * A free is *remote* when another thread made the block.

mod lifetimes;
mod recency;
mod sizes;

use crate::event::{Call, Event, Op};
use crate::live_blocks::LiveBlocks;
use crate::totals::CallCounts;

pub use lifetimes::Lifetimes;
pub use sizes::{Bucket, SMALL_BYTES, Sizes};

use recency::Recency;

/// The figures of one stream of events. Shares are of 1; a share of nothing is 0.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Whether the stream marks a region, to which all figures then belong.
    pub has_region: bool,
    /// Calls by kind.
    pub calls: CallCounts,
    /// Threads that make calls.
    pub threads: u64,
    /// Sizes of requests.
    pub sizes: Sizes,
    /// Lifetimes of blocks that are born and die.
    pub lifetimes: Lifetimes,
    /// Reallocs of a block to a larger, a smaller and the same size, in that order.
    pub reallocs: [u64; 3],
    /// Frees of the newest block.
    pub newest_frees: u64,
    /// Frees of the newest block of its class.
    pub class_lifo_frees: u64,
    /// Frees by a thread that did not make the block.
    pub remote_frees: u64,
    /// Frees and reallocs to nothing, all kinds of death.
    pub deaths: u64,
    /// Blocks live when the region starts.
    pub base_blocks: u64,
    /// Their bytes, by request size.
    pub base_bytes: u64,
    /// Most bytes live at once, the base included.
    pub live_peak_bytes: u64,
    /// Blocks live at that moment.
    pub live_peak_blocks: u64,
    /// Blocks live at the end.
    pub live_end_blocks: u64,
}

impl Statistics {
    /// Reads a whole stream.
    ///
    /// # Errors
    /// The first error of the stream.
    pub fn collect<E>(events: impl IntoIterator<Item = Result<Event, E>>) -> Result<Self, E> {
        let mut collector = Collector::new();
        for event in events {
            collector.take(&event?);
        }
        Ok(collector.finish())
    }

    /// Reallocs of a block among all calls.
    #[must_use]
    pub fn realloc_share(&self) -> f64 {
        let reallocs = self.calls.of(Call::Realloc) + self.calls.of(Call::ReallocFree);
        share(reallocs, self.calls.total())
    }

    /// Reallocs to a larger, a smaller and the same size among all reallocs.
    #[must_use]
    pub fn realloc_shares(&self) -> [f64; 3] {
        let total = self.reallocs.iter().sum();
        self.reallocs.map(|count| share(count, total))
    }

    /// Frees of the newest block among all deaths.
    #[must_use]
    pub fn newest_free_share(&self) -> f64 {
        share(self.newest_frees, self.deaths)
    }

    /// Frees of the newest block of its class among all deaths.
    #[must_use]
    pub fn class_lifo_share(&self) -> f64 {
        share(self.class_lifo_frees, self.deaths)
    }

    /// Remote frees among all deaths.
    #[must_use]
    pub fn remote_free_share(&self) -> f64 {
        share(self.remote_frees, self.deaths)
    }
}

pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A live block as the collector knows it.
#[derive(Clone, Copy)]
struct Live {
    size: u64,
    /// Calls before its birth; `None` when it was born before the region.
    born: Option<u64>,
    thread: u32,
}

/// Collects [`Statistics`] event by event.
///
/// The events must be valid; of one that is not, what it says of unknown blocks is passed over.
#[derive(Default)]
pub struct Collector {
    statistics: Statistics,
    live: LiveBlocks<Live>,
    live_bytes: u64,
    /// Calls so far, the clock of lifetimes.
    clock: u64,
    recency: Recency,
    thread_seen: Vec<bool>,
    is_over: bool,
}

impl Collector {
    /// A collector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        match event.op {
            Op::RegionStart => self.start_region(),
            Op::RegionEnd => self.is_over = true,
            _ if self.is_over => {}
            op => self.take_call(event.thread.0, op),
        }
    }

    /// The figures of everything taken.
    #[must_use]
    pub fn finish(mut self) -> Statistics {
        self.statistics.threads = self.thread_seen.iter().filter(|&&seen| seen).count() as u64;
        self.statistics.live_end_blocks = self.live.len() as u64;
        self.statistics
    }

    /// Forgets all figures and keeps the live set as the base.
    fn start_region(&mut self) {
        for block in self.live.values_mut() {
            block.born = None;
        }
        self.thread_seen.clear();
        let (blocks, bytes) = (self.live.len() as u64, self.live_bytes);
        self.statistics = Statistics {
            has_region: true,
            base_blocks: blocks,
            base_bytes: bytes,
            live_peak_blocks: blocks,
            live_peak_bytes: bytes,
            ..Statistics::default()
        };
    }

    fn take_call(&mut self, thread: u32, op: Op) {
        let Some(call) = op.call() else { return };
        let at = thread as usize;
        if at >= self.thread_seen.len() {
            self.thread_seen.resize(at + 1, false);
        }
        self.thread_seen[at] = true;
        self.statistics.calls.add(call);
        if let Some((block, size)) = op.birth() {
            self.statistics.sizes.add(size);
            let born = Some(self.clock);
            self.live.insert(block.0, Live { size, born, thread });
            self.live_bytes = self.live_bytes.saturating_add(size);
            self.recency.born(block.0, size);
            self.note_peak();
        } else if let Op::Realloc { block, size } = op {
            self.resize(block.0, size);
        } else if let Some(block) = op.death() {
            self.bury(block.0, thread);
        }
        self.clock += 1;
    }

    fn resize(&mut self, block: u64, size: u64) {
        let Some(live) = self.live.get_mut(&block) else { return };
        let old = std::mem::replace(&mut live.size, size);
        let direction = match size.cmp(&old) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => 2,
        };
        self.statistics.reallocs[direction] += 1;
        self.live_bytes = self.live_bytes.saturating_sub(old).saturating_add(size);
        self.recency.resized(block, old, size);
        self.note_peak();
    }

    fn bury(&mut self, block: u64, thread: u32) {
        let Some(live) = self.live.remove(&block) else { return };
        self.statistics.deaths += 1;
        self.statistics.remote_frees += u64::from(live.thread != thread);
        let (newest, newest_of_class) = self.recency.died(block, live.size);
        self.statistics.newest_frees += u64::from(newest);
        self.statistics.class_lifo_frees += u64::from(newest_of_class);
        if let Some(born) = live.born {
            self.statistics.lifetimes.add(self.clock - born);
        }
        self.live_bytes = self.live_bytes.saturating_sub(live.size);
    }

    fn note_peak(&mut self) {
        if self.live_bytes > self.statistics.live_peak_bytes {
            self.statistics.live_peak_bytes = self.live_bytes;
            self.statistics.live_peak_blocks = self.live.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
