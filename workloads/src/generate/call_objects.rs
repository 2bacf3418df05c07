//! Objects that live and die with calls: closures, bound methods, generators, argument tuples and
//! dicts, exceptions, tracebacks.
//!
//! Sizes in 3.6 to 3.13 were read off recordings of `programs/frame_push_pop.py`; those of 2.7 are
//! `sys.getsizeof`'s; those of 2.3 follow from the structs.

use super::dict_objects::DictObjects;
use super::emitter::Emitter;
use super::era::Era;
use super::free_list::FreeList;
use super::int_objects::IntObjects;
use crate::event::BlockId;

/// Dead tuples of one length that are kept.
const KEPT_TUPLES: usize = 2000;

/// The interpreter around the calls: everything with a free list of its own.
pub(super) struct CallObjects {
    pub(super) era: Era,
    pub(super) ints: IntObjects,
    pub(super) dicts: DictObjects,
    tuples: FreeList<BlockId>,
    methods: FreeList<BlockId>,
}

impl CallObjects {
    pub(super) fn new(era: Era) -> Self {
        let kept_methods = match era {
            Era::V2_3 => usize::MAX,
            _ if era <= Era::V3_8 => 256,
            _ if era <= Era::V3_13 => 0,
            _ => 20,
        };
        CallObjects {
            era,
            ints: IntObjects::new(era),
            dicts: DictObjects::new(era),
            tuples: FreeList::new(KEPT_TUPLES),
            methods: FreeList::new(kept_methods),
        }
    }

    /// A tuple of one.
    pub(super) fn tuple(&mut self, heap: &mut Emitter<'_>) -> BlockId {
        let size = self.era.gc_header() + 32;
        self.tuples.take().unwrap_or_else(|| heap.malloc(size))
    }

    pub(super) fn release_tuple(&mut self, tuple: BlockId, heap: &mut Emitter<'_>) {
        if let Some(block) = self.tuples.give(tuple) {
            heap.free(block);
        }
    }

    pub(super) fn bound_method(&mut self, heap: &mut Emitter<'_>) -> BlockId {
        let size = self.era.gc_header()
            + match self.era {
                Era::V3_6 | Era::V3_7 => 40,
                _ => 48,
            };
        self.methods.take().unwrap_or_else(|| heap.malloc(size))
    }

    pub(super) fn release_method(&mut self, method: BlockId, heap: &mut Emitter<'_>) {
        if let Some(block) = self.methods.give(method) {
            heap.free(block);
        }
    }

    /// A cell, which holds one variable of a closure.
    pub(super) fn cell(&self, heap: &mut Emitter<'_>) -> BlockId {
        heap.malloc(self.era.gc_header() + 24)
    }

    pub(super) fn function(&self, heap: &mut Emitter<'_>) -> BlockId {
        heap.malloc(match self.era {
            Era::V2_3 | Era::V2_7 => 120,
            Era::V3_6 | Era::V3_7 | Era::V3_10 => 144,
            Era::V3_8 | Era::V3_9 => 136,
            Era::V3_11 => 152,
            _ => 160,
        })
    }

    /// A generator; from 3.11 on its frame, of two locals and stack words, lies inside.
    pub(super) fn generator(&self, heap: &mut Emitter<'_>) -> BlockId {
        heap.malloc(match self.era {
            Era::V2_3 => 72,
            Era::V2_7 => 80,
            Era::V3_6 => 96,
            Era::V3_7 => 128,
            Era::V3_8 | Era::V3_9 => 112,
            Era::V3_10 => 104,
            _ => 184,
        })
    }

    pub(super) fn traceback(&self, heap: &mut Emitter<'_>) -> BlockId {
        heap.malloc(self.era.gc_header() + 40)
    }

    /// An instance of a class derived from `Exception`, with no arguments. In 2.3 that is an
    /// instance of a classic class with a dict, the second block.
    pub(super) fn exception(&self, heap: &mut Emitter<'_>) -> (BlockId, Option<BlockId>) {
        let size = match self.era {
            Era::V2_3 => 72,
            Era::V2_7 => 80,
            Era::V3_6 | Era::V3_7 => 104,
            Era::V3_8 | Era::V3_9 | Era::V3_10 => 88,
            Era::V3_11 => 96,
            _ => 104,
        };
        let instance = heap.malloc(size);
        (instance, (self.era == Era::V2_3).then(|| heap.malloc(272)))
    }

    /// A frame object that a traceback makes of a frame on the data stack (3.11 and later).
    pub(super) fn frame_object(&self, extras: u64, heap: &mut Emitter<'_>) -> BlockId {
        let base = if self.era <= Era::V3_12 { 136 } else { 152 };
        heap.malloc(base + 8 * extras)
    }
}
