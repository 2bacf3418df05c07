//! Turns a generator's calls into events with dense ids (I1), on one thread.

use crate::event::{BlockId, Event, Op};

pub(super) struct Emitter<'a> {
    sink: &'a mut dyn FnMut(Event),
    births: u64,
    calls: u64,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(sink: &'a mut dyn FnMut(Event)) -> Self {
        Emitter { sink, births: 0, calls: 0 }
    }

    /// Calls emitted so far; marks are none.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn malloc(&mut self, size: u64) -> BlockId {
        let block = BlockId(self.births);
        self.births += 1;
        self.call(Op::Malloc { block, size });
        block
    }

    pub(super) fn realloc(&mut self, block: BlockId, size: u64) {
        self.call(Op::Realloc { block, size });
    }

    pub(super) fn free(&mut self, block: BlockId) {
        self.call(Op::Free { block, size: None });
    }

    pub(super) fn mark(&mut self, op: Op) {
        (self.sink)(Event::of_first_thread(op));
    }

    fn call(&mut self, op: Op) {
        self.calls += 1;
        (self.sink)(Event::of_first_thread(op));
    }
}
