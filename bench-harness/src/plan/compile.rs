//! Compiles events into a plan, and learns the workload's shape on the way.
//!
//! Slots are reused, last freed first, so that the pointer table stays as small as the live set.
//! Calls after the measured region are left out; in their place the plan ends with the drain, one
//! free for every block still alive, in order of birth.
//!
//! Compiled for turns (`replay::turns`), a plan also says whose calls follow wherever another thread
//! goes on; a block that is left is then freed by the thread that was the last to allocate it, where
//! that is still there, and by the first where it is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};
use workloads::event::{BlockId, Event, Op};

use super::op::{self, Meeting, Small};
use super::step::{self, Birth, Death, Step, Wide};
use super::{Shape, WINDOW_WORDS};

/// Why events could not be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    /// The plan file could not be written.
    #[error("cannot write")]
    Io(#[from] io::Error),
    /// More blocks are alive at once than a plan can name.
    #[error("event {event}: more than {max} blocks are alive at once", max = op::MAX_SLOTS)]
    TooManyBlocks { event: u64 },
    /// The events break a rule of traces.
    #[error("event {event}: {rule}")]
    Invalid { event: u64, rule: &'static str },
}

/// A workload's shape, learned while compiling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    /// Calls in the measured region by kind.
    pub(crate) by_kind: BTreeMap<String, u64>,
    /// Threads that made calls anywhere in the trace.
    pub(crate) threads: u32,
    /// Blocks alive when the region begins.
    pub(crate) base_blocks: u64,
    /// Births in the region with a request of at most 512 bytes, and all births in it.
    pub(crate) small_births: u64,
    pub(crate) births: u64,
    /// Hash over all events, as hexadecimal text.
    pub(crate) sha256: String,
    /// In a plan for turns, the threads that make its calls.
    pub(crate) turning_threads: u32,
    /// And its calls that are not the first thread's.
    pub(crate) handed_over: u64,
}

#[derive(Clone, Copy)]
struct Live {
    slot: u32,
    extent: Wide,
    /// Thread that bore it or changed its size last.
    thread: u32,
}

/// Whose turn it is.
#[derive(Default)]
struct Turns {
    current: u32,
    ended: BTreeSet<u32>,
    /// Threads that have made a call.
    seen: BTreeSet<u32>,
    /// Calls of all but the first.
    handed_over: u64,
}

/// Takes events one by one and writes the plan; see [`Compiler::finish`].
pub(crate) struct Compiler {
    out: BufWriter<File>,
    words: u64,
    region_start: Option<u64>,
    region_ended: bool,
    event: u64,
    live: HashMap<BlockId, Live>,
    free_slots: Vec<u32>,
    slot_sizes: Vec<u64>,
    live_bytes: u64,
    live_peak: (u64, u64),
    base_calls: u64,
    calls: u64,
    census: Census,
    hash: Sha256,
    /// Thread of the event at hand.
    thread: u32,
    /// Present in a plan for turns.
    turns: Option<Turns>,
}

