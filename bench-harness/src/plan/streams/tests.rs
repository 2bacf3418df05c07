//! Plans for threads under every order they allow: each is simulated with full vector clocks, which
//! find any two uses of a slot that nothing brings into an order.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use workloads::checker::Checker;
use workloads::event::{BlockId, Event, Op, ThreadIndex};
use workloads::generate::Spec;

use super::compile::StreamCompiler;
use super::{Phase, Streams, StreamsShape};
use crate::plan::op::{self, LongKind, Meeting, Small};

/// Seeds to try: the one in `ARENABENCH_SEED`, or these.
fn seeds() -> Vec<u64> {
    match std::env::var("ARENABENCH_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..60).collect(),
    }
}

fn plan(events: &[Event], window_words: u64, paced: bool) -> (Streams, StreamsShape) {
    let file = tempfile::tempfile().unwrap();
    let mut compiler = StreamCompiler::with_window(file.try_clone().unwrap(), paced, window_words);
    for event in events {
        compiler.event(event).unwrap();
    }
    let shape = compiler.finish().unwrap();
    (Streams::with_window(file, &shape, window_words).unwrap(), shape)
}

/// Words of an epoch.
fn words(streams: &mut Streams, epoch: usize) -> Vec<u64> {
    let first = streams.load(epoch).unwrap();
    let len = streams.index.epochs[epoch].words as usize;
    // SAFETY: `load` has brought the epoch's words into memory.
    unsafe { std::slice::from_raw_parts(first, len) }.to_vec()
}

/// One operation of a row.
#[derive(Clone, Copy, Debug)]
enum Played {
    Birth { slot: usize, size: u64 },
    Resize { slot: usize, old: u64, size: u64 },
    Death { slot: usize, size: u64 },
    Nothing,
    Meet(Meeting, u32, u64),
}

/// Decodes the operation at the begin of `row`; with the words it takes.
fn decode(row: &[u64]) -> (Played, usize) {
    let word = row[0];
    let (slot, size) = (op::place(word).index(), op::size(word) as u64);
    match op::kind(word) {
        op::MALLOC | op::CALLOC => (Played::Birth { slot, size }, 1),
        op::FREE => (Played::Death { slot, size }, 1),
        op::REALLOC => (Played::Resize { slot, old: row[1], size }, 2),
        op::LONG => {
            let old = op::old_extent(row[2]).size as u64;
            let played = match LongKind::from_number(size).unwrap() {
                LongKind::Realloc => Played::Resize { slot, old, size: row[1] },
                LongKind::Free | LongKind::ReallocFree => Played::Death { slot, size: old },
                LongKind::FreeNull => Played::Nothing,
                _ => Played::Birth { slot, size: row[1] },
            };
            (played, 3)
        }
        _ => match op::small_of(size as usize) {
            (Small::Malloc, size) => (Played::Birth { slot, size: size as u64 }, 1),
            (Small::Free, size) => (Played::Death { slot, size: size as u64 }, 1),
            (Small::Nothing, _) => (Played::Nothing, 1),
            (Small::Meeting, kind) => (Played::Meet(Meeting::of(kind), slot as u32, row[1]), 2),
        },
    }
}

/// What a plan does, summed up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    calls: [u64; 3],
    waits: u64,
    starts: u64,
}

type Clock = Vec<u64>;

/// Which thread goes on when several can.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// The lowest index, as far as it can go.
    First,
    /// The highest.
    Last,
    Random,
}

struct Simulation<'a> {
    streams: &'a mut Streams,
    order: Order,
    dice: StdRng,
    obeys_waits: bool,
}

