//! Events as four streams of bytes, and back.
//!
//! | stream | holds |
//! |---|---|
//! | codes | one byte per event, two when the thread changes |
//! | sizes | varints: sizes, counts, alignments, thread indices that the code does not hold |
//! | blocks | varints: references to blocks that the code does not hold |
//! | times | varints, one per event, in timed traces |
//!
//! ```text
//! 0 malloc       sizes: size               8 free(NULL)
//! 1 calloc       sizes: count, size        9 thread start     10 thread end
//! 2 aligned      sizes: log2 align, size  11 region start     12 region end
//! 3 realloc(NULL) sizes: size             13 the next code is of another thread   sizes: its index
//! 4 realloc      blocks: ref, sizes: size 14, 15 never
//! 5 realloc(p,0) blocks: ref             16 + s, s < 128: malloc(s)
//! 6 free         blocks: ref            144 + d, d < 56: free of the block born d births ago
//! 7 free, sized  blocks: ref, sizes: size 200 + k, k < 56: free of `last + k - 28`
//! ```
//! Births take the next id (I1), so they name no block. `last` is the block the thread named last
//! in a free or realloc, 0 at first. A reference is `distance * 2`, counted back from the newest
//! block, or `zigzag(block - last) * 2 + 1`, whichever is smaller.
//!
//! Most small programs' frees are of a block born just before, or next to the one freed just
//! before: either is one byte, and runs of them repeat, which the compressor finds.
//!
//! The state (births, `last` by thread, thread, time) runs on from block to block of the file.

use super::error::TraceErrorKind;
use super::varint::{self, unzigzag, zigzag};
use crate::event::{BlockId, Event, MAX_THREADS, Op, ThreadIndex};

/// Most bytes of one block's streams together.
pub(super) const MAX_STREAM_BYTES: u32 = 512 << 10;

/// Names of the streams in errors.
const CODES: &str = "codes";
const SIZES: &str = "sizes";
const BLOCKS: &str = "blocks";
const TIMES: &str = "times";

mod code {
    pub(super) const MALLOC: u8 = 0;
    pub(super) const CALLOC: u8 = 1;
    pub(super) const ALIGNED: u8 = 2;
    pub(super) const REALLOC_NEW: u8 = 3;
    pub(super) const REALLOC: u8 = 4;
    pub(super) const REALLOC_FREE: u8 = 5;
    pub(super) const FREE: u8 = 6;
    pub(super) const FREE_SIZED: u8 = 7;
    pub(super) const FREE_NULL: u8 = 8;
    pub(super) const THREAD_START: u8 = 9;
    pub(super) const THREAD_END: u8 = 10;
    pub(super) const REGION_START: u8 = 11;
    pub(super) const REGION_END: u8 = 12;
    pub(super) const THREAD: u8 = 13;
    pub(super) const SMALL_MALLOC: u8 = 16;
    pub(super) const NEAR_NEWEST: u8 = 144;
    pub(super) const NEAR_LAST: u8 = 200;
}

/// Blocks either near code reaches.
const NEAR: u64 = (code::NEAR_LAST - code::NEAR_NEWEST) as u64;
/// Blocks below `last` that a near code reaches.
const NEAR_BELOW: i64 = (NEAR / 2) as i64;

const _: () = assert!(code::SMALL_MALLOC as u64 + 128 == code::NEAR_NEWEST as u64);
const _: () = assert!(code::NEAR_LAST as u64 + NEAR == 256);

/// What both sides know at each event.
#[derive(Default)]
struct State {
    births: u64,
    thread: u32,
    /// Block named last, by thread.
    last: Vec<u64>,
    time_ns: u64,
}

impl State {
    fn last(&self) -> u64 {
        self.last.get(self.thread as usize).copied().unwrap_or(0)
    }

    /// `thread` is at most one above those seen before (I6), so this grows by one at most.
    fn set_last(&mut self, block: u64) {
        let at = self.thread as usize;
        if at >= self.last.len() {
            self.last.resize(at + 1, 0);
        }
        self.last[at] = block;
    }
}

/// Turns events into streams.
#[derive(Default)]
pub(super) struct Encoder {
    state: State,
    timed: bool,
    codes: Vec<u8>,
    sizes: Vec<u8>,
    blocks: Vec<u8>,
    times: Vec<u8>,
    events: u32,
}