impl Compiler {
    /// Starts a plan in an empty file.
    pub(crate) fn new(file: File) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 20, file),
            words: 0,
            region_start: None,
            region_ended: false,
            event: 0,
            live: HashMap::new(),
            free_slots: Vec::new(),
            slot_sizes: Vec::new(),
            live_bytes: 0,
            live_peak: (0, 0),
            base_calls: 0,
            calls: 0,
            census: Census::default(),
            hash: Sha256::new(),
            thread: 0,
            turns: None,
        }
    }

    /// As [`Compiler::new`], for a replay in turns.
    pub(crate) fn in_turns(file: File) -> Self {
        Self { turns: Some(Turns::default()), ..Self::new(file) }
    }

    /// Adds one event.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), CompileError> {
        self.hash_event(event);
        self.census.threads = self.census.threads.max(event.thread.0 + 1);
        self.thread = event.thread.0;
        let result = self.compile(event.op);
        self.event += 1;
        result
    }

    fn compile(&mut self, op: Op) -> Result<(), CompileError> {
        match op {
            Op::RegionStart => {
                self.region_start = Some(self.words);
                self.base_calls = self.calls;
                self.calls = 0;
                self.census.by_kind.clear();
                self.census.small_births = 0;
                self.census.births = 0;
                self.census.base_blocks = self.live.len() as u64;
                // Peaks before the region are not seen by the memory pass, and so do not count.
                self.live_peak = (self.live_bytes, self.words);
                return Ok(());
            }
            Op::RegionEnd => {
                self.region_ended = true;
                return Ok(());
            }
            _ => {}
        }
        if !self.region_ended && op == Op::ThreadEnd {
            self.end_thread()?;
        }
        if !op.is_call() || self.region_ended {
            return Ok(());
        }
        self.call_of(self.thread)?;
        self.calls += 1;
        self.count(op);
        match Step::of(op).map_err(|rule| self.invalid(rule))? {
            Some(Step::Birth { block, how, extent }) => self.birth(how, block, extent),
            Some(Step::Resize { block, size }) => self.resize(block, size),
            Some(Step::Death { block, how }) => self.death(how, block),
            Some(Step::FreeNull) => self.emit(step::free_null().as_slice()),
            None => Ok(()),
        }
    }

    /// The next call is this thread's.
    fn call_of(&mut self, thread: u32) -> Result<(), CompileError> {
        if let Some(turns) = &mut self.turns {
            turns.seen.insert(thread);
            turns.handed_over += u64::from(thread != 0);
        }
        self.turn(thread)
    }

    /// Makes it a thread's turn, in a plan for turns.
    fn turn(&mut self, thread: u32) -> Result<(), CompileError> {
        match &mut self.turns {
            Some(turns) if turns.current != thread => {
                turns.current = thread;
                self.emit(&op::meeting(Meeting::Turn, thread, 0))
            }
            _ => Ok(()),
        }
    }

    /// Ends the event's thread, in a plan for turns; the first is the child's own, and stays.
    fn end_thread(&mut self) -> Result<(), CompileError> {
        let thread = self.thread;
        match &mut self.turns {
            Some(turns) if thread != 0 => {
                turns.ended.insert(thread);
                self.turn(0)?;
                self.emit(&op::meeting(Meeting::End, thread, 0))
            }
            _ => Ok(()),
        }
    }

    fn birth(&mut self, how: Birth, block: BlockId, extent: Wide) -> Result<(), CompileError> {
        let slot = match self.free_slots.pop() {
            Some(slot) => slot,
            None => {
                let slot = self.slot_sizes.len() as u32;
                if slot >= op::MAX_SLOTS {
                    return Err(CompileError::TooManyBlocks { event: self.event });
                }
                self.slot_sizes.push(0);
                slot
            }
        };
        let thread = self.thread;
        if self.live.insert(block, Live { slot, extent, thread }).is_some() {
            return Err(self.invalid("a block is born twice"));
        }
        self.hold(slot, extent.size);
        self.census.births += 1;
        self.census.small_births += u64::from(extent.size <= 512);
        self.emit(step::birth(how, slot, extent).as_slice())?;
        self.grow(0, extent.size);
        Ok(())
    }

    fn resize(&mut self, block: BlockId, size: u64) -> Result<(), CompileError> {
        let Some(live) = self.live.get_mut(&block) else {
            return Err(self.invalid("realloc of a block that is not alive"));
        };
        let Live { slot, extent: old, .. } = *live;
        live.extent.size = size;
        live.thread = self.thread;
        self.hold(slot, size);
        self.emit(step::resize(slot, old, size).as_slice())?;
        self.grow(old.size, size);
        Ok(())
    }

    fn death(&mut self, how: Death, block: BlockId) -> Result<(), CompileError> {
        let Some(live) = self.live.remove(&block) else {
            return Err(self.invalid("free of a block that is not alive"));
        };
        self.free_slots.push(live.slot);
        self.live_bytes -= live.extent.size;
        self.emit(step::death(how, live.slot, live.extent).as_slice())
    }

    fn hold(&mut self, slot: u32, size: u64) {
        let largest = &mut self.slot_sizes[slot as usize];
        *largest = size.max(*largest);
    }

    fn grow(&mut self, old: u64, new: u64) {
        self.live_bytes = self.live_bytes - old + new;
        if self.live_bytes > self.live_peak.0 {
            self.live_peak = (self.live_bytes, self.words);
        }
    }

    /// Writes the words of one operation, padded so that it does not straddle a window (P2).
    fn emit(&mut self, words: &[u64]) -> Result<(), CompileError> {
        while self.words % WINDOW_WORDS + words.len() as u64 > WINDOW_WORDS {
            self.out.write_all(&op::small(Small::Nothing, 0, 0).to_ne_bytes())?;
            self.words += 1;
        }
        for word in words {
            self.out.write_all(&word.to_ne_bytes())?;
        }
        self.words += words.len() as u64;
        Ok(())
    }

    fn count(&mut self, op: Op) {
        let kind = match op {
            Op::Malloc { .. } => "malloc",
            Op::Calloc { .. } => "calloc",
            Op::AlignedAlloc { .. } => "aligned",
            Op::ReallocNew { .. } | Op::Realloc { .. } | Op::ReallocFree { .. } => "realloc",
            _ => "free",
        };
        *self.census.by_kind.entry(kind.to_owned()).or_default() += 1;
    }

    fn hash_event(&mut self, event: &Event) {
        let (kind, fields): (u8, [u64; 3]) = match event.op {
            Op::Malloc { block, size } => (1, [block.0, size, 0]),
            Op::Calloc { block, count, size } => (2, [block.0, count, size]),
            Op::AlignedAlloc { block, align, size } => (3, [block.0, align, size]),
            Op::ReallocNew { block, size } => (4, [block.0, size, 0]),
            Op::Realloc { block, size } => (5, [block.0, size, 0]),
            Op::ReallocFree { block } => (6, [block.0, 0, 0]),
            Op::Free { block, size } => (7, [block.0, size.map_or(0, |size| size + 1), 0]),
            Op::FreeNull => (8, [0; 3]),
            Op::ThreadStart => (9, [0; 3]),
            Op::ThreadEnd => (10, [0; 3]),
            Op::RegionStart => (11, [0; 3]),
            Op::RegionEnd => (12, [0; 3]),
        };
        let mut bytes = [0; 29];
        bytes[0] = kind;
        bytes[1..5].copy_from_slice(&event.thread.0.to_le_bytes());
        for (chunk, field) in bytes[5..].chunks_exact_mut(8).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        self.hash.update(bytes);
    }

    fn invalid(&self, rule: &'static str) -> CompileError {
        CompileError::Invalid { event: self.event, rule }
    }

    /// Ends the plan: the drain, the largest size of every slot, then everything into the file.
    pub(crate) fn finish(mut self) -> Result<(Shape, Census), CompileError> {
        let region_end = self.words;
        let mut survivors: Vec<_> = self.live.keys().copied().collect();
        survivors.sort_unstable();
        for block in &survivors {
            let owner = self.live[block].thread;
            let has_ended = self.turns.as_ref().is_none_or(|turns| turns.ended.contains(&owner));
            self.call_of(if has_ended { 0 } else { owner })?;
            self.death(Death::Free, *block)?;
        }
        for size in &self.slot_sizes {
            self.out.write_all(&size.to_ne_bytes())?;
        }
        self.out.flush()?;
        let digest = self.hash.finalize();
        if let Some(turns) = &self.turns {
            self.census.turning_threads = turns.seen.len() as u32;
            self.census.handed_over = turns.handed_over;
        }
        self.census.sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let shape = Shape {
            words: self.words,
            region_start: self.region_start.unwrap_or(0),
            region_end,
            slots: self.slot_sizes.len() as u32,
            slot_bytes: self
                .slot_sizes
                .iter()
                .map(|size| size.next_multiple_of(16))
                .fold(0, u64::saturating_add),
            base_calls: self.base_calls,
            calls: self.calls,
            drain_calls: survivors.len() as u64,
            live_peak_bytes: self.live_peak.0,
            live_peak_word: self.live_peak.1,
        };
        Ok((shape, self.census))
    }
}
