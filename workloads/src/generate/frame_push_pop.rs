//! `frame-push-pop`: recursion to varying depth through functions of six kinds.
//!
//! The program (`programs/frame_push_pop.py`) dives: each function calls the next, counting `n`
//! down, and adds 1 to what comes back. One dive in eight ends in an exception that unwinds it.
//! The chance of a dive of at least x calls is 16 / x, up to `live`; before the region stands one
//! dive to the full depth.
//!
//! | depth mod 6 | function | allocates, besides its argument and result |
//! |---|---|---|
//! | 0 | `plain(n)` | nothing |
//! | 1 | `wide(n)` | nothing, but its frame has 17 locals and is above 512 bytes |
//! | 2 | `closing(n)` | a cell, a closure tuple and a function, held through the call |
//! | 3 | `starred(*args, **names)` | a tuple, a dict and its table |
//! | 4 | `binding(n)` | a bound method |
//! | 5 | `step(self, n)` | a generator, suspended through the call |
//!
//! Going down a call makes the int `n - 1`; coming up it makes the int `result + 1` before it frees
//! `result`, then frees what the callee held, in the era's order.
//!
//! Frames are heap blocks up to 3.10 (`frame_pool`): silent until a dive is deeper than the list of
//! dead frames, then one malloc per call going down and one free coming up. From 3.11 on they lie
//! on the data stack (`data_stack`), whose chunks are no malloc traffic.
//!
//! An exception makes a traceback per frame, and from 3.11 on a frame object too; both live until
//! the handler at the top drops them (`unwinding`).
//!
//! Sources: `ceval.c`, `frameobject.c`, `genobject.c:gen_close`, `traceback.c:tb_dealloc`, and
//! recordings of the program on CPython 3.6 to 3.13.

mod unwinding;

use super::Spec;
use super::call_objects::CallObjects;
use super::data_stack::{DataStack, Pushed};
use super::dice::Dice;
use super::dict_objects::{Dict, Key};
use super::emitter::Emitter;
use super::era::Era;
use super::frame_pool::{Frame, FramePool};
use super::int_objects::Int;
use crate::event::{BlockId, Op};

/// Calls of the shallowest dive.
const LEAST_DEPTH: u64 = 16;

/// Emits the first dive and the region up to, but without, its end mark. Returns the chunks of
/// the data stack mapped in the region, from 3.11 on.
pub(super) fn emit(
    spec: &Spec,
    operations: u64,
    heap: &mut Emitter<'_>,
    dice: &mut Dice,
) -> Option<u64> {
    let mut diver = Diver::new(spec.era);
    diver.dive(spec.live, false, heap, dice);
    let mapped_before = diver.mapped_chunks();

    heap.mark(Op::RegionStart);
    let start = heap.calls();
    while heap.calls() - start < operations {
        let left = operations - (heap.calls() - start);
        let depth = dice.heavy_tail(LEAST_DEPTH, spec.live);
        // No dive goes far beyond the operations asked for.
        let depth = depth.min(LEAST_DEPTH.max(left / 4));
        let raises = dice.chance(1, 8);
        diver.dive(depth, raises, heap, dice);
    }
    Some(diver.mapped_chunks()? - mapped_before?)
}

/// The functions, as indices of their code objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Plain,
    Wide,
    Closing,
    Starred,
    Binding,
    Step,
    Counting,
    End,
    /// The handler around it all.
    Dive,
}

/// Number of [`Code`]s.
const CODES: usize = 9;

/// Extras of the frames below the outermost dive from 3.11 on: the module's and `main`'s.
const EXTRAS_BELOW: [u64; 2] = [8, 16];

impl Code {
    /// The function at a depth.
    fn at(depth: u64) -> Code {
        const CYCLE: [Code; 6] =
            [Code::Plain, Code::Wide, Code::Closing, Code::Starred, Code::Binding, Code::Step];
        CYCLE[(depth % 6) as usize]
    }

    /// Locals + cells + free variables + stack, as the compiler of the era counts them.
    fn extras(self, era: Era) -> u64 {
        let (heap_frame, stack_frame) = match self {
            Code::Plain => (4, 5),
            Code::Wide => (20, 21),
            Code::Closing => (7, if era <= Era::V3_12 { 6 } else { 7 }),
            Code::Starred | Code::Binding => (5, 6),
            Code::Step => (7, 8),
            Code::Counting => (2, if era == Era::V3_11 { 2 } else { 3 }),
            Code::End => (3, 3),
            Code::Dive if era <= Era::V2_7 => (6, 5),
            Code::Dive => (if era == Era::V3_6 { 12 } else { 9 }, 5),
        };
        if era <= Era::V3_10 { heap_frame } else { stack_frame }
    }
}

