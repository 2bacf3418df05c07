//! The clock that single calls are timed with: the processor's time stamp counter.
//!
//! ```text
//! lfence, rdtsc, lfence     [ the call ]     rdtscp, lfence
//! ```
//! The first fence waits for what came before, the second keeps the call from beginning early;
//! `rdtscp` waits for the call's own instructions, and the last fence keeps what follows out. What is
//! timed is thus the call from its first instruction to its last, with nothing overlapping: longer
//! than its share of a loop, in which calls overlap.
//!
//! * K1: a time is the difference of two readings less [`Clock::cost`], which is the median
//!   difference around nothing; never below zero.

use std::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};
use std::time::{Duration, Instant};

/// How long the counter is held against the system's clock.
const CALIBRATION: Duration = Duration::from_millis(10);
/// Tries to read both clocks at once.
const TRIES: u32 = 16;
/// Readings around nothing.
const READINGS: usize = 4096;

/// Reads the counter before a call.
#[inline(always)]
pub(super) fn start() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { _mm_lfence() };
    // SAFETY: every x86-64 processor has the instruction, and Linux allows it.
    let ticks = unsafe { _rdtsc() };
    // SAFETY: as for the first fence.
    unsafe { _mm_lfence() };
    ticks
}

/// Reads the counter behind a call.
#[inline(always)]
pub(super) fn stop() -> u64 {
    let mut processor = 0;
    // SAFETY: the processors of the last fifteen years have the instruction.
    let ticks = unsafe { __rdtscp(&raw mut processor) };
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { _mm_lfence() };
    ticks
}

/// The counter, held against the system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Nanoseconds of a tick.
    pub(crate) tick_ns: f64,
    /// Ticks between two readings around nothing: the median.
    pub(crate) cost: u64,
    /// Ticks below which times are the timer's own: the smallest step that the counter takes, or what
    /// nineteen of twenty readings around nothing exceed the median by, whichever is more. Virtual
    /// machines have counters that take steps of many ticks.
    pub(crate) resolution: u64,
}

impl Clock {
    /// Holds the counter against the system's clock, which takes ten milliseconds.
    pub(crate) fn calibrated() -> Self {
        let tick_ns = tick_ns();
        let mut readings: Vec<u64> = (0..READINGS)
            .map(|_| {
                let begin = start();
                stop().saturating_sub(begin)
            })
            .collect();
        readings.sort_unstable();
        let cost = readings[READINGS / 2];
        let scatter = readings[READINGS * 19 / 20] - cost;
        Self { tick_ns, cost, resolution: scatter.max(smallest_step()) }
    }

    /// Whether the counter still keeps pace with the system's clock, to a hundredth: it does not where
    /// it stops or changes its speed with the processor.
    pub(crate) fn keeps_pace(&self) -> bool {
        (tick_ns() / self.tick_ns - 1.0).abs() < 0.01
    }

    /// Ticks as nanoseconds, to a hundredth.
    pub(crate) fn ns(&self, ticks: u64) -> f64 {
        (ticks as f64 * self.tick_ns * 100.0).round() / 100.0
    }
}

/// The smallest step between readings one behind the other, in ticks.
fn smallest_step() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux allows it.
    let read = || unsafe { _rdtsc() };
    let mut last = read();
    let steps = (0..READINGS).map(|_| {
        let now = read();
        now.saturating_sub(std::mem::replace(&mut last, now))
    });
    steps.filter(|step| *step > 0).min().unwrap_or(1)
}

/// A reading of both clocks at once: of several tries the one in which least came between.
fn both() -> (u64, Instant) {
    let tries = (0..TRIES).map(|_| {
        let (first, now, last) = (start(), Instant::now(), stop());
        (last.saturating_sub(first), first.midpoint(last), now)
    });
    let best = tries.min_by_key(|(gap, ..)| *gap);
    best.map_or_else(|| (start(), Instant::now()), |(_, ticks, now)| (ticks, now))
}

fn tick_ns() -> f64 {
    let (first, begin) = both();
    while begin.elapsed() < CALIBRATION {
        std::hint::spin_loop();
    }
    let (last, end) = both();
    (end - begin).as_nanos() as f64 / last.saturating_sub(first).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_delay_is_timed_to_a_twentieth() {
        let clock = Clock::calibrated();
        // The shortest of a few: what disturbs makes longer.
        let timed = (0..20)
            .map(|_| {
                let (begin, wall) = (start(), Instant::now());
                while wall.elapsed() < Duration::from_micros(200) {}
                clock.ns(stop() - begin - clock.cost)
            })
            .fold(f64::INFINITY, f64::min);
        assert!((190_000.0..215_000.0).contains(&timed), "{timed} ns, {clock:?}");
        assert!(clock.keeps_pace(), "{clock:?}");
    }

    #[test]
    fn a_counter_at_another_speed_does_not_keep_pace() {
        let clock = Clock::calibrated();
        let slower = Clock { tick_ns: clock.tick_ns * 1.1, ..clock };
        assert!(!slower.keeps_pace());
    }
}
