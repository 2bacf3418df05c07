//! Frames as heap blocks, up to 3.10, and the two places where dead ones wait.
//!
//! ```text
//! call of code C:  zombie of C (from 2.7 on)   an exact fit, no allocation
//!                  else the newest of the list realloc'ed when it is too small
//!                  else malloc
//! return from C:   C has no zombie             the frame becomes it
//!                  else the list has under 200 the frame goes on it
//!                  else free
//! ```
//! * F1: a frame holds at least `extras` words behind its base for the code that runs in it, where
//!   extras = locals + cells + free variables + stack. It is never made smaller.
//! * F2: the list is last-in-first-out and knows nothing of sizes.
//!
//! Block = GC header + base + 8 x extras, so in 3.x a frame leaves the pools (512 bytes) at 13 to 18
//! extras, and in 2.3 (256 bytes) it is never in them.
//!
//! Source: `frameobject.c:PyFrame_New, frame_dealloc`.

use super::emitter::Emitter;
use super::era::Era;
use super::free_list::FreeList;
use crate::event::BlockId;

/// Dead frames the list keeps.
const KEPT_FRAMES: usize = 200;

/// A frame block and the extras it has room for.
#[derive(Debug)]
pub(super) struct Frame {
    block: BlockId,
    room: u64,
}

/// Allocator of the frames of `CODES` code objects.
pub(super) struct FramePool<const CODES: usize> {
    era: Era,
    zombies: [Option<Frame>; CODES],
    list: FreeList<Frame>,
}

impl<const CODES: usize> FramePool<CODES> {
    pub(super) fn new(era: Era) -> Self {
        FramePool { era, zombies: [const { None }; CODES], list: FreeList::new(KEPT_FRAMES) }
    }

    /// A frame for a call of `code`, which needs `extras` words.
    pub(super) fn take(&mut self, code: usize, extras: u64, heap: &mut Emitter<'_>) -> Frame {
        if let Some(frame) = self.zombies[code].take() {
            return frame;
        }
        let Some(mut frame) = self.list.take() else {
            return Frame { block: heap.malloc(frame_bytes(self.era, extras)), room: extras };
        };
        if frame.room < extras {
            heap.realloc(frame.block, frame_bytes(self.era, extras));
            frame.room = extras;
        }
        frame
    }

    /// Takes back the frame of a call of `code`.
    pub(super) fn give(&mut self, code: usize, frame: Frame, heap: &mut Emitter<'_>) {
        if self.era >= Era::V2_7 && self.zombies[code].is_none() {
            self.zombies[code] = Some(frame);
        } else if let Some(frame) = self.list.give(frame) {
            heap.free(frame.block);
        }
    }
}

/// Request in bytes for a frame with that many extras.
fn frame_bytes(era: Era, extras: u64) -> u64 {
    let base = match era {
        Era::V2_3 => 400,
        Era::V2_7 | Era::V3_6 => 384,
        Era::V3_7 | Era::V3_8 | Era::V3_9 => 368,
        _ => 360,
    };
    era.gc_header() + base + 8 * extras
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Op;

    /// Runs `act` on a pool and returns the calls it made.
    fn calls_of(act: impl FnOnce(&mut FramePool<2>, &mut Emitter<'_>), era: Era) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut sink = |event: crate::event::Event| ops.push(event.op);
        act(&mut FramePool::new(era), &mut Emitter::new(&mut sink));
        ops
    }

    #[test]
    fn the_extras_that_leave_the_pools_are_those_measured() {
        let last_pooled = |era, threshold| {
            (0..100).take_while(|&extras| frame_bytes(era, extras) <= threshold).last()
        };
        for (era, extras) in [
            (Era::V2_7, 12),
            (Era::V3_6, 12),
            (Era::V3_7, 14),
            (Era::V3_8, 16),
            (Era::V3_9, 16),
            (Era::V3_10, 17),
        ] {
            assert_eq!(last_pooled(era, 512), Some(extras), "{era}");
        }
        assert_eq!(last_pooled(Era::V2_3, 256), None);
    }

    #[test]
    fn a_code_object_keeps_its_last_frame() {
        let ops = calls_of(
            |pool, heap| {
                for _ in 0..10 {
                    let frame = pool.take(0, 5, heap);
                    pool.give(0, frame, heap);
                }
            },
            Era::V3_9,
        );
        assert_eq!(ops.len(), 1, "{ops:?}");
    }

    #[test]
    fn depth_beyond_zombie_and_list_allocates_and_frees() {
        for (era, kept) in [(Era::V2_3, 200), (Era::V3_9, 201)] {
            let ops = calls_of(
                |pool, heap| {
                    for _ in 0..3 {
                        let frames: Vec<_> = (0..900).map(|_| pool.take(0, 5, heap)).collect();
                        frames.into_iter().for_each(|frame| pool.give(0, frame, heap));
                    }
                },
                era,
            );
            let mallocs = ops.iter().filter(|op| matches!(op, Op::Malloc { .. })).count();
            let frees = ops.iter().filter(|op| matches!(op, Op::Free { .. })).count();
            assert_eq!((mallocs, frees), (900 + 2 * (900 - kept), 3 * (900 - kept)), "{era}");
        }
    }

    #[test]
    fn a_frame_from_the_list_is_reallocated_when_too_small_and_never_shrunk() {
        let ops = calls_of(
            |pool, heap| {
                for (code, extras) in [(0, 5), (1, 20), (0, 5), (1, 20)] {
                    let frame = pool.take(code, extras, heap);
                    pool.give(code, frame, heap);
                }
            },
            Era::V2_3,
        );
        let sizes: Vec<_> = ops
            .iter()
            .map(|op| match *op {
                Op::Malloc { size, .. } | Op::Realloc { size, .. } => size,
                _ => 0,
            })
            .collect();
        assert_eq!(sizes, [472, 592], "one malloc, one realloc, then the large one serves both");
    }
}
