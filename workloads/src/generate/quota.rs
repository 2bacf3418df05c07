//! A region that is cut off as soon as it has the calls asked for.
//!
//! Workloads with long steps cannot finish the last one. Every call goes through a [`Quota`] that
//! answers `None` when the region is full, so that `?` ends the workload at a call boundary.

use super::emitter::Emitter;
use crate::event::{BlockId, Op};

pub(super) struct Quota<'a, 'b> {
    /// For marks and threads; calls made here are cut off nowhere.
    pub(super) heap: &'a mut Emitter<'b>,
    /// Calls of the emitter when the region is full.
    end: u64,
}

impl<'a, 'b> Quota<'a, 'b> {
    /// Starts the region.
    pub(super) fn start(operations: u64, heap: &'a mut Emitter<'b>) -> Self {
        heap.mark(Op::RegionStart);
        let end = heap.calls().saturating_add(operations);
        Quota { heap, end }
    }

    pub(super) fn malloc(&mut self, size: u64) -> Option<BlockId> {
        self.left().map(|heap| heap.malloc(size))
    }

    pub(super) fn realloc(&mut self, block: BlockId, size: u64) -> Option<()> {
        self.left().map(|heap| heap.realloc(block, size))
    }

    /// Frees blocks in this order.
    pub(super) fn free_all(&mut self, blocks: Vec<BlockId>) -> Option<()> {
        blocks.into_iter().try_for_each(|block| self.left().map(|heap| heap.free(block)))
    }

    fn left(&mut self) -> Option<&mut Emitter<'b>> {
        (self.heap.calls() < self.end).then_some(&mut *self.heap)
    }
}
