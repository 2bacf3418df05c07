//! Dives that end in an exception: tracebacks, frames kept alive, and the order in which they die.
//!
//! ```text
//! exception -> traceback of the handler -> traceback of its callee -> ... -> innermost
//!                    |                          |                             |
//!                  frame    <------------     frame       <-- ...  <--      frame
//! ```
//! A traceback holds its frame and the next inner traceback; a frame holds its caller. So the chain
//! of tracebacks dies from the inside out, and each frame with the last that holds it.
//!
//! Up to 3.12 the interpreter nests at most 50 deallocations and puts off the rest, so a deep chain
//! dies in groups: the outermost group of tracebacks first. This file follows it exactly; the
//! order was recorded at a depth of 130.
//!
//! Source: `object.c:_PyTrash_thread_destroy_chain`, `traceback.c:tb_dealloc`,
//! `frameobject.c:frame_dealloc`, `tupleobject.c:tupledealloc`.

use super::{BlockId, CallFrame, Code, Dice, Diver, Emitter, Era, Held, Int, Level};

/// A dead exception and, in 2.3, its dict.
type Exception = (BlockId, Option<BlockId>);

/// Deallocations nested in each other before the interpreter puts the rest off (up to 3.12).
const NESTED_DEATHS: usize = 50;

/// A frame that an exception has left, kept alive by its traceback.
struct Unwound {
    level: Level,
    traceback: BlockId,
    /// From 3.11 on.
    frame_object: Option<BlockId>,
}

impl Diver {
    /// Unwinds all levels by an exception raised in `end` and drops it at the top.
    pub(super) fn unwind(
        &mut self,
        levels: Vec<Level>,
        end: CallFrame,
        heap: &mut Emitter<'_>,
        dice: &mut Dice,
    ) {
        let exception = self.objects.exception(heap);
        let end =
            Level { code: Code::End, argument: Int::Cached, frame: Some(end), held: Held::Nothing };
        // Innermost first.
        let mut unwound = Vec::with_capacity(levels.len() + 1);
        for mut level in std::iter::once(end).chain(levels.into_iter().rev()) {
            let extras = level.code.extras(self.era);
            let frame_object =
                (self.era >= Era::V3_11).then(|| self.objects.frame_object(extras, heap));
            let traceback = self.objects.traceback(heap);
            if let Held::Generator { object, frame } = &mut level.held {
                let (object, frame) = (*object, frame.take());
                self.close_generator(object, frame, false, heap);
                level.held = Held::Nothing;
            }
            if frame_object.is_some()
                && let Some(frame) = level.frame.take()
            {
                // The frame moves from the data stack into its object.
                self.frames.pop(level.code, frame, heap);
            }
            unwound.push(Unwound { level, traceback, frame_object });
        }
        // The handler's own frame, `dive(n)`: in 3.11 and later with a frame object, too.
        let extras = Code::Dive.extras(self.era);
        let handler = (self.era >= Era::V3_11).then(|| self.objects.frame_object(extras, heap));
        let handler_traceback = self.objects.traceback(heap);
        let mut exception = Some(exception);
        if self.era <= Era::V3_10 {
            release_exception(exception.take(), heap);
        }
        let put_off = self.drop_tracebacks(unwound, handler_traceback, &mut exception, heap, dice);
        release_exception(exception, heap);
        for (argument, held) in put_off.into_iter().rev() {
            self.release_locals(argument, held, heap, dice);
        }
        if let Some(handler) = handler {
            heap.free(handler);
        }
    }

    /// Frees a chain of tracebacks, innermost first in `unwound`, and the frames it holds. Returns
    /// what is put off to the end: the last of it dies first.
    ///
    /// Each traceback holds the next inner one, each frame its caller. The chain of tracebacks
    /// dies in groups of some [`NESTED_DEATHS`], the outermost group first and each group from
    /// the inside out. No frame dies before the innermost group does; there each frame goes with
    /// its traceback, and the last one takes its callers along, again in groups. The exception,
    /// in whose deallocation this begins from 3.11 on, dies with the first group if more follow.
    fn drop_tracebacks(
        &mut self,
        unwound: Vec<Unwound>,
        handler_traceback: BlockId,
        exception: &mut Option<Exception>,
        heap: &mut Emitter<'_>,
        dice: &mut Dice,
    ) -> Vec<(Int, Held)> {
        // The handler's traceback is the outermost: number 0.
        let total = unwound.len() + 1;
        let mut tracebacks: Vec<_> = unwound.iter().map(|one| one.traceback).collect();
        tracebacks.push(handler_traceback);
        tracebacks.reverse();
        // What was put off dies inside a deallocation, and from 3.11 on the first group does, too:
        // in that of the exception. The first callers die inside a traceback besides.
        let (mut first, nested) = match self.era {
            _ if self.era <= Era::V3_10 => (NESTED_DEATHS, NESTED_DEATHS - 1),
            Era::V3_11 | Era::V3_12 => (NESTED_DEATHS - 1, NESTED_DEATHS - 1),
            _ => (usize::MAX, usize::MAX),
        };
        let mut innermost_group = 0;
        while first < total {
            tracebacks[innermost_group..first].iter().rev().for_each(|&block| heap.free(block));
            release_exception(exception.take(), heap);
            innermost_group = first;
            first += nested;
        }
        let mut put_off = Vec::new();
        let mut unwound = unwound.into_iter();
        for at in (innermost_group + 1..total).rev() {
            let one = unwound.by_ref().take(1).collect();
            self.drop_group(one, false, &mut put_off, heap, dice);
            heap.free(tracebacks[at]);
        }
        let mut group: Vec<_> = unwound.by_ref().take(nested - 1).collect();
        let mut is_full = group.len() == nested - 1;
        self.drop_group(group, is_full, &mut put_off, heap, dice);
        heap.free(tracebacks[innermost_group]);
        while is_full {
            group = unwound.by_ref().take(nested).collect();
            is_full = group.len() == nested;
            self.drop_group(group, is_full, &mut put_off, heap, dice);
        }
        put_off
    }

    /// Kills a group of frames outwards: all their locals, then their blocks, last first. When the
    /// group is full, the last frame's tuples are at the limit and are put off.
    fn drop_group(
        &mut self,
        group: Vec<Unwound>,
        is_full: bool,
        put_off: &mut Vec<(Int, Held)>,
        heap: &mut Emitter<'_>,
        dice: &mut Dice,
    ) {
        let mut blocks = Vec::new();
        let last = group.len().wrapping_sub(1);
        for (at, Unwound { level, frame_object, .. }) in group.into_iter().enumerate() {
            let Level { code, argument, frame, held } = level;
            match held {
                Held::Arguments { .. } if is_full && at == last => put_off.push((argument, held)),
                Held::Closure { cell, tuple, function } if is_full && at == last => {
                    heap.free(function);
                    put_off.push((argument, Held::ClosureTuple { cell, tuple }));
                }
                _ => self.release_locals(argument, held, heap, dice),
            }
            blocks.push((code, frame, frame_object));
        }
        for (code, frame, frame_object) in blocks.into_iter().rev() {
            if let Some(frame) = frame {
                self.frames.pop(code, frame, heap);
            }
            if let Some(frame_object) = frame_object {
                heap.free(frame_object);
            }
        }
    }
}

fn release_exception(exception: Option<Exception>, heap: &mut Emitter<'_>) {
    if let Some((instance, dict)) = exception {
        dict.into_iter().for_each(|dict| heap.free(dict));
        heap.free(instance);
    }
}