impl Encoder {
    pub(super) fn new(timed: bool) -> Self {
        Encoder { timed, ..Encoder::default() }
    }

    /// Events in the streams.
    pub(super) fn events(&self) -> u32 {
        self.events
    }

    /// Bytes in the streams.
    pub(super) fn len(&self) -> usize {
        self.codes.len() + self.sizes.len() + self.blocks.len() + self.times.len()
    }

    /// Appends an event, which must be valid at its place. At most 52 bytes.
    pub(super) fn push(&mut self, event: &Event) {
        if event.thread.0 != self.state.thread {
            self.state.thread = event.thread.0;
            self.codes.push(code::THREAD);
            varint::put(&mut self.sizes, u64::from(event.thread.0));
        }
        self.push_op(event.op);
        if self.timed {
            // 0 stands for no time.
            let value = event.time_ns.map_or(0, |time_ns| {
                let step = time_ns.wrapping_sub(self.state.time_ns) as i64;
                self.state.time_ns = time_ns;
                // I4 keeps the step within 63 bits and a sign.
                zigzag(step) + 1
            });
            varint::put(&mut self.times, value);
        }
        self.events += 1;
    }

    fn push_op(&mut self, op: Op) {
        match op {
            Op::Malloc { size, .. } if size < 128 => {
                self.codes.push(code::SMALL_MALLOC + size as u8);
            }
            Op::Malloc { size, .. } => self.push_sized(code::MALLOC, &[size]),
            Op::Calloc { count, size, .. } => self.push_sized(code::CALLOC, &[count, size]),
            Op::AlignedAlloc { align, size, .. } => {
                self.push_sized(code::ALIGNED, &[u64::from(align.trailing_zeros()), size]);
            }
            Op::ReallocNew { size, .. } => self.push_sized(code::REALLOC_NEW, &[size]),
            Op::Realloc { block, size } => {
                self.push_sized(code::REALLOC, &[size]);
                self.push_reference(block);
            }
            Op::ReallocFree { block } => {
                self.codes.push(code::REALLOC_FREE);
                self.push_reference(block);
            }
            Op::Free { block, size: Some(size) } => {
                self.push_sized(code::FREE_SIZED, &[size]);
                self.push_reference(block);
            }
            Op::Free { block, size: None } => self.push_free(block),
            Op::FreeNull => self.codes.push(code::FREE_NULL),
            Op::ThreadStart => self.codes.push(code::THREAD_START),
            Op::ThreadEnd => self.codes.push(code::THREAD_END),
            Op::RegionStart => self.codes.push(code::REGION_START),
            Op::RegionEnd => self.codes.push(code::REGION_END),
        }
        self.state.births += u64::from(op.birth().is_some());
    }

    fn push_sized(&mut self, code: u8, sizes: &[u64]) {
        self.codes.push(code);
        for &size in sizes {
            varint::put(&mut self.sizes, size);
        }
    }

    fn push_free(&mut self, block: BlockId) {
        let distance = self.state.births - 1 - block.0;
        let above_last = (block.0 as i64).wrapping_sub(self.state.last() as i64);
        if distance < NEAR {
            self.codes.push(code::NEAR_NEWEST + distance as u8);
            self.state.set_last(block.0);
        } else if (-NEAR_BELOW..NEAR_BELOW).contains(&above_last) {
            self.codes.push(code::NEAR_LAST + (above_last + NEAR_BELOW) as u8);
            self.state.set_last(block.0);
        } else {
            self.codes.push(code::FREE);
            self.push_reference(block);
        }
    }

    fn push_reference(&mut self, block: BlockId) {
        let distance = self.state.births - 1 - block.0;
        let above_last = zigzag((block.0 as i64).wrapping_sub(self.state.last() as i64));
        // Ids stay far below 2^62: each is one event.
        let reference = if above_last < distance { above_last << 1 | 1 } else { distance << 1 };
        varint::put(&mut self.blocks, reference);
        self.state.set_last(block.0);
    }