impl Simulation<'_> {
    /// Plays the plan in one of the orders it allows.
    ///
    /// # Errors
    /// What is wrong: a slot used against P1 or P3, or no thread that can go on.
    fn play(&mut self) -> Result<Totals, String> {
        let threads = self.streams.index.spans.len();
        let mut totals = Totals::default();
        let mut clocks: Vec<Clock> = vec![vec![0; threads]; threads];
        let mut started = vec![false; threads];
        started[0] = true;
        let mut progress: Vec<(u64, Clock)> = vec![(0, vec![0; threads]); threads];
        let mut slots: HashMap<usize, (Option<u64>, usize, u64)> = HashMap::new();
        for epoch in 0..self.streams.index.epochs.len() {
            let words = words(self.streams, epoch);
            let plan = self.streams.index.epochs[epoch].clone();
            let spans = self.streams.index.spans.clone();
            // The gate: everything has happened before.
            let mut all = vec![0; threads];
            for clock in &clocks {
                for (mine, theirs) in all.iter_mut().zip(clock) {
                    *mine = (*mine).max(*theirs);
                }
            }
            clocks.fill(all);
            let mut rows: Vec<_> = (0..threads).map(|thread| plan.row(thread as u32)).collect();
            for (thread, row) in rows.iter().enumerate() {
                let (first, last) = spans[thread];
                let there = (first as usize..=last as usize).contains(&epoch);
                if !row.is_empty() && !there {
                    return Err(format!("thread {thread} has a row outside its span (E2)"));
                }
                if there && (first as usize) < epoch && !started[thread] {
                    return Err(format!("thread {thread} was never started (E2)"));
                }
            }
            loop {
                let able: Vec<usize> = (0..threads)
                    .filter(|&thread| started[thread] && !rows[thread].is_empty())
                    .filter(|&thread| match decode(&words[rows[thread].clone()]).0 {
                        Played::Meet(Meeting::Wait, source, value) if self.obeys_waits => {
                            progress[source as usize].0 >= value
                        }
                        _ => true,
                    })
                    .collect();
                let next = match self.order {
                    Order::First => able.first(),
                    Order::Last => able.last(),
                    Order::Random => able.choose(&mut self.dice),
                };
                let Some(&thread) = next else {
                    if rows.iter().all(std::ops::Range::is_empty) {
                        break;
                    }
                    return Err("no thread can go on (E1)".to_owned());
                };
                let (played, len) = decode(&words[rows[thread].clone()]);
                rows[thread].start += len;
                clocks[thread][thread] += 1;
                let mut use_slot = |slot: usize, before: Option<u64>, after: Option<u64>| {
                    let clock = &clocks[thread];
                    let entry = slots.entry(slot).or_insert((None, thread, 0));
                    if clock[entry.1] < entry.2 {
                        return Err(format!("two threads race for slot {slot} (P3)"));
                    }
                    if entry.0 != before {
                        return Err(format!("slot {slot}: {:?} and not {before:?} (P1)", entry.0));
                    }
                    *entry = (after, thread, clock[thread]);
                    totals.calls[plan.phase as usize] += 1;
                    Ok(())
                };
                match played {
                    Played::Birth { slot, size } => use_slot(slot, None, Some(size))?,
                    Played::Resize { slot, old, size } => use_slot(slot, Some(old), Some(size))?,
                    Played::Death { slot, size } => use_slot(slot, Some(size), None)?,
                    Played::Nothing => totals.calls[plan.phase as usize] += 1,
                    Played::Meet(Meeting::Publish, of, value) => {
                        assert_eq!(of as usize, thread);
                        if value != progress[thread].0 + 1 {
                            return Err(format!("thread {thread} publishes {value} (E3)"));
                        }
                        progress[thread] = (value, clocks[thread].clone());
                    }
                    Played::Meet(Meeting::Wait, source, _) => {
                        totals.waits += 1;
                        let theirs = progress[source as usize].1.clone();
                        for (mine, theirs) in clocks[thread].iter_mut().zip(theirs) {
                            *mine = (*mine).max(theirs);
                        }
                    }
                    Played::Meet(Meeting::Start, other, _) => {
                        totals.starts += 1;
                        let other = other as usize;
                        if started[other] || spans[other].0 as usize != epoch {
                            return Err(format!("thread {other} is started out of place (E2)"));
                        }
                        started[other] = true;
                        clocks[other] = clocks[thread].clone();
                    }
                    Played::Meet(Meeting::Turn | Meeting::End, ..) => {
                        panic!("turns are of plans of one row")
                    }
                    Played::Meet(Meeting::Until, ..) => {}
                }
            }
        }
        match slots.values().find(|slot| slot.0.is_some()) {
            Some(slot) => Err(format!("a slot still holds {:?}", slot.0)),
            None => Ok(totals),
        }
    }
}

