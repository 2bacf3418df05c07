//! Holds a stream of events to the invariants I1 to I6 of [`crate::event`].
//!
//! The trace reader runs one over everything it returns; generators, importers and tests run one
//! over what they make. Memory is bounded by the live set and two bytes per thread.
//!
//! Beyond the invariants a checker may be given [`Limits`], so that a replay can refuse a trace
//! that asks for more memory than the machine has before it starts.

use crate::event::{BlockId, Call, Event, MAX_ALIGN, MAX_SIZE, MAX_THREADS, Op};
use crate::live_blocks::LiveBlocks;
use crate::totals::Totals;

/// How an event breaks an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// I1: a birth out of order.
    #[error("expected the birth of block {expected}, found the birth of block {found}")]
    BirthOutOfOrder {
        /// Id the next block must have.
        expected: u64,
        /// Id the event names.
        found: u64,
    },
    /// I2: an existing block was named before its birth.
    #[error("expected a live block, found block {block}, which is not born yet ({born} are)")]
    NotBorn {
        /// Id the event names.
        block: u64,
        /// Blocks born so far.
        born: u64,
    },
    /// I2, I3: an existing block was named after its death.
    #[error("expected a live block, found block {block}, which is dead")]
    Dead {
        /// Id the event names.
        block: u64,
    },
    /// I4: a size above [`MAX_SIZE`].
    #[error("expected a size of at most {MAX_SIZE} bytes, found {found}")]
    SizeTooLarge {
        /// Size in bytes, saturated.
        found: u64,
    },
    /// I4: an alignment that is no power of two or above [`MAX_ALIGN`].
    #[error("expected an alignment that is a power of two up to {MAX_ALIGN}, found {found}")]
    BadAlignment {
        /// Alignment in bytes.
        found: u64,
    },
    /// I4: a time above [`MAX_SIZE`] nanoseconds.
    #[error("expected a time of at most {MAX_SIZE} ns, found {found}")]
    TimeTooLarge {
        /// Time in nanoseconds.
        found: u64,
    },
    /// I5: a second start, a second end, or an end without a start.
    #[error("expected {expected}, found {found}")]
    MarkOutOfPlace {
        /// Marks that could come here.
        expected: &'static str,
        /// Mark that came.
        found: &'static str,
    },
    /// I6: a thread index that skips another.
    #[error("expected a thread index of at most {seen} (the next new one), found {found}")]
    ThreadSkipsAhead {
        /// Threads seen so far.
        seen: u32,
        /// Index the event names.
        found: u32,
    },
    /// I6: an event of a thread that has ended.
    #[error("expected a running thread, found thread {thread}, which has ended")]
    ThreadEnded {
        /// Index the event names.
        thread: u32,
    },
    /// I6: a start mark of a thread that has already made calls.
    #[error("expected the start mark to be the first event of thread {thread}, found it later")]
    ThreadStartedLate {
        /// Index the event names.
        thread: u32,
    },
    /// More threads than [`MAX_THREADS`].
    #[error("expected at most {MAX_THREADS} threads, found more")]
    TooManyThreads,
    /// More live bytes than [`Limits::live_bytes`].
    #[error("expected at most {limit} live bytes, found {found}")]
    TooManyLiveBytes {
        /// The limit in bytes.
        limit: u64,
        /// Live bytes after the event.
        found: u64,
    },
    /// More events than [`Limits::events`].
    #[error("expected at most {limit} events, found more")]
    TooManyEvents {
        /// The limit.
        limit: u64,
    },
}

/// What a checker refuses beyond the invariants; everything is allowed by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes live at once, by request size.
    pub live_bytes: u64,
    /// Most events in all.
    pub events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { live_bytes: u64::MAX, events: u64::MAX }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    Before,
    Inside,
    After,
}

/// Checks a stream of events one by one and counts them as it goes.
///
/// After the first violation the checker's state is that before the offending event; going on is
/// the caller's decision.
pub struct Checker {
    limits: Limits,
    live: LiveBlocks<u64>,
    live_bytes: u64,
    ended: Vec<bool>,
    region: Region,
    totals: Totals,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// A checker of the invariants alone.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A checker of the invariants and of `limits`.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Checker {
            limits,
            live: LiveBlocks::default(),
            live_bytes: 0,
            ended: Vec::new(),
            region: Region::Before,
            totals: Totals::default(),
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// The first invariant or limit the event breaks.
    pub fn check(&mut self, event: &Event) -> Result<(), Violation> {
        if self.totals.events >= self.limits.events {
            return Err(Violation::TooManyEvents { limit: self.limits.events });
        }
        if let Some(found) = event.time_ns.filter(|&time_ns| time_ns > MAX_SIZE) {
            return Err(Violation::TimeTooLarge { found });
        }
        let is_new_thread = self.check_thread(event)?;
        self.check_op(event.op)?;
        // Nothing was changed up to here except by `check_op`, which changes nothing on error.
        let thread = event.thread.0 as usize;
        if is_new_thread {
            self.ended.push(false);
            self.totals.threads += 1;
        }
        if event.op == Op::ThreadEnd {
            self.ended[thread] = true;
        }
        self.totals.events += 1;
        if let Some(call) = event.op.call() {
            self.totals.calls.add(call);
        }
        Ok(())
    }

