//! Shrinks a stream of events that shows something to a short one that still shows it.
//!
//! A caller who has seen an allocator fail on a trace wants the few calls that make it fail. What is
//! looked for is a test of the caller's; the stream is cut down as far as the test allows:
//! ```text
//! end      the shortest beginning, by bisection
//! threads  everything on one thread
//! lives    blocks, each with its birth, its reallocations and its end, in ever smaller runs
//! calls    single reallocations, frees, marks and thread events, in ever smaller runs
//! ```
//! and again from the lives on, until nothing more can be left out.
//!
//! * R1: every candidate holds I1 to I6 of [`crate::event`]: blocks and threads are numbered anew, an
//!   event of a block that is not born is left out, and so are the start and end of a thread that
//!   does nothing between.
//! * R2: the order of what is kept is the order it had, and every candidate is shorter than the last
//!   one that passed or stands on fewer threads: the reduction ends.
//!
//! The idea is delta debugging: A. Zeller, R. Hildebrandt, *Simplifying and Isolating
//! Failure-Inducing Input*, IEEE Transactions on Software Engineering 28 (2002).

use std::ops::Range;

use crate::event::{BlockId, Event, Op, ThreadIndex};
use crate::live_blocks::LiveBlocks;

/// Shrinks `events`, for which `shows` is taken to hold, to fewer for which it does.
///
/// No single block and no single call of the answer can be left out without `shows` turning false,
/// if it answers the same each time it is asked the same. It is asked some (k + 1) 4 log2(n) times for
/// n events of which k matter. An error that it ends with may stand
/// for "enough": the caller has seen every candidate that passed. Memory for three copies of the
/// events.
///
/// # Errors
/// What `shows` ends with.
pub fn reduce<E>(
    events: Vec<Event>,
    shows: &mut dyn FnMut(&[Event]) -> Result<bool, E>,
) -> Result<Vec<Event>, E> {
    let mut reducer = Reducer { events, shows };
    reducer.cut_end()?;
    reducer.join_threads()?;
    loop {
        let before = reducer.events.len();
        reducer.leave_out(Part::Lives)?;
        reducer.leave_out(Part::Calls)?;
        if reducer.events.len() == before {
            return Ok(reducer.events);
        }
    }
}

struct Reducer<'a, E> {
    /// The shortest stream that has passed.
    events: Vec<Event>,
    shows: &'a mut dyn FnMut(&[Event]) -> Result<bool, E>,
}

/// What is left out at once, numbered from 0 in the order of the stream.
#[derive(Clone, Copy)]
enum Part {
    /// A block with everything that names it.
    Lives,
    /// An event that creates no block.
    Calls,
}

impl<E> Reducer<'_, E> {
    /// Takes the candidate if it passes.
    fn offer(&mut self, candidate: Vec<Event>) -> Result<bool, E> {
        let passes = !candidate.is_empty() && (self.shows)(&candidate)?;
        if passes {
            self.events = candidate;
        }
        Ok(passes)
    }

    /// Leaves out everything from some event on.
    fn cut_end(&mut self) -> Result<(), E> {
        let whole = std::mem::take(&mut self.events);
        let (mut low, mut high) = (0, whole.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.offer(renumbered(&whole[..middle]))? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if self.events.is_empty() {
            self.events = whole;
        }
        Ok(())
    }

    /// Puts everything on one thread.
    fn join_threads(&mut self) -> Result<(), E> {
        let is_threaded = self.events.iter().any(|event| event.thread != ThreadIndex(0));
        if is_threaded {
            let calls = self.events.iter().filter(|event| !is_thread_event(event.op));
            let joined: Vec<_> =
                calls.map(|event| Event { thread: ThreadIndex(0), ..*event }).collect();
            self.offer(renumbered(&joined))?;
        }
        Ok(())
    }

    /// Leaves out runs of parts, from halves down to single ones, the last first.
    fn leave_out(&mut self, part: Part) -> Result<(), E> {
        let mut run = self.count(part).div_ceil(2);
        while run > 0 {
            let mut end = self.count(part);
            while end > 0 {
                let begin = end.saturating_sub(run);
                let candidate = self.without(part, begin..end);
                self.offer(candidate)?;
                // Orphaned thread events may have gone as well.
                end = begin.min(self.count(part));
            }
            // What is left may be fewer than a run.
            let next = run.min(self.count(part)).div_ceil(2);
            run = if run == 1 { 0 } else { next };
        }
        Ok(())
    }

    fn count(&self, part: Part) -> usize {
        let births = self.events.iter().filter(|event| event.op.birth().is_some()).count();
        match part {
            Part::Lives => births,
            Part::Calls => self.events.len() - births,
        }
    }

    fn without(&self, part: Part, left_out: Range<usize>) -> Vec<Event> {
        let mut next = 0;
        let kept = self.events.iter().filter(|event| {
            let is_counted = matches!(part, Part::Lives) == event.op.birth().is_some();
            let at = next;
            next += usize::from(is_counted);
            !(is_counted && left_out.contains(&at))
        });
        renumbered(kept)
    }
}

