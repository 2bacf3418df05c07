//! Which place of the pointer table a block gets when several threads are born and die into it.
//!
//! A slot that another thread has freed can only be used after that free: it takes an edge. So a
//! thread takes the slot it freed last, if it has one. Else the table grows, as long as few slots
//! are free; then the slot is taken that has been free for longest, so that the edge binds the two
//! threads loosely: one that only allocates runs ahead of the one that frees by no more blocks than
//! [`Slots::LEAST_SPARE`] and half of what was alive, as with a queue of bounded length.

use std::collections::VecDeque;

use crate::plan::op;

/// A point in the plan: behind an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) thread: u32,
    pub(super) epoch: u32,
    /// Words of the thread's row in that epoch, up to the operation's end.
    pub(super) word: u64,
    /// Number of the event in the trace.
    pub(super) time: u64,
}

#[derive(Clone, Copy)]
enum State {
    Full,
    /// Freed here.
    Free(Point),
}

/// Slots by number, and who may take which.
#[derive(Default)]
pub(super) struct Slots {
    /// Largest size each slot has held, in bytes.
    pub(super) sizes: Vec<u64>,
    states: Vec<State>,
    /// For each thread the slots it freed, last freed last. Entries of slots that somebody has taken
    /// since are stale.
    own: Vec<Vec<Entry>>,
    /// All free slots, first freed first, with stale entries.
    oldest: VecDeque<Entry>,
    free: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    slot: u32,
    time: u64,
}

impl Slots {
    /// Free slots below which the table grows rather than take another thread's.
    const LEAST_SPARE: usize = 2048;

    /// A slot for a block of `size` bytes that `thread` bears, with the point where another thread
    /// freed it. `None` when there are no more slots.
    pub(super) fn take(&mut self, thread: u32, size: u64) -> Option<(u32, Option<Point>)> {
        let (slot, freed) = match self.take_own(thread) {
            Some(slot) => (slot, None),
            None => {
                let live = self.states.len() - self.free;
                let many = self.free > Self::LEAST_SPARE + live / 2;
                let full = self.states.len() >= op::MAX_SLOTS as usize;
                let other = if many || full { self.take_oldest() } else { None };
                match other {
                    Some((slot, point)) => (slot, Some(point)),
                    None if full => return None,
                    None => {
                        self.sizes.push(0);
                        self.states.push(State::Full);
                        return Some((self.hold(self.states.len() as u32 - 1, size), None));
                    }
                }
            }
        };
        self.states[slot as usize] = State::Full;
        self.free -= 1;
        Some((self.hold(slot, size), freed.filter(|point| point.thread != thread)))
    }

    /// Notes that a slot holds a block of `size` bytes; returns the slot.
    pub(super) fn hold(&mut self, slot: u32, size: u64) -> u32 {
        let largest = &mut self.sizes[slot as usize];
        *largest = size.max(*largest);
        slot
    }

    /// Takes back a slot whose block died at `point`.
    pub(super) fn give(&mut self, slot: u32, point: Point) {
        self.states[slot as usize] = State::Free(point);
        self.free += 1;
        let entry = Entry { slot, time: point.time };
        let thread = point.thread as usize;
        if self.own.len() <= thread {
            self.own.resize_with(thread + 1, Vec::new);
        }
        // Stale entries are dropped before they outnumber the slots by much.
        let most = 2 * self.states.len() + 64;
        if self.own[thread].len() >= most {
            let mut own = std::mem::take(&mut self.own[thread]);
            own.retain(|entry| self.point(*entry).is_some());
            self.own[thread] = own;
        }
        if self.oldest.len() >= most {
            let mut oldest = std::mem::take(&mut self.oldest);
            oldest.retain(|entry| self.point(*entry).is_some());
            self.oldest = oldest;
        }
        self.own[thread].push(entry);
        self.oldest.push_back(entry);
    }

    /// Where the slot of an entry was freed; `None` for a stale entry.
    fn point(&self, entry: Entry) -> Option<Point> {
        match self.states[entry.slot as usize] {
            State::Free(point) if point.time == entry.time => Some(point),
            _ => None,
        }
    }

    fn take_own(&mut self, thread: u32) -> Option<u32> {
        loop {
            let entry = self.own.get_mut(thread as usize)?.pop()?;
            if self.point(entry).is_some() {
                return Some(entry.slot);
            }
        }
    }

    fn take_oldest(&mut self) -> Option<(u32, Point)> {
        loop {
            let entry = self.oldest.pop_front()?;
            if let Some(point) = self.point(entry) {
                return Some((entry.slot, point));
            }
        }
    }
}
