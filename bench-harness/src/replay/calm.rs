//! Time of a region without the moments in which the processor was shared.
//!
//! On a processor of which others run the second hardware thread (other tenants of a host, other
//! programs of a desk) everything takes up to twice as long, for some ten microseconds up to seconds
//! at a time. A pass of ten milliseconds always meets some of that, and how much is luck. So the
//! region is played in short parts, and around each a *gauge* is read: the time of a fixed piece of
//! register arithmetic that keeps every execution port busy, and is slower by as much as any other
//! code when the ports are shared. A part waits for the gauge to be calm, a tenth of a millisecond at
//! most and as long as the process has patience left.
//!
//! ```text
//! pass 1   g  part 0  g  part 1  g  part 2  G G g ...   g: a reading of the gauge, clock stopped
//! pass 2   g  part 0  g  part 1  G g  part 2  g ...     G: one that took longer than calm ones
//!             ^^^^^^ counts        ^^^^^^ of pass 2 does not
//! ```
//! * C1: the parts of every pass hold the same operations.
//! * C2: whether a part counts depends on the gauge alone and never on the part's own time. Of those
//!   that count the median is taken: what the allocator does at the same calls of every pass stays in,
//!   an interrupt in the middle of a part does not.
//! * C3: a part that was calm in no pass goes in with its fastest time: it is not left out.
//!
//! The player fills [`Parts`], `child::sample` takes the figure. On several threads there are no parts;
//! what is made of their passes stands here as well.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Share of a region's parts that have to be known well for a sample to be called so.
pub(crate) use reports::weather::CALM_SHARE;
use serde::{Deserialize, Serialize};

/// Words of a part: some tens of microseconds.
const PART_WORDS: u64 = 2048;
/// Parts at most; those of longer regions are longer.
const MOST_PARTS: u64 = 1 << 16;
/// Turns of the gauge's loop: two microseconds.
const TURNS: u64 = 1500;
/// Readings at the beginning, from which it is known what calm is.
const FIRST_READINGS: usize = 200;
/// A reading is calm up to this much above the fastest one of the process.
const CALM: f64 = 1.08;
/// Readings that one part waits for calm at most.
const MOST_READINGS: usize = 64;
/// Passes in which a part has to be calm to be known well.
const MIN_CALM: usize = 2;
/// What a process waits in all, of the time that it plays, and at most: a slow subject must not be
/// ended for the weather.
const PATIENCE: f64 = 0.5;
const MOST_WAITING: Duration = Duration::from_secs(1);

/// Nanoseconds that a fixed piece of register arithmetic takes now.
#[inline(never)]
pub(super) fn gauge_ns() -> u64 {
    let begin = Instant::now();
    // Six chains that do not wait for one another fill the ports of any processor of today.
    let mut chains = [1_u64, 2, 3, 4, 5, 6];
    for turn in 0..black_box(TURNS) {
        for chain in &mut chains {
            *chain = chain.rotate_left(7) ^ chain.wrapping_add(turn);
        }
    }
    black_box(chains);
    begin.elapsed().as_nanos() as u64
}

/// A part as it was played: the gauge before it, its own time, the gauge behind it.
#[derive(Clone, Copy, Debug)]
struct Part {
    before_ns: u64,
    ns: u64,
    after_ns: u64,
}

impl Part {
    fn is_calm(self, limit_ns: u64) -> bool {
        self.before_ns.max(self.after_ns) <= limit_ns
    }
}

/// The parts of a region, pass by pass.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Parts of a pass.
    count: usize,
    /// Of every pass, `count`.
    played: Vec<Part>,
    /// The fastest reading.
    gauge_ns: u64,
    /// The reading before the next part.
    before_ns: u64,
    played_for: Duration,
    waited_for: Duration,
}

/// What a region takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calm {
    /// Time of one pass, made of calm parts (C2, C3).
    pub(crate) region_ns: u64,
    /// Share of a pass's parts that were calm in [`MIN_CALM`] passes or more.
    pub(crate) share: f64,
}

impl Parts {
    /// Room for the parts of a region of `words`; takes half a millisecond.
    pub(crate) fn of(words: u64) -> Self {
        let gauge_ns = (0..FIRST_READINGS).map(|_| gauge_ns()).min().unwrap_or(0);
        Self {
            count: words.div_ceil(PART_WORDS).clamp(1, MOST_PARTS) as usize,
            played: Vec::new(),
            gauge_ns,
            before_ns: gauge_ns,
            played_for: Duration::ZERO,
            waited_for: Duration::ZERO,
        }
    }

    /// Word positions of a region `[start, end)` at which parts end (C1).
    pub(crate) fn stops(&self, start: u64, end: u64) -> impl Iterator<Item = u64> + use<> {
        let count = self.count as u64;
        (1..=count).map(move |part| start + (end - start) * part / count)
    }