fn is_thread_event(op: Op) -> bool {
    matches!(op, Op::ThreadStart | Op::ThreadEnd)
}

/// The events as a stream of their own (R1). Times count from the first that is kept.
fn renumbered<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Event> {
    let mut blocks = LiveBlocks::default();
    let mut births = 0;
    let mut has_start = false;
    let mut kept = Vec::new();
    for event in events {
        let is_kept = match (event.op.birth(), named(event.op)) {
            (Some((block, _)), _) => {
                blocks.insert(block.0, BlockId(births));
                births += 1;
                true
            }
            (None, Some(block)) => blocks.contains_key(&block.0),
            (None, None) => event.op != Op::RegionEnd || has_start,
        };
        has_start |= event.op == Op::RegionStart;
        if is_kept {
            let op = match named(event.op) {
                Some(block) => with_block(event.op, blocks[&block.0]),
                None => event.op,
            };
            if let Some(block) = event.op.death() {
                blocks.remove(&block.0);
            }
            kept.push(Event { op, ..*event });
        }
    }
    with_threads_renumbered(kept)
}

fn with_threads_renumbered(mut events: Vec<Event>) -> Vec<Event> {
    let mut threads: LiveBlocks<Option<ThreadIndex>> = LiveBlocks::default();
    for event in events.iter().filter(|event| !is_thread_event(event.op)) {
        threads.insert(u64::from(event.thread.0), None);
    }
    events.retain(|event| threads.contains_key(&u64::from(event.thread.0)));
    let begin_ns = events.first().and_then(|event| event.time_ns).unwrap_or(0);
    let mut seen = 0;
    for event in &mut events {
        let thread = threads.get_mut(&u64::from(event.thread.0)).expect("only such were retained");
        event.thread = *thread.get_or_insert_with(|| {
            seen += 1;
            ThreadIndex(seen - 1)
        });
        event.time_ns = event.time_ns.map(|time_ns| time_ns.saturating_sub(begin_ns));
    }
    events
}

/// The block an event names.
fn named(op: Op) -> Option<BlockId> {
    match op {
        Op::Realloc { block, .. } => Some(block),
        _ => op.birth().map(|(block, _)| block).or(op.death()),
    }
}

/// The event with another block in it.
fn with_block(mut op: Op, other: BlockId) -> Op {
    match &mut op {
        Op::Malloc { block, .. }
        | Op::Calloc { block, .. }
        | Op::AlignedAlloc { block, .. }
        | Op::ReallocNew { block, .. }
        | Op::Realloc { block, .. }
        | Op::ReallocFree { block }
        | Op::Free { block, .. } => *block = other,
        Op::FreeNull | Op::ThreadStart | Op::ThreadEnd | Op::RegionStart | Op::RegionEnd => {}
    }
    op
}

#[cfg(test)]
mod tests;