    /// Moves the streams to `out`, their lengths first, and starts anew.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        let streams = [&mut self.codes, &mut self.sizes, &mut self.blocks, &mut self.times];
        for stream in &streams {
            varint::put(out, stream.len() as u64);
        }
        for stream in streams {
            out.append(stream);
        }
        self.events = 0;
    }
}

/// Turns streams into events.
#[derive(Default)]
pub(super) struct Decoder {
    state: State,
    timed: bool,
}

/// What is left of one block's streams.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursors {
    /// Position of each stream and its end, in the buffer the streams lie in.
    codes: (usize, usize),
    sizes: (usize, usize),
    blocks: (usize, usize),
    times: (usize, usize),
}

impl Cursors {
    /// Splits `streams` by the lengths at its start.
    pub(super) fn split(streams: &[u8]) -> Result<Self, TraceErrorKind> {
        let mut rest = streams;
        let mut lengths = [0_u64; 4];
        for length in &mut lengths {
            *length = varint::take(&mut rest, "lengths")?;
        }
        let found = lengths.iter().fold(0_u64, |sum, &length| sum.saturating_add(length));
        let expected = rest.len() as u64;
        if found != expected {
            return Err(TraceErrorKind::StreamLengths { expected, found });
        }
        let mut at = streams.len() - rest.len();
        let [codes, sizes, blocks, times] = lengths.map(|length| {
            let start = at;
            at += length as usize;
            (start, at)
        });
        Ok(Cursors { codes, sizes, blocks, times })
    }

    /// Checks that every stream was used up.
    pub(super) fn finish(&self) -> Result<(), TraceErrorKind> {
        let all =
            [(CODES, self.codes), (SIZES, self.sizes), (BLOCKS, self.blocks), (TIMES, self.times)];
        for (stream, (at, end)) in all {
            if at < end {
                return Err(TraceErrorKind::StreamLeftOver { stream, bytes: end - at });
            }
        }
        Ok(())
    }
}

/// Takes a varint of the stream between `at` and its end.
fn take_from(
    streams: &[u8],
    (at, end): &mut (usize, usize),
    stream: &'static str,
) -> Result<u64, TraceErrorKind> {
    let mut rest = &streams[*at..*end];
    let value = varint::take(&mut rest, stream)?;
    *at = *end - rest.len();
    Ok(value)
}

impl Decoder {
    pub(super) fn new(timed: bool) -> Self {
        Decoder { timed, ..Decoder::default() }
    }

    /// Takes the next event off `streams`.
    ///
    /// Syntax is checked here, and whether the event is valid at its place is the checker's part.
    pub(super) fn next(
        &mut self,
        streams: &[u8],
        at: &mut Cursors,
    ) -> Result<Event, TraceErrorKind> {
        let mut code = take_code(streams, at)?;
        if code == code::THREAD {
            let thread = take_from(streams, &mut at.sizes, SIZES)?;
            // I6 bounds what `State::set_last` may grow to.
            self.state.thread = u32::try_from(thread)
                .ok()
                .filter(|&thread| thread < MAX_THREADS && thread as usize <= self.threads_seen())
                .ok_or(TraceErrorKind::Value {
                    expected: "the index of a thread seen before, or the next",
                    found: thread,
                })?;
            code = take_code(streams, at)?;
            if code == code::THREAD {
                return Err(TraceErrorKind::UnknownCode { code });
            }
        }
        self.note_thread();
        let op = self.take_op(code, streams, at)?;
        self.state.births += u64::from(op.birth().is_some());
        let time_ns = if self.timed { self.take_time(streams, at)? } else { None };
        Ok(Event { thread: ThreadIndex(self.state.thread), op, time_ns })
    }

    fn threads_seen(&self) -> usize {
        self.state.last.len()
    }

    /// Makes sure every thread seen has its `last`, so that their number is known.
    fn note_thread(&mut self) {
        if self.state.thread as usize == self.threads_seen() {
            self.state.last.push(0);
        }
    }