/// Where the frames of the era lie.
enum Frames {
    Heap(Box<FramePool<CODES>>),
    Stack(DataStack),
}

/// The frame of one call.
enum CallFrame {
    Heap(Frame),
    Stack(Pushed),
}

impl Frames {
    fn push(&mut self, code: Code, era: Era, heap: &mut Emitter<'_>) -> CallFrame {
        let extras = code.extras(era);
        match self {
            Frames::Heap(pool) => CallFrame::Heap(pool.take(code as usize, extras, heap)),
            Frames::Stack(stack) => CallFrame::Stack(stack.push(extras)),
        }
    }

    fn pop(&mut self, code: Code, frame: CallFrame, heap: &mut Emitter<'_>) {
        match (self, frame) {
            (Frames::Heap(pool), CallFrame::Heap(frame)) => pool.give(code as usize, frame, heap),
            (Frames::Stack(stack), CallFrame::Stack(pushed)) => stack.pop(pushed),
            _ => unreachable!("one interpreter has frames of one kind"),
        }
    }
}

/// What a call holds besides its frame.
enum Held {
    Nothing,
    Closure {
        cell: BlockId,
        tuple: BlockId,
        function: BlockId,
    },
    /// A cell that no closure was made of, because the dive ended here.
    Cell(BlockId),
    /// What a closure leaves when its function dies before its tuple.
    ClosureTuple {
        cell: BlockId,
        tuple: BlockId,
    },
    Arguments {
        tuple: BlockId,
        names: Dict,
    },
    Method(BlockId),
    Generator {
        object: BlockId,
        frame: Option<CallFrame>,
    },
}

/// One call of a dive.
struct Level {
    code: Code,
    /// The argument `n`; cached for the outermost call, whose argument the caller keeps.
    argument: Int,
    frame: Option<CallFrame>,
    held: Held,
}

struct Diver {
    era: Era,
    objects: CallObjects,
    frames: Frames,
}

impl Diver {
    fn new(era: Era) -> Self {
        let frames = if era <= Era::V3_10 {
            Frames::Heap(Box::new(FramePool::new(era)))
        } else {
            Frames::Stack(DataStack::holding(&EXTRAS_BELOW))
        };
        Diver { era, objects: CallObjects::new(era), frames }
    }

    fn mapped_chunks(&self) -> Option<u64> {
        match &self.frames {
            Frames::Heap(_) => None,
            Frames::Stack(stack) => Some(stack.mapped()),
        }
    }

    /// Calls nested `depth` deep below the outermost, and their return or unwinding.
    fn dive(&mut self, depth: u64, raises: bool, heap: &mut Emitter<'_>, dice: &mut Dice) {
        let handler = self.frames.push(Code::Dive, self.era, heap);
        let mut levels = Vec::new();
        let mut argument = Int::Cached;
        for at in 0..=depth {
            let is_bottom = at == depth;
            let (level, next) = self.enter(Code::at(at), argument, is_bottom, heap);
            levels.push(level);
            argument = next;
        }
        let end = self.frames.push(Code::End, self.era, heap);
        if raises {
            self.unwind(levels, end, heap, dice);
        } else {
            self.frames.pop(Code::End, end, heap);
            self.come_up(levels, heap, dice);
        }
        self.frames.pop(Code::Dive, handler, heap);
    }

    /// Calls `code` and runs it up to its own call; returns the argument of that call.
    fn enter(
        &mut self,
        code: Code,
        argument: Int,
        is_bottom: bool,
        heap: &mut Emitter<'_>,
    ) -> (Level, Int) {
        let frame = Some(self.frames.push(code, self.era, heap));
        let held = match code {
            Code::Starred => {
                let mut names = self.objects.dicts.empty(heap);
                let tuple = self.objects.tuple(heap);
                self.objects.dicts.insert(&mut names, Key::Interned, Int::Cached, heap);
                Held::Arguments { tuple, names }
            }
            Code::Closing => {
                let cell = self.objects.cell(heap);
                if is_bottom {
                    Held::Cell(cell)
                } else {
                    let tuple = self.objects.tuple(heap);
                    let function = self.objects.function(heap);
                    Held::Closure { cell, tuple, function }
                }
            }
            Code::Binding if !is_bottom => Held::Method(self.objects.bound_method(heap)),
            Code::Step if !is_bottom => {
                let mut frame = Some(self.frames.push(Code::Counting, self.era, heap));
                let object = self.objects.generator(heap);
                if self.era >= Era::V3_11
                    && let Some(frame) = frame.take()
                {
                    // It begins on the data stack and moves into the generator.
                    self.frames.pop(Code::Counting, frame, heap);
                }
                Held::Generator { object, frame }
            }
            _ => Held::Nothing,
        };
        let next = if is_bottom { Int::Cached } else { self.objects.ints.one_digit(heap) };
        (Level { code, argument, frame, held }, next)
    }