fn simulate(streams: &mut Streams, order: Order, seed: u64) -> Result<Totals, String> {
    Simulation { streams, order, dice: StdRng::seed_from_u64(seed), obeys_waits: true }.play()
}

/// Random events of several threads that start, end, and take over each other's blocks. Every block
/// has a size of its own, so that a simulation notices when it meets another.
fn random_events(seed: u64) -> Vec<Event> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut events = Vec::new();
    let mut running = vec![ThreadIndex(0)];
    let mut live: Vec<BlockId> = Vec::new();
    let (mut threads, mut births, mut sizes) = (1, 0, 0_u64);
    // The first thread must be the first to appear (I6).
    events.push(Event::of_first_thread(Op::FreeNull));
    let len = dice.random_range(50..600);
    let marks = dice.random_bool(0.8);
    for at in 0..len {
        let thread = *running.choose(&mut dice).unwrap();
        let mut push = |thread, op| events.push(Event { thread, op, time_ns: Some(at * 700) });
        if marks && at == len / 5 {
            push(ThreadIndex(0), Op::RegionStart);
        }
        let block = (!live.is_empty()).then(|| dice.random_range(0..live.len()));
        let mut new_size = || {
            sizes += 1;
            // Small, short and wide operations.
            match sizes % 7 {
                0 => (1 << 33) + sizes,
                _ => 1 + sizes,
            }
        };
        match (dice.random_range(0..100), block) {
            (0..5, _) if threads < 12 => {
                let new = ThreadIndex(threads);
                threads += 1;
                if dice.random_bool(0.5) {
                    push(new, Op::ThreadStart);
                } else {
                    push(new, Op::FreeNull);
                }
                running.push(new);
            }
            (5..8, _) if running.len() > 1 => {
                let gone = running.swap_remove(dice.random_range(1..running.len()));
                push(gone, Op::ThreadEnd);
            }
            (8..30, Some(block)) => {
                let block = live.swap_remove(block);
                let op = if dice.random_bool(0.9) {
                    Op::Free { block, size: None }
                } else {
                    Op::ReallocFree { block }
                };
                push(thread, op);
            }
            (30..45, Some(block)) => {
                push(thread, Op::Realloc { block: live[block], size: new_size() });
            }
            _ => {
                let block = BlockId(births);
                births += 1;
                live.push(block);
                let size = new_size();
                push(
                    thread,
                    match births % 5 {
                        0 => Op::Calloc { block, count: 1, size },
                        1 => Op::AlignedAlloc { block, align: 64, size },
                        2 => Op::ReallocNew { block, size },
                        _ => Op::Malloc { block, size },
                    },
                );
            }
        }
    }
    if marks {
        events.push(Event::of_first_thread(Op::RegionEnd));
    }
    events
}

#[test]
fn random_plans_keep_every_slot_in_order_in_every_order_they_allow() {
    for seed in seeds() {
        let events = random_events(seed);
        let mut checker = Checker::new();
        for event in &events {
            checker.check(event).unwrap();
        }
        let calls = checker.totals().calls.total();
        let live = checker.live_blocks();
        // Windows from one that holds all to one that holds a handful of operations.
        for window_words in [1 << 20, 400, 60] {
            let (mut streams, _) = plan(&events, window_words, seed % 2 == 0);
            for order in [Order::First, Order::Last, Order::Random] {
                let played = simulate(&mut streams, order, seed);
                let totals = played.unwrap_or_else(|what| {
                    panic!("ARENABENCH_SEED={seed}, window {window_words}, {order:?}: {what}")
                });
                assert_eq!(totals.calls[0] + totals.calls[1], calls, "ARENABENCH_SEED={seed}");
                assert_eq!(totals.calls[2], live, "ARENABENCH_SEED={seed}");
            }
        }
    }
}

#[test]
fn the_simulation_notices_a_replay_that_does_not_wait() {
    let found = seeds().into_iter().filter(|&seed| {
        let (mut streams, _) = plan(&random_events(seed), 1 << 20, false);
        let dice = StdRng::seed_from_u64(seed);
        let order = Order::Random;
        Simulation { streams: &mut streams, order, dice, obeys_waits: false }.play().is_err()
    });
    assert!(found.count() * 2 > seeds().len(), "most random plans need their waits");
}

