//! Random programs of many threads: what the importer makes of their log is what they did.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::written_logs::{Image, aligned, calloc, enter, exit, free, malloc};
use super::{Options, imported};
use crate::event::{BlockId, Event, Op, ThreadIndex};
use crate::import::raw_log::layout::Record;
use crate::test_seeds::seeds;

/// A program that allocates at addresses that are reused soon, and keeps both its log and the
/// events it should become.
struct Program {
    words: ChaCha8Rng,
    seq: u64,
    /// Records by thread, each thread's in order.
    records: Vec<Vec<Record>>,
    /// A realloc under way, by thread: its enter's number, its block, its size.
    reallocs: Vec<Option<(u64, BlockId, u64)>>,
    live: Vec<(u64, BlockId)>,
    vacant: Vec<u64>,
    births: u64,
    expected: Vec<(usize, Op)>,
}

impl Program {
    fn new(seed: u64, threads: usize) -> Self {
        Program {
            words: ChaCha8Rng::seed_from_u64(seed),
            seq: 0,
            records: vec![Vec::new(); threads],
            reallocs: vec![None; threads],
            live: Vec::new(),
            vacant: (1..200).map(|at| 0x7f00_0000_0000 + at * 0x4240).collect(),
            births: 0,
            expected: Vec::new(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.words.next_u64() % bound as u64) as usize
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    fn step(&mut self) {
        let thread = self.below(self.records.len());
        if let Some((entered, block, size)) = self.reallocs[thread].take() {
            return self.return_from_realloc(thread, entered, block, size);
        }
        match self.below(10) {
            0..5 if !self.vacant.is_empty() => self.allocate(thread),
            5 if !self.live.is_empty() => {
                let at = self.below(self.live.len());
                let (address, block) = self.live.swap_remove(at);
                let (seq, size) = (self.next_seq(), self.below(5_000) as u64 + 1);
                self.records[thread].push(enter(seq, address, size));
                self.reallocs[thread] = Some((seq, block, size));
                // Free for others as soon as the call has begun.
                self.vacant.push(address);
            }
            _ if !self.live.is_empty() => {
                let at = self.below(self.live.len());
                let (address, block) = self.live.swap_remove(at);
                let seq = self.next_seq();
                self.records[thread].push(free(seq, address));
                self.vacant.push(address);
                self.expected.push((thread, Op::Free { block, size: None }));
            }
            _ => {}
        }
    }

    fn take_address(&mut self) -> Option<u64> {
        let at = self.below(self.vacant.len().max(1));
        (at < self.vacant.len()).then(|| self.vacant.swap_remove(at))
    }

    fn allocate(&mut self, thread: usize) {
        let Some(address) = self.take_address() else { return };
        let (seq, size) = (self.next_seq(), self.below(2_000) as u64);
        let block = BlockId(self.births);
        self.births += 1;
        let (record, op) = match self.below(4) {
            0 => (calloc(seq, address, 2, size), Op::Calloc { block, count: 2, size }),
            1 => (aligned(seq, address, 32, size), Op::AlignedAlloc { block, align: 32, size }),
            _ => (malloc(seq, address, size), Op::Malloc { block, size }),
        };
        self.records[thread].push(record);
        self.expected.push((thread, op));
        self.live.push((address, block));
    }

    fn return_from_realloc(&mut self, thread: usize, entered: u64, block: BlockId, size: u64) {
        let Some(address) = self.take_address() else {
            self.reallocs[thread] = Some((entered, block, size));
            return;
        };
        let seq = self.next_seq();
        self.records[thread].push(exit(seq, address, entered));
        self.expected.push((thread, Op::Realloc { block, size }));
        self.live.push((address, block));
    }

    /// The log in chunks of random lengths, appended in the order in which they became full.
    fn image(&mut self) -> Image {
        let mut image = Image::of_threads(&[]);
        for thread in 0..self.records.len() {
            let mut rest = self.records[thread].clone();
            while rest.len() > 40 {
                let later = rest.split_off(1 + self.below(40));
                image.log.push((thread as u32, rest));
                rest = later;
            }
            image.tail.push((thread as u32, rest));
        }
        image.log.sort_by_key(|(_, records)| records.last().map(|record| record.seq));
        image
    }

    /// The events with threads numbered by first appearance.
    fn events(&self) -> Vec<Event> {
        let mut seen = Vec::new();
        let mut number = |thread| {
            let at = seen.iter().position(|&known| known == thread).unwrap_or_else(|| {
                seen.push(thread);
                seen.len() - 1
            });
            ThreadIndex(at as u32)
        };
        let with_number =
            |&(thread, op): &(usize, Op)| Event { thread: number(thread), op, time_ns: None };
        self.expected.iter().map(with_number).collect()
    }
}

#[test]
fn what_random_threads_did_is_what_is_imported() {
    for seed in seeds(0..60) {
        let mut program = Program::new(seed, 1 + seed as usize % 7);
        (0..4_000).for_each(|_| program.step());
        let (events, summary) = imported(&program.image(), &Options::default());
        assert!(events == program.events(), "seed {seed}");
        let unfinished = program.reallocs.iter().flatten().count() as u64;
        assert_eq!(summary.unfinished_reallocs, unfinished, "seed {seed}");
        assert_eq!(summary.calls, summary.found + unfinished, "seed {seed}");
        assert_eq!((summary.lost_frees, summary.missing_records), (0, 0), "seed {seed}");
    }
}
