//! A median with its interval at 95 %. The method and its reasons are in the parent module.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

use super::columns::Error;
use super::quantile::{median, normal_above, normal_tail, student, student_975};

/// Fewest rounds that are bootstrapped; below, the interval is Student's t on logarithms.
pub const MIN_BOOTSTRAP_ROUNDS: usize = 6;

/// Resamples drawn for one bootstrap.
pub const RESAMPLES: usize = 4000;

/// Seed of every bootstrap, so that the same records give the same figures.
const SEED: u64 = 0x41_52_45_4E_41;

/// An interval at 95 %, both ends included. `low <= high`, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in the interval, its ends included.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half the width as a factor, in percent: 2.0 when the ends lie a factor of 1.02 from the
    /// middle (the geometric mean of the ends).
    #[must_use]
    pub fn half_width_percent(self) -> f64 {
        100.0 * ((self.high / self.low).sqrt() - 1.0)
    }
}

/// A median, how many values it stands on, and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Median of the values. Lies in the interval.
    pub value: f64,
    /// How many values there are.
    pub count: usize,
    /// Interval at 95 %; `None` of a single value, which says nothing about its own spread.
    pub interval: Option<Interval>,
}

impl Estimate {
    /// Median and interval of positive values: times, or ratios of times within rounds. `None` of no
    /// value. Values must be finite and above zero.
    ///
    /// Cost: [`RESAMPLES`] medians of `values.len()` values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        // In rising order, the order of measuring cannot tell in the draws.
        logs.sort_by(f64::total_cmp);
        let interval = match logs.len() {
            0 => return None,
            1 => None,
            few if few < MIN_BOOTSTRAP_ROUNDS => student_interval(&logs),
            many => cut(medians_of_draws(&logs), many),
        };
        Some(Self::around(median(values)?, values.len(), interval))
    }

    /// As [`Estimate::of`], with an interval so wide that of `comparisons` of its kind all hold the
    /// truth in 95 % of runs (Bonferroni: each leaves it out in 5 % / `comparisons`). There is no
    /// interval of fewer than [`MIN_BOOTSTRAP_ROUNDS`] values.
    #[must_use]
    pub fn widened(values: &[f64], comparisons: usize) -> Option<Self> {
        let mut logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        logs.sort_by(f64::total_cmp);
        let count = logs.len();
        if count < MIN_BOOTSTRAP_ROUNDS {
            return Some(Self::around(median(values)?, count, None));
        }
        let z = normal_above(0.025 / comparisons.max(1) as f64);
        let interval = cut_at(medians_of_draws(&logs), count, student(z, count - 1));
        Some(Self::around(median(values)?, count, interval))
    }

    /// Puts a value and an interval of logarithms together. The value lies in the interval up to
    /// rounding (and, for a mean of medians, nearly always); the interval is widened to hold it.
    pub(super) fn around(value: f64, count: usize, logs: Option<(f64, f64)>) -> Self {
        let interval = logs
            .map(|(low, high)| Interval { low: low.exp().min(value), high: high.exp().max(value) });
        Self { value, count, interval }
    }
}

/// Medians of the [`RESAMPLES`] draws from values in rising order.
fn medians_of_draws(sorted: &[f64]) -> Vec<f64> {
    // Draws of as many values are always the same, and so are the places of their two middle ones.
    thread_local! {
        static MIDDLES: RefCell<BTreeMap<usize, Vec<[u32; 2]>>> = const { RefCell::new(BTreeMap::new()) };
    }
    let count = sorted.len();
    let middles = || {
        let (mut random, mut places) = (random(), vec![0; count]);
        let middle = |_| {
            draw(&mut random, &mut places);
            places.sort_unstable();
            [places[(count - 1) / 2], places[count / 2]]
        };
        (0..RESAMPLES).map(middle).collect()
    };
    MIDDLES.with_borrow_mut(|known| {
        let middles = known.entry(count).or_insert_with(middles);
        let median = |places: &[u32; 2]| {
            let [low, high] = places.map(|place| sorted[place as usize]);
            f64::midpoint(low, high)
        };
        middles.iter().map(median).collect()
    })
}

/// Student's t interval of the mean of `logs`, of which there are at least two.
fn student_interval(logs: &[f64]) -> Option<(f64, f64)> {
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let half = Error::of_mean(logs)?.half_width();
    Some((mean - half, mean + half))
}

/// Bootstrap interval of `statistic` over `rounds` rounds. `statistic` is given the indices of the
/// drawn rounds, with repetition.
pub(super) fn bootstrap(rounds: usize, statistic: impl FnMut(&[u32]) -> f64) -> Option<(f64, f64)> {
    // Every bootstrap of as many rounds draws the same ones, and drawing costs more than counting.
    thread_local! {
        static DRAWN: RefCell<(usize, Vec<u32>)> = const { RefCell::new((0, Vec::new())) };
    }
    let found = DRAWN.with_borrow_mut(|(of, indices)| {
        if *of != rounds {
            let mut random = random();
            indices.resize(rounds * RESAMPLES, 0);
            indices.chunks_exact_mut(rounds).for_each(|one| draw(&mut random, one));
            *of = rounds;
        }
        indices.chunks_exact(rounds).map(statistic).collect()
    });
    cut(found, rounds)
}

/// The generator of every bootstrap, at its beginning.
pub(super) fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(SEED)
}

/// Draws as many of the rounds as there are, with repetition.
pub(super) fn draw(random: &mut ChaCha8Rng, indices: &mut [u32]) {
    let rounds = indices.len() as u64;
    for index in indices {
        // The high half of the product: even to within one part in 2^32 / rounds.
        *index = ((u64::from(random.next_u32()) * rounds) >> 32) as u32;
    }
}

/// Cuts the tails off what the [`RESAMPLES`] draws gave, as far out as so few rounds require.
pub(super) fn cut(drawn: Vec<f64>, rounds: usize) -> Option<(f64, f64)> {
    cut_at(drawn, rounds, student_975(rounds - 1))
}

/// Cuts the tails off so far out as `student`, a quantile of Student's t, requires.
fn cut_at(mut drawn: Vec<f64>, rounds: usize, student: f64) -> Option<(f64, f64)> {
    drawn.sort_by(f64::total_cmp);
    let count = rounds as f64;
    let tail = normal_tail((count / (count - 1.0)).sqrt() * student);
    let cut = (tail * RESAMPLES as f64).floor() as usize;
    Some((*drawn.get(cut)?, *drawn.get(RESAMPLES - 1 - cut)?))
}
