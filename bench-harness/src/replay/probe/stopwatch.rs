//! Times every call of the measured region, by operation and size, and keeps the slowest.
//!
//! Each thread counts for itself; what it has counted goes to the common [`Board`] when its handle
//! goes. Histograms are made when the first call of their kind has been timed, never while one is.

use std::sync::{Arc, Mutex};

use reports::record::{ALL_CALLS, TailRow, WorstCall};
use serde::{Deserialize, Serialize};

use super::clock::{self, Clock};
use super::histogram::Histogram;
use super::{Operation, Probe};
use crate::plan::streams::Phase;

/// Size bands: largest request in bytes, and name.
pub(crate) const BANDS: [(usize, &str); 6] = [
    (64, "up-to-64"),
    (512, "up-to-512"),
    (4 << 10, "up-to-4Ki"),
    (32 << 10, "up-to-32Ki"),
    (256 << 10, "up-to-256Ki"),
    (usize::MAX, "above-256Ki"),
];

/// Slowest calls that are kept: more than a record names, since most may have been disturbed from
/// outside, which only a second look can tell.
const WORST: usize = 64;

/// The band of a size, by its place in [`BANDS`].
pub(crate) fn band(size: usize) -> usize {
    BANDS.iter().position(|(most, _)| size <= *most).unwrap_or(BANDS.len() - 1)
}

/// A slow call, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slow {
    ticks: u64,
    index: u64,
    thread: u32,
    operation: Operation,
    size: usize,
}

/// Times of many calls.
#[derive(Clone, Debug)]
struct Times {
    /// By operation, then by band; absent where nothing was timed.
    of: Vec<Option<Histogram>>,
    /// At most [`WORST`], in no order.
    worst: Vec<Slow>,
    /// Times up to this are not among the slowest.
    threshold: u64,
}

impl Times {
    fn new() -> Self {
        let of = vec![None; Operation::ALL.len() * BANDS.len()];
        Self { of, worst: Vec::with_capacity(WORST + 1), threshold: 0 }
    }

    #[inline]
    fn record(&mut self, slow: Slow) {
        let at = slow.operation as usize * BANDS.len() + band(slow.size);
        self.of[at].get_or_insert_with(Histogram::new).record(slow.ticks);
        if slow.ticks > self.threshold {
            self.keep(slow);
        }
    }

    #[cold]
    fn keep(&mut self, slow: Slow) {
        self.worst.push(slow);
        if self.worst.len() > WORST {
            let ticks = |at: &usize| self.worst[*at].ticks;
            if let Some(least) = (0..self.worst.len()).min_by_key(ticks) {
                self.worst.swap_remove(least);
            }
            self.threshold = self.worst.iter().map(|slow| slow.ticks).min().unwrap_or(0);
        }
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.of.iter_mut().zip(&other.of) {
            let Some(theirs) = theirs else { continue };
            mine.get_or_insert_with(Histogram::new).add(theirs);
        }
        for slow in &other.worst {
            if slow.ticks > self.threshold {
                self.keep(*slow);
            }
        }
    }
}

/// What all threads of a replay have timed.
pub(crate) struct Board {
    clock: Clock,
    times: Mutex<Times>,
}

/// What a child found by timing every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timed {
    pub(crate) timer_ns: f64,
    pub(crate) resolution_ns: f64,
    pub(crate) rows: Vec<TailRow>,
    pub(crate) worst: Vec<WorstCall>,
}

impl Board {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, times: Mutex::new(Times::new()) })
    }

    /// What was timed by the handles that are gone.
    pub(crate) fn timed(&self) -> Timed {
        let times = self.times.lock().expect("no thread panics with a lock held");
        let clock = self.clock;
        let mut worst = times.worst.clone();
        worst.sort_unstable_by_key(|slow| (std::cmp::Reverse(slow.ticks), slow.thread, slow.index));
        Timed {
            timer_ns: clock.ns(clock.cost),
            resolution_ns: clock.ns(clock.resolution),
            rows: rows(&times, clock),
            worst: worst.iter().map(|slow| worst_call(slow, clock)).collect(),
        }
    }
}

/// All calls, then each operation, then its bands.
fn rows(times: &Times, clock: Clock) -> Vec<TailRow> {
    let mut all = Histogram::new();
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let first = operation as usize * BANDS.len();
        let bands = &times.of[first..first + BANDS.len()];
        let mut whole = Histogram::new();
        let mut fine = Vec::new();
        for (histogram, (_, sizes)) in bands.iter().zip(BANDS) {
            let Some(histogram) = histogram else { continue };
            whole.add(histogram);
            let buckets = histogram.buckets();
            fine.push(TailRow {
                histogram: buckets.map(|(ticks, calls)| (clock.ns(ticks), calls)).collect(),
                ..row(operation.name(), sizes, histogram, clock)
            });
        }
        if whole.total > 0 {
            all.add(&whole);
            rows.push(row(operation.name(), ALL_CALLS, &whole, clock));
            rows.append(&mut fine);
        }
    }
    if all.total > 0 {
        rows.insert(0, row(ALL_CALLS, ALL_CALLS, &all, clock));
    }
    rows
}

