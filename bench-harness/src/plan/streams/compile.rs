//! Compiles events into rows, one per thread, epoch by epoch.
//!
//! A thread begins with its first event. It is started by the thread of the event before (start marks
//! left out), which is the one that called `pthread_create`, or stands for it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use workloads::event::{BlockId, Event, Op};

use super::edges::{self, Need};
use super::slots::{Point, Slots};
use super::{Epoch, Index, Phase, Row, StreamsShape};
use crate::plan::WINDOW_WORDS;
use crate::plan::compile::CompileError;
use crate::plan::op::{self, MEETING_WORDS, Meeting};
use crate::plan::step::{self, Birth, Death, Step, Wide, Words};

/// Least time between two waits for the clock in one row, in nanoseconds: reading it costs some.
const PACE_NS: u64 = 1_000;

/// Words that the edge of one need may take, at its source and at its target.
const NEED_WORDS: u64 = 2 * MEETING_WORDS;

#[derive(Clone, Copy)]
struct Live {
    slot: u32,
    extent: Wide,
    /// The last operation on the block.
    last: Point,
}

/// The row of one thread in the epoch at hand.
#[derive(Default)]
struct Thread {
    words: Vec<u64>,
    has_ended: bool,
    /// Time of the last wait for the clock, in nanoseconds.
    paced_ns: u64,
}

/// Takes events one by one and writes a plan for threads; see [`StreamCompiler::finish`].
pub(crate) struct StreamCompiler {
    out: BufWriter<File>,
    written: u64,
    /// Words that the epoch at hand may come to.
    pending: u64,
    event: u64,
    threads: Vec<Thread>,
    progress: Vec<u64>,
    /// Thread of the last event that was no start.
    last_thread: u32,
    live: HashMap<BlockId, Live>,
    slots: Slots,
    needs: Vec<Need>,
    index: Index,
    phase: Phase,
    has_base: bool,
    region_ended: bool,
    /// Whether operations are to wait for their recorded times.
    paced: bool,
    window_words: u64,
    /// Recorded time of the region's begin, and whether any event of the region has a time.
    region_ns: Option<u64>,
}

impl StreamCompiler {
    /// Starts a plan in an empty file.
    pub(crate) fn new(file: File, paced: bool) -> Self {
        Self::with_window(file, paced, WINDOW_WORDS)
    }

    /// As [`StreamCompiler::new`], with epochs of at most so many words.
    pub(crate) fn with_window(file: File, paced: bool, window_words: u64) -> Self {
        let mut compiler = Self {
            out: BufWriter::with_capacity(1 << 20, file),
            written: 0,
            pending: 0,
            event: 0,
            threads: Vec::new(),
            progress: Vec::new(),
            last_thread: 0,
            live: HashMap::new(),
            slots: Slots::default(),
            needs: Vec::new(),
            index: Index::default(),
            phase: Phase::Base,
            has_base: false,
            region_ended: false,
            paced,
            window_words,
            region_ns: None,
        };
        compiler.add_thread();
        compiler
    }

    fn epoch(&self) -> u32 {
        self.index.epochs.len() as u32
    }

    fn add_thread(&mut self) {
        self.threads.push(Thread::default());
        self.progress.push(0);
        self.index.spans.push((self.epoch(), u32::MAX));
    }