    /// I6; returns whether the thread is a new one.
    fn check_thread(&self, event: &Event) -> Result<bool, Violation> {
        let thread = event.thread.0;
        let seen = self.ended.len() as u32;
        if thread > seen {
            return Err(Violation::ThreadSkipsAhead { seen, found: thread });
        }
        if thread == seen {
            return if seen == MAX_THREADS { Err(Violation::TooManyThreads) } else { Ok(true) };
        }
        if self.ended[thread as usize] {
            return Err(Violation::ThreadEnded { thread });
        }
        if event.op == Op::ThreadStart {
            return Err(Violation::ThreadStartedLate { thread });
        }
        Ok(false)
    }

    /// I1 to I5; applies the event when it holds to them.
    fn check_op(&mut self, op: Op) -> Result<(), Violation> {
        match op {
            Op::Malloc { block, size } | Op::ReallocNew { block, size } => {
                self.check_birth(block, size)
            }
            Op::Calloc { block, count, size } => {
                self.check_birth(block, count.saturating_mul(size))
            }
            Op::AlignedAlloc { block, align, size } => {
                if !align.is_power_of_two() || align > MAX_ALIGN {
                    return Err(Violation::BadAlignment { found: align });
                }
                self.check_birth(block, size)
            }
            Op::Realloc { block, size } => {
                let old_size = self.size_of_live(block)?;
                self.check_size(size, old_size)?;
                self.live.insert(block.0, size);
                self.live_bytes = self.live_bytes - old_size + size;
                Ok(())
            }
            Op::Free { block, size } => {
                if let Some(found) = size.filter(|&size| size > MAX_SIZE) {
                    return Err(Violation::SizeTooLarge { found });
                }
                self.bury(block)
            }
            Op::ReallocFree { block } => self.bury(block),
            Op::RegionStart => self.enter(Region::Before, Region::Inside, "a region start"),
            Op::RegionEnd => self.enter(Region::Inside, Region::After, "a region end"),
            Op::FreeNull | Op::ThreadStart | Op::ThreadEnd => Ok(()),
        }
    }

    fn check_birth(&mut self, block: BlockId, size: u64) -> Result<(), Violation> {
        let expected = self.totals.births;
        if block.0 != expected {
            return Err(Violation::BirthOutOfOrder { expected, found: block.0 });
        }
        self.check_size(size, 0)?;
        self.live.insert(block.0, size);
        self.live_bytes += size;
        self.totals.births += 1;
        self.totals.live_at_end = self.live.len() as u64;
        Ok(())
    }

    /// I4 for a request, and the limit on live bytes once `old_size` is exchanged for it.
    fn check_size(&self, size: u64, old_size: u64) -> Result<(), Violation> {
        if size > MAX_SIZE {
            return Err(Violation::SizeTooLarge { found: size });
        }
        let found = (self.live_bytes - old_size).saturating_add(size);
        // A sum that saturates is refused whatever the limit: no machine holds it.
        if found > self.limits.live_bytes || found == u64::MAX {
            return Err(Violation::TooManyLiveBytes { limit: self.limits.live_bytes, found });
        }
        Ok(())
    }

    /// I2.
    fn size_of_live(&self, block: BlockId) -> Result<u64, Violation> {
        let born = self.totals.births;
        match self.live.get(&block.0) {
            Some(&size) => Ok(size),
            None if block.0 >= born => Err(Violation::NotBorn { block: block.0, born }),
            None => Err(Violation::Dead { block: block.0 }),
        }
    }

    /// I2 and I3.
    fn bury(&mut self, block: BlockId) -> Result<(), Violation> {
        let size = self.size_of_live(block)?;
        self.live.remove(&block.0);
        self.live_bytes -= size;
        self.totals.live_at_end = self.live.len() as u64;
        Ok(())
    }

    /// I5.
    fn enter(&mut self, from: Region, to: Region, found: &'static str) -> Result<(), Violation> {
        if self.region != from {
            let expected = match self.region {
                Region::Before => "a region start, or no mark",
                Region::Inside => "a region end, or no mark",
                Region::After => "no further mark",
            };
            return Err(Violation::MarkOutOfPlace { expected, found });
        }
        self.region = to;
        Ok(())
    }

    /// Counts of everything checked so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Calls of one kind checked so far.
    #[must_use]
    pub fn calls(&self, call: Call) -> u64 {
        self.totals.calls.of(call)
    }

    /// Blocks alive.
    #[must_use]
    pub fn live_blocks(&self) -> u64 {
        self.live.len() as u64
    }

    /// Bytes alive, by request size.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }
}

#[cfg(test)]
mod tests;