fn row(operation: &str, sizes: &str, histogram: &Histogram, clock: Clock) -> TailRow {
    let ns = |share| clock.ns(histogram.percentile(share));
    TailRow {
        operation: operation.to_owned(),
        sizes: sizes.to_owned(),
        calls: histogram.total,
        p50_ns: ns(0.5),
        p90_ns: ns(0.9),
        p99_ns: ns(0.99),
        p999_ns: ns(0.999),
        p9999_ns: ns(0.9999),
        max_ns: clock.ns(histogram.max),
        histogram: Vec::new(),
    }
}

fn worst_call(slow: &Slow, clock: Clock) -> WorstCall {
    WorstCall {
        index: slow.index,
        thread: slow.thread,
        operation: slow.operation.name().to_owned(),
        size_bytes: slow.size as u64,
        ns: clock.ns(slow.ticks),
        again_ns: None,
        page_faults: None,
        context_switches: None,
        mapped_bytes: None,
        cause: None,
    }
}

/// One thread's stopwatch.
pub(crate) struct Stopwatch {
    board: Arc<Board>,
    times: Times,
    cost: u64,
    thread: u32,
    in_region: bool,
    /// Calls of the region so far.
    calls: u64,
}

impl Stopwatch {
    /// The stopwatch of the first thread.
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self::of_thread(board, 0)
    }

    fn of_thread(board: Arc<Board>, thread: u32) -> Self {
        let cost = board.clock.cost;
        Self { board, times: Times::new(), cost, thread, in_region: false, calls: 0 }
    }
}

impl Probe for Stopwatch {
    type Mark = u64;

    fn enter(&mut self, phase: Phase) {
        self.in_region = phase == Phase::Region;
    }

    #[inline(always)]
    fn before(&mut self) -> u64 {
        clock::start()
    }

    #[inline(always)]
    fn after(&mut self, mark: u64, operation: Operation, size: usize) {
        // K1 of `clock`.
        let ticks = clock::stop().saturating_sub(mark).saturating_sub(self.cost);
        if self.in_region {
            let Self { thread, calls: index, .. } = *self;
            self.times.record(Slow { ticks, index, thread, operation, size });
            self.calls += 1;
        }
    }

    fn another(&self, thread: u32) -> Self {
        Self::of_thread(Arc::clone(&self.board), thread)
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        self.board.times.lock().expect("no thread panics with a lock held").add(&self.times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_ns: 0.5, cost: 10, resolution: 2 };

    fn slow(ticks: u64, index: u64) -> Slow {
        Slow { ticks, index, thread: 0, operation: Operation::Malloc, size: 100 }
    }

    #[test]
    fn the_slowest_calls_are_kept_whatever_their_order_and_thread() {
        let board = Board::new(CLOCK);
        for part in 0..4 {
            let mut watch = Stopwatch::new(Arc::clone(&board));
            for index in 0..1_000 {
                watch.times.record(slow((index * 7919 + part) % 1_000 + 1, index));
            }
        }
        let timed = board.timed();
        let found: Vec<_> = timed.worst.iter().map(|worst| worst.ns).collect();
        let expected: Vec<_> = (0..64).map(|place| f64::from(1_000 - place / 4) / 2.0).collect();
        assert_eq!(found, expected);
        assert_eq!(timed.rows[0].calls, 4_000);
    }

    #[test]
    fn rows_are_all_calls_then_operations_then_their_sizes() {
        let board = Board::new(CLOCK);
        let mut watch = Stopwatch::new(Arc::clone(&board));
        watch.times.record(slow(40, 0));
        watch.times.record(Slow { operation: Operation::FreeRemote, size: 1 << 20, ..slow(80, 1) });
        drop(watch);
        let rows = board.timed().rows;
        let names: Vec<_> =
            rows.iter().map(|row| (row.operation.as_str(), row.sizes.as_str())).collect();
        let expected = [
            ("all", "all"),
            ("malloc", "all"),
            ("malloc", "up-to-512"),
            ("free-remote", "all"),
            ("free-remote", "above-256Ki"),
        ];
        assert_eq!(names, expected);
        assert_eq!(rows[4].histogram, [(40.0, 1)]);
    }

    #[test]
    fn calls_outside_of_the_region_are_not_counted() {
        let board = Board::new(CLOCK);
        let mut watch = Stopwatch::new(Arc::clone(&board));
        for phase in [Phase::Base, Phase::Region, Phase::Drain] {
            watch.enter(phase);
            let mark = watch.before();
            watch.after(mark, Operation::Free, 8);
        }
        drop(watch);
        assert_eq!(board.timed().rows[0].calls, 1);
    }
}
