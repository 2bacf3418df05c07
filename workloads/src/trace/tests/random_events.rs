//! Valid streams of events that use every kind of event and every corner of their values.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::event::{BlockId, Event, MAX_SIZE, Op, ThreadIndex};

/// Makes one valid stream of events.
pub(super) struct RandomEvents {
    words: ChaCha8Rng,
    live: Vec<u64>,
    births: u64,
    ended: Vec<bool>,
    marks: usize,
    timed: bool,
}

impl RandomEvents {
    pub(super) fn new(seed: u64, timed: bool) -> Self {
        RandomEvents {
            words: ChaCha8Rng::seed_from_u64(seed),
            live: Vec::new(),
            births: 0,
            ended: Vec::new(),
            marks: 0,
            timed,
        }
    }

    pub(super) fn take(mut self, count: usize) -> Vec<Event> {
        (0..count).map(|_| self.event()).collect()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.words.next_u64() % bound
    }

    /// Mostly small, now and then anything; live bytes must not overflow, so the largest are rare.
    fn size(&mut self) -> u64 {
        match self.below(40) {
            0 => self.below(1 << 40),
            1..4 => self.below(100_000),
            4 => 127 + self.below(2),
            _ => self.below(200),
        }
    }

    fn event(&mut self) -> Event {
        let (thread, is_new) = self.thread();
        let op = if is_new && self.below(2) == 0 { Op::ThreadStart } else { self.op(thread) };
        let time_ns = (self.timed && self.below(10) > 0)
            .then(|| if self.below(50) == 0 { self.below(MAX_SIZE) } else { self.below(1 << 30) });
        Event { thread: ThreadIndex(thread), op, time_ns }
    }

    /// A running thread, mostly the first, or now and then a new one.
    fn thread(&mut self) -> (u32, bool) {
        let running: Vec<_> = (0..self.ended.len()).filter(|&at| !self.ended[at]).collect();
        if running.is_empty() || (running.len() < 5 && self.below(100) == 0) {
            self.ended.push(false);
            return (self.ended.len() as u32 - 1, true);
        }
        let at = if self.below(4) > 0 { 0 } else { self.below(running.len() as u64) as usize };
        (running[at] as u32, false)
    }

    fn op(&mut self, thread: u32) -> Op {
        match self.below(100) {
            0..45 => {
                let size = self.size();
                Op::Malloc { block: self.born(), size }
            }
            45..48 => {
                let (count, size) = (self.below(5), self.size());
                Op::Calloc { block: self.born(), count, size }
            }
            48..51 => {
                let (align, size) = (1 << self.below(31), self.size());
                Op::AlignedAlloc { block: self.born(), align, size }
            }
            51..53 => {
                let size = self.size();
                Op::ReallocNew { block: self.born(), size }
            }
            53 => Op::FreeNull,
            54 if self.below(20) == 0 => {
                self.ended[thread as usize] = true;
                Op::ThreadEnd
            }
            55 if self.marks < 2 && self.below(20) == 0 => {
                self.marks += 1;
                if self.marks == 1 { Op::RegionStart } else { Op::RegionEnd }
            }
            draw => self.on_live(draw),
        }
    }

    /// Something with a live block: a young one, a neighbour of the last, or any.
    fn on_live(&mut self, draw: u64) -> Op {
        let Some(newest) = self.live.len().checked_sub(1) else { return Op::FreeNull };
        let at = match self.below(3) {
            0 => newest - self.below(3).min(newest as u64) as usize,
            _ => self.below(newest as u64 + 1) as usize,
        };
        let block = BlockId(self.live[at]);
        if draw < 65 {
            let size = self.size();
            return Op::Realloc { block, size };
        }
        self.live.remove(at);
        match draw {
            65..67 => Op::ReallocFree { block },
            67..72 => Op::Free { block, size: Some(self.size()) },
            _ => Op::Free { block, size: None },
        }
    }

    fn born(&mut self) -> BlockId {
        let block = self.births;
        self.births += 1;
        self.live.push(block);
        BlockId(block)
    }
}