    /// Waits for a calm moment to begin a part in.
    pub(crate) fn settle(&mut self) {
        // The reading behind the part before is the one before this part, when it was calm; between
        // passes time goes by.
        let begins_pass = self.played.len().is_multiple_of(self.count);
        match self.played.last() {
            Some(part) if !begins_pass && part.after_ns <= self.limit_ns() => {
                self.before_ns = part.after_ns;
                return;
            }
            _ => {}
        }
        let begin = Instant::now();
        for _ in 0..MOST_READINGS {
            self.before_ns = self.reading();
            let patience = self.played_for.mul_f64(PATIENCE).min(MOST_WAITING);
            let is_patient = self.waited_for <= patience;
            if self.before_ns <= self.limit_ns() || !is_patient {
                break;
            }
        }
        self.waited_for += begin.elapsed();
    }

    /// Notes the time of the part that was begun after [`Parts::settle`] and has just ended.
    pub(crate) fn part(&mut self, time: Duration) {
        let after_ns = self.reading();
        self.played.push(Part { before_ns: self.before_ns, ns: time.as_nanos() as u64, after_ns });
        self.played_for += time;
    }

    /// Time that went into parts.
    pub(crate) fn played_for(&self) -> Duration {
        self.played_for
    }

    /// Share of the parts played so far that were calm.
    pub(crate) fn calm_so_far(&self) -> f64 {
        let limit_ns = self.limit_ns();
        let calm = self.played.iter().filter(|part| part.is_calm(limit_ns)).count();
        calm as f64 / self.played.len().max(1) as f64
    }

    fn reading(&mut self) -> u64 {
        let reading = gauge_ns();
        self.gauge_ns = self.gauge_ns.min(reading);
        reading
    }

    fn limit_ns(&self) -> u64 {
        (self.gauge_ns as f64 * CALM) as u64
    }

    /// The figure of all passes; `None` before the first.
    pub(crate) fn calm(&self) -> Option<Calm> {
        let limit_ns = self.limit_ns();
        let passes = || self.played.chunks(self.count);
        let (mut region_ns, mut covered) = (0, 0);
        let mut times_ns = Vec::with_capacity(passes().len());
        for at in 0..self.count {
            let calm = passes().map(|pass| pass[at]).filter(|part| part.is_calm(limit_ns));
            times_ns.clear();
            times_ns.extend(calm.map(|part| part.ns));
            times_ns.sort_unstable();
            region_ns += match times_ns.len() {
                0 => passes().map(|pass| pass[at].ns).min()?,
                // The lower one of two in the middle.
                times => times_ns[(times - 1) / 2],
            };
            covered += usize::from(times_ns.len() >= MIN_CALM);
        }
        // Enough digits for any use, few enough for a file of many samples.
        let share = (1000.0 * covered as f64 / self.count as f64).floor() / 1000.0;
        Some(Calm { region_ns, share })
    }
}

/// The time of a pass where nothing tells which was calm: as [`undisturbed`], of those behind the first,
/// which runs on a cold heap.
pub(crate) fn of_passes(pass_wall_ns: &[u64]) -> Option<u64> {
    match pass_wall_ns {
        [_, warm @ ..] if !warm.is_empty() => undisturbed(warm),
        all => undisturbed(all),
    }
}

