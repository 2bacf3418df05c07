//! The questions: foreign addresses of every kind, while another thread lets arenas come and go.
//!
//! ```text
//! asker    | lock: a batch of questions, own live blocks, faults | wait for a turn | lock: ...
//! churner               | lock: a turn: allocate, or free a run or all |  lock: another turn ...
//! ```
//!
//! The heap has one lock, as a classic heap must have: what the log, the kernel and the ownership
//! test say of an address is said of the same state. After every batch at least one turn is taken.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::asked::Asked;
use crate::faults;
use crate::kernel::is_readable;
use crate::kinds::{Kind, Places};
use crate::random::Random;

/// Questions while the heap is locked, as many of every kind.
const BATCH: usize = 167 * Kind::ALL.len();
/// Own blocks asked about in every batch.
const OWN: usize = 50;
/// Blocks before the first question, twice: with all of them, more than two arenas of any preset.
const FIRST_BLOCKS: usize = 10_000;
/// Blocks that live before no more are allocated.
const MOST_BLOCKS: usize = 30_000;
/// Questions that are left to children, as far as there are any, and the most of a batch: every fault
/// costs a fork.
const TRIED: usize = if cfg!(debug_assertions) { 600 } else { 2000 };
const MOST_TRIED_OF_BATCH: usize = 60;
/// One in so many readable addresses may be among them.
const READABLE_TRIED: usize = 32;

/// What became of the questions of one kind.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) asked: usize,
    /// Of these, for which the strategy reads memory that is not its own.
    pub(crate) reading: usize,
    /// Of those, not asked in this process because that memory cannot be read.
    pub(crate) unreadable: usize,
    /// Foreign addresses taken for ours.
    pub(crate) wrong: usize,
    /// Asked by a child.
    pub(crate) tried: usize,
    /// Of these, faults.
    pub(crate) faults: usize,
    /// Faults at readable memory, and answers from memory that was thought unreadable.
    pub(crate) surprises: usize,
}

/// What became of all questions.
pub(crate) struct Tally {
    name: &'static str,
    kinds: [Count; Kind::ALL.len()],
    /// Live blocks asked about.
    own: usize,
    /// Of these, not taken for ours.
    pub(crate) lost: usize,
    pub(crate) came: usize,
    pub(crate) went: usize,
    pub(crate) has_lowest: bool,
}

impl Tally {
    pub(crate) fn of(&self, kind: Kind) -> Count {
        self.kinds[kind as usize]
    }

    pub(crate) fn sum(&self, count: fn(&Count) -> usize) -> usize {
        self.kinds.iter().map(count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, own, lost, came, went, .. } = self;
        writeln!(
            out,
            "{name}: {came} mappings came, {went} went; {lost} of {own} own blocks lost"
        )?;
        if !self.has_lowest {
            writeln!(out, "{name}: SKIPPED: the lowest addresses cannot be mapped here")?;
        }
        for (kind, count) in Kind::ALL.iter().zip(&self.kinds) {
            let kind = format!("{kind:?}");
            let Count { asked, reading, unreadable, wrong, tried, faults, surprises } = count;
            write!(out, "{name}: {kind:12} {asked:>8} asked, {wrong} wrong")?;
            if *reading > 0 {
                write!(out, ", {reading} reading, {unreadable} unreadable")?;
                write!(
                    out,
                    "; {tried} asked by children: {faults} faults, {surprises} unforeseen"
                )?;
            }
            writeln!(out)?;
        }
        let [asked, unreadable] = [self.sum(|kind| kind.asked), self.sum(|kind| kind.unreadable)];
        let [tried, faults] = [self.sum(|kind| kind.tried), self.sum(|kind| kind.faults)];
        let percent = 100.0 * unreadable as f64 / asked.max(1) as f64;
        write!(out, "{name}: {asked} asked, {unreadable} of them ({percent:.1} %) would fault")?;
        write!(out, "; {tried} asked by children, {faults} faults")
    }
}

/// The heap and its live blocks, oldest first.
struct Churned {
    heap: Box<dyn Asked>,
    blocks: Vec<(*mut u8, usize)>,
    random: Random,
    turns: usize,
}

// SAFETY: the blocks are the heap's, and go where it goes.
unsafe impl Send for Churned {}

impl Churned {
    fn grow(&mut self, count: usize) {
        for _ in 0..count {
            let size = self.heap.request(&mut self.random);
            let block = self.heap.malloc(size);
            assert!(!block.is_null());
            self.blocks.push((block, size));
        }
    }

    fn shrink(&mut self, from: usize, until: usize) {
        for (block, size) in self.blocks.drain(from..until) {
            // SAFETY: live, freed once.
            unsafe { self.heap.free(block, size) };
        }
    }

    /// Grows by some blocks or frees a run of them that are likely neighbours; every eighth turn frees
    /// all but one. There is a block.
    fn turn(&mut self) {
        let count = self.blocks.len();
        self.turns += 1;
        if self.turns.is_multiple_of(8) {
            // One stays, so that there is an arena with edges.
            self.shrink(1, count);
            self.heap.settle();
            return;
        }
        match self.random.below(8) {
            0..3 => {
                let from = 1 + self.random.below(count);
                let until = from + self.random.below(count - from + 1);
                self.shrink(from, until);
            }
            _ if count < MOST_BLOCKS => {
                let more = 1 + self.random.below(4000);
                self.grow(more);
            }
            _ => self.shrink(count / 2, count),
        }
    }
}