    /// Adds one event.
    ///
    /// # Errors
    /// When the events break a rule of traces or cannot be held in a plan, or the file cannot be
    /// written.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), CompileError> {
        let result = self.compile(event);
        self.event += 1;
        result
    }

    fn compile(&mut self, event: &Event) -> Result<(), CompileError> {
        match event.op {
            Op::RegionStart => {
                self.close_epoch()?;
                (self.phase, self.has_base) = (Phase::Region, true);
                self.region_ns = event.time_ns;
                for thread in &mut self.threads {
                    thread.paced_ns = 0;
                }
                return Ok(());
            }
            Op::RegionEnd => {
                self.region_ended = true;
                return Ok(());
            }
            _ => {}
        }
        if self.region_ended {
            return Ok(());
        }
        let thread = event.thread.0;
        if thread as usize == self.threads.len() {
            self.start(thread);
        }
        if event.op != Op::ThreadStart {
            self.last_thread = thread;
        }
        match Step::of(event.op).map_err(|rule| self.invalid(rule))? {
            Some(step) => {
                self.pace(event);
                self.step(thread, step)?;
            }
            // The first thread is the child's own, and stays.
            None if event.op == Op::ThreadEnd && thread != 0 => {
                self.threads[thread as usize].has_ended = true;
                self.index.spans[thread as usize].1 = self.epoch();
            }
            None => {}
        }
        self.close_full_epoch()
    }

    fn close_full_epoch(&mut self) -> Result<(), CompileError> {
        // Room for one more operation with a need and a wait for the clock.
        let most = self.window_words - NEED_WORDS - 2 * MEETING_WORDS - 3;
        if self.pending > most { self.close_epoch() } else { Ok(()) }
    }

    /// A new thread, started by the thread of the last event, or by the first when that is gone.
    fn start(&mut self, thread: u32) {
        self.add_thread();
        let last = self.last_thread as usize;
        let is_there = self.index.spans[last].1 >= self.epoch();
        let parent = if is_there { self.last_thread } else { 0 };
        self.put(parent, &op::meeting(Meeting::Start, thread, 0));
        self.needs.push(Need {
            thread,
            word: 0,
            source: parent,
            source_word: self.threads[parent as usize].words.len() as u64,
            time: self.event,
            source_time: self.event,
            is_start: true,
        });
    }

    /// Makes the thread wait for the event's time, where it has one.
    fn pace(&mut self, event: &Event) {
        let (true, Phase::Region, Some(time_ns)) = (self.paced, self.phase(), event.time_ns) else {
            return;
        };
        let since = time_ns.saturating_sub(*self.region_ns.get_or_insert(time_ns));
        let thread = event.thread.0;
        let paced_ns = &mut self.threads[thread as usize].paced_ns;
        if since >= *paced_ns + PACE_NS {
            *paced_ns = since;
            self.put(thread, &op::meeting(Meeting::Until, thread, since));
        }
    }

    /// Without a mark all of a trace is its region.
    fn phase(&self) -> Phase {
        if self.has_base { self.phase } else { Phase::Region }
    }

    fn step(&mut self, thread: u32, step: Step) -> Result<(), CompileError> {
        match step {
            Step::Birth { block, how, extent } => self.birth(thread, block, how, extent),
            Step::Resize { block, size } => {
                let Some(&Live { slot, extent: old, last }) = self.live.get(&block) else {
                    return Err(self.invalid("realloc of a block that is not alive"));
                };
                self.slots.hold(slot, size);
                let last = self.operate(thread, Some(last), step::resize(slot, old, size));
                let extent = Wide { size, ..old };
                self.live.insert(block, Live { slot, extent, last });
                Ok(())
            }
            Step::Death { block, how } => {
                let Some(live) = self.live.remove(&block) else {
                    return Err(self.invalid("free of a block that is not alive"));
                };
                self.death(thread, live, how);
                Ok(())
            }
            Step::FreeNull => {
                self.operate(thread, None, step::free_null());
                Ok(())
            }
        }
    }

    fn birth(
        &mut self,
        thread: u32,
        block: BlockId,
        how: Birth,
        extent: Wide,
    ) -> Result<(), CompileError> {
        let Some((slot, freed)) = self.slots.take(thread, extent.size) else {
            return Err(CompileError::TooManyBlocks { event: self.event });
        };
        let last = self.operate(thread, freed, step::birth(how, slot, extent));
        if self.live.insert(block, Live { slot, extent, last }).is_some() {
            return Err(self.invalid("a block is born twice"));
        }
        Ok(())
    }

    fn death(&mut self, thread: u32, live: Live, how: Death) {
        let Live { slot, extent, last } = live;
        let point = self.operate(thread, Some(last), step::death(how, slot, extent));
        self.slots.give(slot, point);
    }

    /// Adds an operation to a row that comes after `before`; the point behind it.
    fn operate(&mut self, thread: u32, before: Option<Point>, words: Words) -> Point {
        let word = self.threads[thread as usize].words.len() as u64;
        // Of earlier epochs everything has happened.
        if let Some(before) = before.filter(|before| before.epoch == self.epoch())
            && before.thread != thread
        {
            self.needs.push(Need {
                thread,
                word,
                source: before.thread,
                source_word: before.word,
                time: self.event,
                source_time: before.time,
                is_start: false,
            });
            self.pending += NEED_WORDS;
        }
        self.put(thread, words.as_slice());
        let word = word + words.as_slice().len() as u64;
        Point { thread, epoch: self.epoch(), word, time: self.event }
    }

    fn put(&mut self, thread: u32, words: &[u64]) {
        self.threads[thread as usize].words.extend_from_slice(words);
        self.pending += words.len() as u64;
    }

    /// Ends the epoch at hand: edges into the rows, rows into the file.
    fn close_epoch(&mut self) -> Result<(), CompileError> {
        let mut all: Vec<Vec<u64>> =
            self.threads.iter_mut().map(|thread| std::mem::take(&mut thread.words)).collect();
        edges::connect(&mut all, &self.needs, &mut self.progress);
        self.needs.clear();
        self.pending = 0;
        let start = self.written;
        let mut rows = Vec::new();
        for (thread, words) in (0..).zip(&all).filter(|(_, words)| !words.is_empty()) {
            rows.push(Row { thread, start: self.written - start, words: words.len() as u64 });
            for word in words {
                self.out.write_all(&word.to_ne_bytes())?;
            }
            self.written += words.len() as u64;
        }
        let words = self.written - start;
        self.index.epochs.push(Epoch { phase: self.phase, start, words, rows });
        Ok(())
    }

    fn invalid(&self, rule: &'static str) -> CompileError {
        CompileError::Invalid { event: self.event, rule }
    }

    /// Whether any call of the region has been given a time to wait for.
    pub(crate) fn has_times(&self) -> bool {
        self.region_ns.is_some()
    }

    /// Ends the plan: the drain, in which every thread that is still there frees what it was the last
    /// to allocate, and the first thread what is left; then slot sizes and index into the file.
    ///
    /// # Errors
    /// As [`StreamCompiler::event`].
    pub(crate) fn finish(mut self) -> Result<StreamsShape, CompileError> {
        self.close_epoch()?;
        if !self.has_base {
            for epoch in &mut self.index.epochs {
                epoch.phase = Phase::Region;
            }
        }
        self.phase = Phase::Drain;
        let mut survivors: Vec<_> = self.live.keys().copied().collect();
        survivors.sort_unstable();
        for block in survivors {
            let live = self.live[&block];
            let owner = live.last.thread;
            let thread = if self.threads[owner as usize].has_ended { 0 } else { owner };
            self.death(thread, live, Death::Free);
            self.event += 1;
            self.close_full_epoch()?;
        }
        self.close_epoch()?;
        let last = self.epoch() - 1;
        for span in &mut self.index.spans {
            span.1 = span.1.min(last);
        }
        for size in &self.slots.sizes {
            self.out.write_all(&size.to_ne_bytes())?;
        }
        let text = serde_json::to_vec(&self.index).map_err(std::io::Error::from)?;
        self.out.write_all(&text)?;
        self.out.flush()?;
        Ok(StreamsShape {
            words: self.written,
            epoch_words: self.index.epochs.iter().map(|epoch| epoch.words).max().unwrap_or(0),
            slots: self.slots.sizes.len() as u32,
            index_bytes: text.len() as u64,
            paced: self.paced,
        })
    }
}