fn generated(name: &str, operations: u64) -> Vec<Event> {
    let spec: Spec = name.parse().unwrap();
    let mut events = Vec::new();
    spec.generate(operations, 3, &mut |event| events.push(event));
    events
}

#[test]
fn tables_handed_to_a_new_thread_need_no_edge_but_its_start() {
    for name in ["larson", "larson:5:500"] {
        let (mut streams, _) = plan(&generated(name, 30_000), 1 << 23, false);
        let totals = simulate(&mut streams, Order::Random, 1).unwrap();
        assert_eq!(totals.waits, 0, "{name}");
        assert!(totals.starts > 8, "{name}: {totals:?}");
        assert_eq!(totals.calls[Phase::Region as usize], 30_000, "{name}");
    }
}

#[test]
fn a_batch_takes_about_one_edge_and_the_table_stays_small() {
    for (name, per_wait) in [("producer-consumer", 60), ("producer-consumer:6", 30)] {
        let events = generated(name, 60_000);
        let (mut streams, shape) = plan(&events, 1 << 23, false);
        for order in [Order::First, Order::Last, Order::Random] {
            let totals = simulate(&mut streams, order, 1).unwrap();
            let calls = totals.calls[Phase::Region as usize];
            assert!(totals.waits * per_wait < calls, "{name}: {totals:?}");
            assert!(totals.waits > 0, "{name}: {totals:?}");
        }
        // Base heap, blocks under way, and what the threads may be apart.
        assert!(shape.slots < 110_000, "{name}: {} slots", shape.slots);
    }
}

#[test]
fn one_thread_takes_no_meetings() {
    let (mut streams, _) = plan(&generated("int-churn:500", 5_000), 1 << 23, false);
    let totals = simulate(&mut streams, Order::First, 1).unwrap();
    assert_eq!((totals.waits, totals.starts), (0, 0));
    assert_eq!(streams.index.spans.len(), 1);
}

#[test]
fn a_thread_is_started_by_the_thread_of_the_event_before() {
    let event = |thread, op| Event { thread: ThreadIndex(thread), op, time_ns: None };
    let events = [
        event(0, Op::FreeNull),
        event(1, Op::ThreadStart),
        event(2, Op::ThreadStart),
        event(2, Op::FreeNull),
        // A thread that simply appears, right after another one's end.
        event(2, Op::ThreadEnd),
        event(3, Op::FreeNull),
    ];
    let (mut streams, _) = plan(&events, 1 << 20, false);
    let plan = streams.index.epochs[0].clone();
    let words = words(&mut streams, 0);
    let started_by = |thread: u32| {
        let mut row = &words[plan.row(thread)];
        let mut started = Vec::new();
        while !row.is_empty() {
            let (played, len) = decode(row);
            if let Played::Meet(Meeting::Start, other, _) = played {
                started.push(other);
            }
            row = &row[len..];
        }
        started
    };
    assert_eq!([0, 1, 2, 3].map(started_by), [vec![1, 2], vec![], vec![3], vec![]]);
    assert_eq!(streams.index.crowd(0), (3, 0));
    assert_eq!(streams.index.crowd(1), (2, 2), "the drain: threads 1 and 3 are still there");
}

#[test]
fn paced_plans_wait_for_the_clock_in_the_region_alone_and_not_for_every_call() {
    let event = |time_ns, op| Event { thread: ThreadIndex(0), op, time_ns: Some(time_ns) };
    let mut events = vec![event(0, Op::FreeNull), event(5_000, Op::RegionStart)];
    events.extend((0..10).map(|at| event(5_000 + at * 300, Op::FreeNull)));
    let (mut streams, shape) = plan(&events, 1 << 20, true);
    assert!(shape.paced);
    let mut times = Vec::new();
    for epoch in 0..streams.index.epochs.len() {
        let words = words(&mut streams, epoch);
        let mut row = &words[..];
        while !row.is_empty() {
            let (played, len) = decode(row);
            if let Played::Meet(Meeting::Until, _, time) = played {
                assert_eq!(streams.index.epochs[epoch].phase, Phase::Region);
                times.push(time);
            }
            row = &row[len..];
        }
    }
    assert_eq!(times, [1_200, 2_400], "a microsecond apart at least");
}