/// The fastest of passes on several threads once a quarter of them, the fastest, has been set aside.
///
/// Nobody can tell whose moment was calm there. A pass is slow when somebody else uses a processor,
/// which most passes may be; and now and then it is fast because a thread was held up, so that the
/// others met nobody. Of three passes or fewer none is set aside.
pub(crate) fn undisturbed(pass_wall_ns: &[u64]) -> Option<u64> {
    let mut sorted = pass_wall_ns.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 4).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_threads_is_neither_the_cold_pass_nor_a_lucky_one_nor_most_of_them() {
        assert_eq!(of_passes(&[]), None);
        assert_eq!(of_passes(&[70]), Some(70), "a cold pass is better than none");
        assert_eq!(of_passes(&[70, 50, 40]), Some(40));
        // Cold, lucky, two undisturbed, five that met somebody else.
        assert_eq!(of_passes(&[10, 20, 51, 98, 97, 50, 96, 95, 94]), Some(51));
    }

    /// Passes given by each part's reading before, time, and reading behind.
    fn parts(passes: &[&[[u64; 3]]]) -> Parts {
        let mut parts = Parts::of(0);
        parts.count = passes.first().map_or(1, |pass| pass.len());
        parts.gauge_ns = 100;
        let all = passes.iter().flat_map(|pass| pass.iter());
        parts.played =
            all.map(|&[before_ns, ns, after_ns]| Part { before_ns, ns, after_ns }).collect();
        parts
    }

    #[test]
    fn what_was_calm_so_far_is_told_after_one_pass() {
        let mut parts = parts(&[&[[100, 50, 100], [100, 50, 200], [200, 50, 100], [100, 50, 100]]]);
        parts.gauge_ns = 100;
        assert!((parts.calm_so_far() - 0.5).abs() < 1e-9);
        assert_eq!(parts.calm().unwrap().share, 0.0, "none was calm twice");
    }

    #[test]
    fn a_part_beside_a_slow_reading_does_not_count_whatever_its_own_time() {
        let found = parts(&[
            &[[100, 10, 100], [100, 20, 100]],
            &[[100, 10, 100], [100, 90, 150]],
            &[[150, 5, 150], [150, 5, 100]],
            &[[100, 10, 100], [100, 20, 107]],
        ]);
        assert_eq!(found.calm(), Some(Calm { region_ns: 30, share: 1.0 }));
    }

    #[test]
    fn what_happens_at_the_same_calls_of_every_pass_stays_and_an_interrupt_does_not() {
        let found = parts(&[
            &[[100, 10, 100], [100, 50, 100]],
            &[[101, 10, 100], [100, 900, 100]],
            &[[100, 700, 100], [100, 51, 100]],
        ]);
        assert_eq!(found.calm(), Some(Calm { region_ns: 61, share: 1.0 }));
    }

    #[test]
    fn a_part_that_was_never_calm_goes_in_with_its_fastest_time() {
        let found = parts(&[&[[100, 10, 100], [100, 70, 200]], &[[100, 10, 100], [100, 60, 300]]]);
        assert_eq!(found.calm(), Some(Calm { region_ns: 70, share: 0.5 }));
    }

    #[test]
    fn a_part_that_was_calm_once_is_not_known_well() {
        let found = parts(&[&[[100, 10, 100]], &[[100, 12, 200]]]);
        assert_eq!(found.calm(), Some(Calm { region_ns: 10, share: 0.0 }));
    }

    #[test]
    fn without_a_pass_there_is_no_figure() {
        assert_eq!(parts(&[]).calm(), None);
    }

    #[test]
    fn waiting_ends_with_the_patience_where_calm_never_comes() {
        const SETTLED: u32 = 500;
        let patience = Duration::from_millis(5).mul_f64(PATIENCE);
        let attempt = || {
            let mut parts = Parts::of(0);
            // No reading is ever as fast.
            parts.gauge_ns = 1;
            parts.part(Duration::from_millis(5));
            parts.gauge_ns = 1;
            let all: Vec<u64> = (0..SETTLED).map(|_| gauge_ns()).collect();
            let usual = Duration::from_nanos(all.iter().sum::<u64>()) / SETTLED;
            for _ in 0..SETTLED {
                parts.settle();
                parts.gauge_ns = 1;
            }
            assert!(parts.waited_for >= patience, "{parts:?}");
            assert!(!parts.played[0].is_calm(parts.limit_ns()));
            // The last wait begins with patience left; afterwards there is one reading each.
            let most = patience + usual * (MOST_READINGS as u32 + SETTLED) * 4;
            (parts.waited_for, most)
        };
        // In one of many moments: other tests run beside this one.
        let moments: Vec<(Duration, Duration)> = (0..20).map(|_| attempt()).collect();
        assert!(moments.iter().any(|(waited, most)| waited < most), "{moments:?}");
    }

    #[test]
    fn parts_cover_a_region_of_any_length_without_a_gap() {
        for words in
            [0, 1, PART_WORDS - 1, PART_WORDS, PART_WORDS + 1, 10 * PART_WORDS, u64::from(u32::MAX)]
        {
            let parts = Parts::of(words);
            let stops: Vec<u64> = parts.stops(5, 5 + words).collect();
            assert_eq!(stops.len(), parts.count);
            assert_eq!(stops.last(), Some(&(5 + words)));
            assert!(stops.is_sorted());
        }
    }

    #[test]
    fn the_gauge_takes_a_microsecond_or_more_and_a_thousand_readings_agree() {
        // In one of many moments: other tests run beside this one.
        let moments: Vec<(u64, u64)> = (0..50)
            .map(|_| {
                let mut all: Vec<u64> = (0..1000).map(|_| gauge_ns()).collect();
                all.sort_unstable();
                (all[0], all[100])
            })
            .collect();
        assert!(moments.iter().all(|(least, _)| *least >= 500), "{moments:?}");
        let agree = |(least, most): &(u64, u64)| *most as f64 <= *least as f64 * 1.5;
        assert!(moments.iter().any(agree), "{moments:?}");
    }
}
