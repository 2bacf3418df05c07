//! When every block of a workload is born, how large it is, and when it dies.
//!
//! A block that changes its size dies and is born again at the same instant: a packing may move it, as
//! a realloc may. What is alive at the end of the region dies there.

use std::collections::HashMap;

use workloads::event::{BlockId, Event, Op};

/// Most stays that are packed: beyond, a packing takes minutes and gigabytes.
pub(crate) const MOST: usize = 2_000_000;

/// All sizes are multiples of this.
pub(crate) const ALIGN: u64 = 16;

/// A block at one size: alive in `[birth, death)`, counted in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) birth: u32,
    pub(crate) death: u32,
    pub(crate) bytes: u64,
}

/// The stays of a workload in order of birth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetimes {
    stays: Vec<Stay>,
    live: HashMap<BlockId, u32>,
    calls: u32,
    live_bytes: u64,
    bound_bytes: u64,
    is_over: bool,
    is_too_long: bool,
}

impl Lifetimes {
    /// Adds one event of a valid sequence.
    pub(crate) fn event(&mut self, event: &Event) {
        self.is_over |= event.op == Op::RegionEnd;
        if self.is_over || self.is_too_long || !event.op.is_call() {
            return;
        }
        if self.stays.len() == MOST || self.calls == u32::MAX {
            self.is_too_long = true;
            return;
        }
        self.calls += 1;
        if let Some((block, size)) = event.op.birth() {
            self.born(block, size);
        } else if let Some(block) = event.op.death() {
            self.dead(block);
        } else if let Op::Realloc { block, size } = event.op {
            self.dead(block);
            self.born(block, size);
        }
    }

    /// The whole, or `None` when it is longer than [`MOST`] stays.
    pub(crate) fn finish(mut self) -> Option<Self> {
        self.live = HashMap::new();
        (!self.is_too_long).then_some(self)
    }

    /// In order of birth. Deaths at an instant come before births at it.
    pub(crate) fn stays(&self) -> &[Stay] {
        &self.stays
    }

    /// Calls of the whole; no stay ends later than one after.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// Most bytes alive at once.
    pub(crate) fn bound_bytes(&self) -> u64 {
        self.bound_bytes
    }

    fn born(&mut self, block: BlockId, size: u64) {
        let bytes = size.max(1).next_multiple_of(ALIGN);
        self.live.insert(block, self.stays.len() as u32);
        self.stays.push(Stay { birth: self.calls, death: u32::MAX, bytes });
        self.live_bytes += bytes;
        self.bound_bytes = self.bound_bytes.max(self.live_bytes);
    }

    fn dead(&mut self, block: BlockId) {
        let Some(at) = self.live.remove(&block) else { return };
        let stay = &mut self.stays[at as usize];
        stay.death = self.calls;
        self.live_bytes -= stay.bytes;
    }
}