    fn take_op(
        &mut self,
        code: u8,
        streams: &[u8],
        at: &mut Cursors,
    ) -> Result<Op, TraceErrorKind> {
        let block = BlockId(self.state.births);
        let mut size = || take_from(streams, &mut at.sizes, SIZES);
        Ok(match code {
            code::MALLOC => {
                let size = size()?;
                if size < 128 {
                    return Err(TraceErrorKind::Value {
                        expected: "a size of 128 or more behind the code 0",
                        found: size,
                    });
                }
                Op::Malloc { block, size }
            }
            code::CALLOC => Op::Calloc { block, count: size()?, size: size()? },
            code::ALIGNED => {
                let exponent = size()?;
                let align = u32::try_from(exponent).ok().and_then(|bits| 1_u64.checked_shl(bits));
                let align = align.ok_or(TraceErrorKind::Value {
                    expected: "an exponent of an alignment below 64",
                    found: exponent,
                })?;
                Op::AlignedAlloc { block, align, size: size()? }
            }
            code::REALLOC_NEW => Op::ReallocNew { block, size: size()? },
            code::REALLOC => {
                let size = size()?;
                Op::Realloc { block: self.take_reference(streams, at)?, size }
            }
            code::REALLOC_FREE => Op::ReallocFree { block: self.take_reference(streams, at)? },
            code::FREE => Op::Free { block: self.take_reference(streams, at)?, size: None },
            code::FREE_SIZED => {
                let size = Some(size()?);
                Op::Free { block: self.take_reference(streams, at)?, size }
            }
            code::FREE_NULL => Op::FreeNull,
            code::THREAD_START => Op::ThreadStart,
            code::THREAD_END => Op::ThreadEnd,
            code::REGION_START => Op::RegionStart,
            code::REGION_END => Op::RegionEnd,
            code::SMALL_MALLOC..code::NEAR_NEWEST => {
                Op::Malloc { block, size: u64::from(code - code::SMALL_MALLOC) }
            }
            code::NEAR_NEWEST..code::NEAR_LAST => {
                let distance = u64::from(code - code::NEAR_NEWEST);
                Op::Free { block: self.name(self.back_from_newest(distance)?), size: None }
            }
            code::NEAR_LAST.. => {
                let above_last = i64::from(code - code::NEAR_LAST) - NEAR_BELOW;
                Op::Free { block: self.name(self.above_last(above_last)?), size: None }
            }
            code::THREAD..code::SMALL_MALLOC => {
                return Err(TraceErrorKind::UnknownCode { code });
            }
        })
    }

    fn take_reference(
        &mut self,
        streams: &[u8],
        at: &mut Cursors,
    ) -> Result<BlockId, TraceErrorKind> {
        let reference = take_from(streams, &mut at.blocks, BLOCKS)?;
        let block = if reference & 1 == 0 {
            self.back_from_newest(reference >> 1)?
        } else {
            self.above_last(unzigzag(reference >> 1))?
        };
        Ok(self.name(block))
    }

    fn back_from_newest(&self, distance: u64) -> Result<u64, TraceErrorKind> {
        self.state.births.checked_sub(1).and_then(|newest| newest.checked_sub(distance)).ok_or(
            TraceErrorKind::Value {
                expected: "a distance to a block that is born",
                found: distance,
            },
        )
    }

    fn above_last(&self, above: i64) -> Result<u64, TraceErrorKind> {
        self.state
            .last()
            .checked_add_signed(above)
            .filter(|&block| block < self.state.births)
            .ok_or(TraceErrorKind::Value {
                expected: "a step to a block that is born",
                found: above.unsigned_abs(),
            })
    }

    fn name(&mut self, block: u64) -> BlockId {
        self.state.set_last(block);
        BlockId(block)
    }

    fn take_time(
        &mut self,
        streams: &[u8],
        at: &mut Cursors,
    ) -> Result<Option<u64>, TraceErrorKind> {
        let value = take_from(streams, &mut at.times, TIMES)?;
        Ok(value.checked_sub(1).map(|step| {
            self.state.time_ns = self.state.time_ns.wrapping_add_signed(unzigzag(step));
            self.state.time_ns
        }))
    }
}

fn take_code(streams: &[u8], at: &mut Cursors) -> Result<u8, TraceErrorKind> {
    let (position, end) = &mut at.codes;
    if position == end {
        return Err(TraceErrorKind::StreamEnds { stream: CODES });
    }
    *position += 1;
    Ok(streams[*position - 1])
}
