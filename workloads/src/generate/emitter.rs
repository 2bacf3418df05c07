//! Turns a generator's calls into events with dense block ids (I1) and thread indices (I6).

use crate::event::{BlockId, Event, Op, ThreadIndex};

pub(super) struct Emitter<'a> {
    sink: &'a mut dyn FnMut(Event),
    births: u64,
    calls: u64,
    /// Thread of the next event.
    thread: ThreadIndex,
    /// Index of the next thread to start.
    next_thread: u32,
}

impl<'a> Emitter<'a> {
    /// An emitter on the first thread.
    pub(super) fn new(sink: &'a mut dyn FnMut(Event)) -> Self {
        Emitter { sink, births: 0, calls: 0, thread: ThreadIndex(0), next_thread: 1 }
    }

    /// Calls emitted so far; marks are none.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn malloc(&mut self, size: u64) -> BlockId {
        self.birth(|block| Op::Malloc { block, size })
    }

    pub(super) fn calloc(&mut self, count: u64, size: u64) -> BlockId {
        self.birth(|block| Op::Calloc { block, count, size })
    }

    pub(super) fn aligned_alloc(&mut self, align: u64, size: u64) -> BlockId {
        self.birth(|block| Op::AlignedAlloc { block, align, size })
    }

    pub(super) fn realloc_new(&mut self, size: u64) -> BlockId {
        self.birth(|block| Op::ReallocNew { block, size })
    }

    pub(super) fn realloc_free(&mut self, block: BlockId) {
        self.call(Op::ReallocFree { block });
    }

    pub(super) fn realloc(&mut self, block: BlockId, size: u64) {
        self.call(Op::Realloc { block, size });
    }

    pub(super) fn free(&mut self, block: BlockId) {
        self.call(Op::Free { block, size: None });
    }

    pub(super) fn mark(&mut self, op: Op) {
        self.event(op);
    }

    /// Starts a new thread; the calls that follow are still those of the thread before.
    pub(super) fn start_thread(&mut self) -> ThreadIndex {
        let started = ThreadIndex(self.next_thread);
        self.next_thread += 1;
        self.mark_on(started, Op::ThreadStart);
        started
    }

    /// Ends a thread that will not be switched to again.
    pub(super) fn end_thread(&mut self, thread: ThreadIndex) {
        self.mark_on(thread, Op::ThreadEnd);
    }

    /// Makes the calls that follow those of `thread`.
    pub(super) fn switch_to(&mut self, thread: ThreadIndex) {
        self.thread = thread;
    }

    fn birth(&mut self, op: impl FnOnce(BlockId) -> Op) -> BlockId {
        let block = BlockId(self.births);
        self.births += 1;
        self.call(op(block));
        block
    }

    fn call(&mut self, op: Op) {
        self.calls += 1;
        self.event(op);
    }

    fn event(&mut self, op: Op) {
        self.mark_on(self.thread, op);
    }

    fn mark_on(&mut self, thread: ThreadIndex, op: Op) {
        (self.sink)(Event { thread, op, time_ns: None });
    }
}
