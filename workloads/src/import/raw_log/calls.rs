//! Records in order to events: addresses to ids, losses counted.
//!
//! An address is known from its birth to its death. States of a realloc of a known block:
//! ```text
//! enter: the address is forgotten, because the block may have moved and another thread may be
//!        given its old place before the exit is recorded
//! exit:  result              Realloc, known under the new address
//!        null, size 0        ReallocFree
//!        null, size above 0  the call failed: known under the old address again
//! no exit                    the process died: the block stands as it was
//! ```
//! * A1: every address in the map is one the log holds allocated.
//! * A2: an address handed out again before its free was logged means that the free was lost; a
//!   free on the thread of the new call is put in before it.
//! * A3: the thread of an event is dense in order of first appearance; a thread that logs after its
//!   end goes on as a new one (I6).

use std::collections::HashMap;

use super::layout::{Record, op};
use super::{ImportSummary, Options};
use crate::event::{BlockId, Event, MAX_ALIGN, MAX_SIZE, Op, ThreadIndex};
use crate::live_blocks::LiveBlocks;

/// What a record should hold, and what it holds.
pub(super) type Fault = (&'static str, u64);

/// What an address stands for.
#[derive(Clone, Copy)]
enum Known {
    Block(BlockId),
    /// A block that marked the region and has no event.
    Mark,
}

/// A realloc that has not returned.
struct Pending {
    thread: u32,
    address: u64,
    size: u64,
    /// `None` where the address was null or not known.
    known: Option<Known>,
}

pub(super) struct Calls<'a> {
    sink: &'a mut dyn FnMut(Event),
    mark_size: Option<u64>,
    marks: u32,
    births: u64,
    addresses: LiveBlocks<Known>,
    pending: HashMap<u64, Pending>,
    /// Index of each of the log's threads in the events.
    threads: HashMap<u32, ThreadIndex>,
    summary: ImportSummary,
}