    /// Returns through all levels.
    fn come_up(&mut self, mut levels: Vec<Level>, heap: &mut Emitter<'_>, dice: &mut Dice) {
        // The bottom returns its own argument.
        let mut result = Int::Cached;
        if let Some(bottom) = levels.last_mut() {
            result = std::mem::replace(&mut bottom.argument, Int::Cached);
        }
        let mut is_bottom = true;
        while let Some(mut level) = levels.pop() {
            if !is_bottom {
                let sum = self.objects.ints.one_digit(heap);
                self.objects.ints.release(result, heap);
                result = sum;
            }
            is_bottom = false;
            if let Held::Generator { object, frame } = &mut level.held {
                let (object, frame) = (*object, frame.take());
                self.close_generator(object, frame, true, heap);
                level.held = Held::Nothing;
            }
            self.leave(level, heap, dice);
        }
        self.objects.ints.release(result, heap);
    }

    /// Ends a call that returns: its locals, its frame and its argument, in the era's order.
    fn leave(&mut self, level: Level, heap: &mut Emitter<'_>, dice: &mut Dice) {
        let Level { code, argument, frame, held } = level;
        if self.era >= Era::V3_11 {
            // The frame owns the argument.
            if let Some(frame) = frame {
                self.frames.pop(code, frame, heap);
            }
            self.release_locals(argument, held, heap, dice);
        } else {
            // The caller still holds the argument while the frame dies.
            self.release_locals(Int::Cached, held, heap, dice);
            if let Some(frame) = frame {
                self.frames.pop(code, frame, heap);
            }
            self.objects.ints.release(argument, heap);
        }
    }

    /// Frees what a call's locals held last, argument included.
    fn release_locals(
        &mut self,
        argument: Int,
        held: Held,
        heap: &mut Emitter<'_>,
        dice: &mut Dice,
    ) {
        let objects = &mut self.objects;
        match held {
            Held::Nothing => objects.ints.release(argument, heap),
            Held::Cell(cell) => {
                objects.ints.release(argument, heap);
                heap.free(cell);
            }
            Held::ClosureTuple { cell, tuple } => {
                objects.ints.release(argument, heap);
                heap.free(cell);
                objects.release_tuple(tuple, heap);
            }
            Held::Method(method) => {
                objects.ints.release(argument, heap);
                objects.release_method(method, heap);
            }
            Held::Arguments { tuple, names } => {
                objects.ints.release(argument, heap);
                objects.release_tuple(tuple, heap);
                objects.dicts.release(names, &mut objects.ints, heap, dice);
            }
            Held::Closure { cell, tuple, function } if self.era >= Era::V3_11 => {
                // The cell is a local that dies with the function's closure.
                objects.ints.release(argument, heap);
                heap.free(cell);
                objects.release_tuple(tuple, heap);
                heap.free(function);
            }
            Held::Closure { cell, tuple, function } => {
                // The frame holds the cell beside the function.
                objects.release_tuple(tuple, heap);
                heap.free(function);
                objects.ints.release(argument, heap);
                heap.free(cell);
            }
            Held::Generator { .. } => unreachable!("generators are closed before their frame"),
        }
    }

    /// Drops a suspended generator: up to 3.12 an exception is thrown into it.
    fn close_generator(
        &mut self,
        object: BlockId,
        frame: Option<CallFrame>,
        is_returning: bool,
        heap: &mut Emitter<'_>,
    ) {
        // A frame object that 3.12 makes of the frame that drops the generator, unless an
        // exception has already made it.
        let mut outer = None;
        match self.era {
            Era::V2_3 | Era::V3_13 | Era::V3_14 => {}
            Era::V3_11 | Era::V3_12 => {
                let exit = (self.era == Era::V3_12).then(|| heap.malloc(88));
                let extras = Code::Counting.extras(self.era);
                let frame_object = self.objects.frame_object(extras, heap);
                let traceback = self.objects.traceback(heap);
                if self.era == Era::V3_12 && is_returning {
                    outer = Some(self.objects.frame_object(Code::Step.extras(self.era), heap));
                }
                heap.free(frame_object);
                heap.free(traceback);
                if let Some(exit) = exit {
                    heap.free(exit);
                }
            }
            _ => {
                let traceback = self.objects.traceback(heap);
                heap.free(traceback);
            }
        }
        if let Some(frame) = frame {
            self.frames.pop(Code::Counting, frame, heap);
        }
        heap.free(object);
        if let Some(outer) = outer {
            heap.free(outer);
        }
    }
}

#[cfg(test)]
mod tests;