/// Asks about `questions` foreign addresses, as many of every kind.
pub(crate) fn ask(name: &'static str, heap: Box<dyn Asked>, questions: usize) -> Tally {
    let mut random = Random::seeded(name, 0x5eed_0404);
    let mut churned = Churned { heap, blocks: Vec::new(), random: random.fork(), turns: 0 };
    // Arenas above the foreign memory, others below it: mappings are placed downwards as a rule.
    churned.grow(FIRST_BLOCKS);
    let stack = [0_u8; 16 << 10];
    let mut places = Places::new(std::hint::black_box(&stack), &mut random);
    churned.grow(FIRST_BLOCKS);
    let tried_of_batch = (TRIED * BATCH).div_ceil(questions).min(MOST_TRIED_OF_BATCH);
    let mut tally = Tally {
        name,
        kinds: [Count::default(); Kind::ALL.len()],
        own: 0,
        lost: 0,
        came: 0,
        went: 0,
        has_lowest: places.has_lowest,
    };

    let churned = Mutex::new(churned);
    let (turns, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let churner = scope.spawn(|| {
            // Relaxed: the lock orders what there is to see.
            while !done.load(Ordering::Relaxed) {
                let mut churned = churned.lock().unwrap();
                churned.turn();
                turns.fetch_add(1, Ordering::Relaxed);
                drop(churned);
                thread::yield_now();
            }
        });
        let mut asked = 0;
        let mut seen = 0;
        while asked < questions {
            while turns.load(Ordering::Relaxed) == seen {
                thread::yield_now();
            }
            let churned = churned.lock().unwrap();
            seen = turns.load(Ordering::Relaxed);
            let count = BATCH.min(questions - asked);
            let mut left_out = batch(&churned, &mut places, &mut tally, count, &mut random);
            while left_out.len() > tried_of_batch {
                left_out.swap_remove(random.below(left_out.len()));
            }
            leave_to_children(&*churned.heap, &mut tally, &left_out);
            asked += count;
        }
        done.store(true, Ordering::Relaxed);
        // The end of a scope alone does not wait for the thread's destructors, which give its heap up.
        churner.join().unwrap();
    });
    let mut churned = churned.into_inner().unwrap();
    (tally.came, tally.went) = churned.heap.came_and_went();
    let count = churned.blocks.len();
    churned.shrink(0, count);
    churned.heap.finish();
    tally
}

/// A question for a child, and whether what the strategy reads for it can be read.
struct LeftOut {
    kind: Kind,
    addr: usize,
    is_readable: bool,
}

/// One batch of questions; those that this process cannot ask, or a child may ask as well.
fn batch(
    churned: &Churned,
    places: &mut Places,
    tally: &mut Tally,
    questions: usize,
    random: &mut Random,
) -> Vec<LeftOut> {
    let heap = &*churned.heap;
    places.forge(heap, random);
    let mut left_out = Vec::new();
    for number in 0..questions {
        let kind = Kind::ALL[number % Kind::ALL.len()];
        let addr = places.address(kind, heap, random);
        let count = &mut tally.kinds[kind as usize];
        count.asked += 1;
        let reads = heap.reads(addr);
        let is_readable = reads.is_none_or(is_readable);
        count.reading += usize::from(reads.is_some());
        if !is_readable || (reads.is_some() && random.below(READABLE_TRIED) == 0) {
            left_out.push(LeftOut { kind, addr, is_readable });
        }
        if !is_readable {
            count.unreadable += 1;
            continue;
        }
        // SAFETY: the lock is held, so what the strategy reads can still be read.
        let owned = unsafe { heap.owns(addr) };
        count.wrong += usize::from(owned && is_wrong(kind, addr, heap));
    }
    for _ in 0..OWN {
        let (block, _) = churned.blocks[random.below(churned.blocks.len())];
        // SAFETY: live.
        tally.lost += usize::from(!unsafe { heap.owns(block.addr()) });
        tally.own += 1;
    }
    left_out
}

/// Whether "ours" is a wrong answer for an address.
fn is_wrong(kind: Kind, addr: usize, heap: &dyn Asked) -> bool {
    kind.is_surely_foreign() || !heap.may_own(addr)
}

/// Has children ask, and compares what became of each question with what was foreseen.
fn leave_to_children(heap: &dyn Asked, tally: &mut Tally, left_out: &[LeftOut]) {
    let addrs: Vec<usize> = left_out.iter().map(|question| question.addr).collect();
    let answers = faults::answers(heap, &addrs);
    for (LeftOut { kind, addr, is_readable }, answer) in left_out.iter().zip(answers) {
        let count = &mut tally.kinds[*kind as usize];
        count.tried += 1;
        count.faults += usize::from(answer.is_none());
        count.surprises += usize::from(answer.is_some() != *is_readable);
        count.wrong += usize::from(answer == Some(true) && is_wrong(*kind, *addr, heap));
    }
}