impl<'a> Calls<'a> {
    pub(super) fn new(options: &Options, sink: &'a mut dyn FnMut(Event)) -> Self {
        Calls {
            sink,
            mark_size: options.mark_size,
            marks: 0,
            births: 0,
            addresses: LiveBlocks::default(),
            pending: HashMap::new(),
            threads: HashMap::new(),
            summary: ImportSummary::default(),
        }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// When no allocator call can have left the record.
    pub(super) fn take(&mut self, thread: u32, record: &Record) -> Result<(), Fault> {
        match record.op {
            op::MALLOC => {
                let size = record.size;
                self.birth(thread, record, size, &|block| Op::Malloc { block, size })
            }
            op::CALLOC => {
                let (count, size) = (record.aux, record.size);
                let bytes = count.saturating_mul(size);
                self.birth(thread, record, bytes, &|block| Op::Calloc { block, count, size })
            }
            op::ALIGNED => {
                let (align, size) = (record.aux, record.size);
                if record.result != 0 && !(align.is_power_of_two() && align <= MAX_ALIGN) {
                    return Err(("an alignment that is a power of two up to 2^30", align));
                }
                self.birth(thread, record, size, &|block| Op::AlignedAlloc { block, align, size })
            }
            op::FREE => {
                self.summary.found += 1;
                self.free(thread, record.result);
                Ok(())
            }
            op::REALLOC_ENTER => {
                let known = self.addresses.remove(&record.result);
                let (address, size) = (record.result, record.size);
                self.pending.insert(record.seq, Pending { thread, address, size, known });
                Ok(())
            }
            op::REALLOC_EXIT => self.realloc_exit(thread, record),
            op::THREAD_START => {
                // A thread that has logged before, without a start, needs none now.
                if !self.threads.contains_key(&thread) {
                    self.emit(thread, Op::ThreadStart);
                }
                Ok(())
            }
            op::THREAD_END => {
                self.emit(thread, Op::ThreadEnd);
                // A3.
                self.threads.remove(&thread);
                Ok(())
            }
            other => Err(("a known kind of record", u64::from(other))),
        }
    }

    /// Everything counted, once the last record is taken.
    pub(super) fn finish(mut self) -> ImportSummary {
        self.summary.unfinished_reallocs = self.pending.len() as u64;
        self.summary
    }

    /// A call that returned a new block, or null.
    fn birth(
        &mut self,
        thread: u32,
        record: &Record,
        bytes: u64,
        op: &dyn Fn(BlockId) -> Op,
    ) -> Result<(), Fault> {
        self.summary.found += 1;
        if record.result == 0 {
            self.summary.failed += 1;
            return Ok(());
        }
        if bytes > MAX_SIZE {
            return Err(("a request of at most 2^63 - 1 bytes", bytes));
        }
        self.lose_free(thread, record.result);
        if self.mark_size == Some(bytes) && self.marks < 2 {
            self.marks += 1;
            self.summary.mark_calls += 1;
            let mark = if self.marks == 1 { Op::RegionStart } else { Op::RegionEnd };
            self.emit(thread, mark);
            self.addresses.insert(record.result, Known::Mark);
            return Ok(());
        }
        let block = BlockId(self.births);
        self.births += 1;
        self.emit(thread, op(block));
        self.addresses.insert(record.result, Known::Block(block));
        Ok(())
    }

    fn free(&mut self, thread: u32, address: u64) {
        if address == 0 {
            return self.emit(thread, Op::FreeNull);
        }
        match self.addresses.remove(&address) {
            Some(Known::Block(block)) => self.emit(thread, Op::Free { block, size: None }),
            Some(Known::Mark) => self.summary.mark_calls += 1,
            None => self.summary.frees_of_unknown += 1,
        }
    }

    fn realloc_exit(&mut self, thread: u32, exit: &Record) -> Result<(), Fault> {
        let Some(pending) = self.pending.remove(&exit.aux) else {
            return Err(("the sequence number of a realloc that has begun", exit.aux));
        };
        if pending.thread != thread {
            return Err(("a realloc that returns on its own thread", u64::from(thread)));
        }
        let Pending { address, size, known, .. } = pending;
        if exit.result == 0 && (size > 0 || address == 0) {
            // It failed, and the old block is as it was.
            self.summary.found += 1;
            self.summary.failed += 1;
            if let Some(known) = known {
                self.addresses.insert(address, known);
            }
            return Ok(());
        }
        match known {
            Some(Known::Block(block)) if exit.result == 0 => {
                self.summary.found += 1;
                self.emit(thread, Op::ReallocFree { block });
            }
            Some(Known::Block(block)) => {
                self.summary.found += 1;
                if size > MAX_SIZE {
                    return Err(("a request of at most 2^63 - 1 bytes", size));
                }
                self.lose_free(thread, exit.result);
                self.emit(thread, Op::Realloc { block, size });
                self.addresses.insert(exit.result, Known::Block(block));
            }
            Some(Known::Mark) => {
                self.summary.found += 1;
                self.summary.mark_calls += 1;
                if exit.result != 0 {
                    self.lose_free(thread, exit.result);
                    self.addresses.insert(exit.result, Known::Mark);
                }
            }
            None if exit.result == 0 => {
                self.summary.found += 1;
                self.summary.frees_of_unknown += 1;
            }
            None => {
                self.summary.reallocs_of_unknown += u64::from(address != 0);
                return self.birth(thread, exit, size, &|block| Op::ReallocNew { block, size });
            }
        }
        Ok(())
    }

    /// A2.
    fn lose_free(&mut self, thread: u32, address: u64) {
        if let Some(Known::Block(block)) = self.addresses.remove(&address) {
            self.summary.lost_frees += 1;
            self.emit(thread, Op::Free { block, size: None });
        }
    }

    fn emit(&mut self, thread: u32, op: Op) {
        let next = ThreadIndex(self.summary.threads);
        let index = *self.threads.entry(thread).or_insert(next);
        if index == next {
            self.summary.threads += 1;
        }
        if let Some(call) = op.call() {
            self.summary.counts.add(call);
        }
        (self.sink)(Event { thread: index, op, time_ns: None });
    }
}
