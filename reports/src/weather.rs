//! Which timed samples count.
//!
//! A sample that was not calm is taken again, but not for ever: when somebody shares the processors for
//! minutes it stays as it was taken, up to 40 % too slow beside others that found a calm moment. A ratio
//! is made of the rounds in which both of its sides were calm; by what the gauge said, never by the times
//! themselves.
//!
//! * W1: which samples count hangs on calm shares alone.
//! * W2: of a time or ratio without [`ENOUGH`] such rounds one figure is known, the median of all
//!   rounds, which has no interval and so decides nothing.
//! * W3: times on several threads count in any case, since their weather is another one, and so do those
//!   that say nothing of calm.

use crate::record::{Sample, Status};
use crate::statistics::{Rounds, by_round, median, of_both, ratios};

/// Share of a pass's parts that have to be calm for a sample to be.
pub const CALM_SHARE: f64 = 0.95;
/// Share of a round's samples that have to be calm for the round to be.
const CALM_SAMPLES: f64 = 0.8;
/// Time of a disturbed sample over that of a calm one, on one thread, at most.
pub const DISTURBANCE: f64 = 1.4;
/// Calm rounds that a figure is made of at least: the fewest that have an interval.
pub const ENOUGH: usize = 2;

/// Whether four in five samples of a round were calm, of those on one thread that tell.
#[must_use]
pub fn is_calm<'a>(round: impl IntoIterator<Item = &'a Sample>) -> bool {
    let timed = |one: &&Sample| one.status == Status::Ok && !one.verified && tells(one);
    let samples: Vec<&Sample> = round.into_iter().filter(timed).collect();
    let calm = samples.iter().filter(|one| !is_disturbed(one)).count();
    calm as f64 >= CALM_SAMPLES * samples.len() as f64
}

/// Whether a sample says of itself that it was not calm.
#[must_use]
pub fn is_disturbed(sample: &Sample) -> bool {
    tells(sample) && sample.calm_share.is_some_and(|share| share < CALM_SHARE)
}

/// Whether a sample on one thread says how calm it was.
fn tells(sample: &Sample) -> bool {
    sample.mode == "serial" && sample.calm_share.is_some()
}

/// Times of one cell by round: all, and those of calm samples.
#[derive(Clone, Debug, Default)]
pub struct Times {
    all: Rounds,
    calm: Rounds,
}

impl Times {
    /// Times of the samples that have one, by what `time` says of each.
    #[must_use]
    pub fn of<'a>(
        samples: impl Iterator<Item = &'a Sample> + Clone,
        time: impl Fn(&Sample) -> Option<f64>,
    ) -> Self {
        let times = |one: &Sample| Some((one.round, time(one)?));
        Self {
            all: by_round(samples.clone().filter_map(times)),
            calm: by_round(samples.filter(|one| !is_disturbed(one)).filter_map(times)),
        }
    }

    /// Whether there is no time at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Times of calm samples, or one figure (W2).
    #[must_use]
    pub fn counting(&self) -> Rounds {
        enough(self.calm.clone(), || self.all.clone())
    }

    /// Times of the baseline, where `again` holds its samples under another name: in each round that of
    /// both, or of the one that was calm.
    #[must_use]
    pub fn and(&self, again: &Self) -> Self {
        let mut calm = of_both(&self.calm, &again.calm);
        for (round, value) in &again.calm {
            calm.entry(*round).or_insert(*value);
        }
        Self { all: of_both(&self.all, &again.all), calm }
    }

    /// These times and those of `other` by round, in `enough` rounds and more in which both were calm, or
    /// in all rounds: for what may not do without a figure's spread.
    #[must_use]
    pub fn beside(&self, other: &Self, enough: usize) -> Vec<(f64, f64)> {
        let pairs = |own: &Rounds, other: &Rounds| -> Vec<(f64, f64)> {
            own.iter().filter_map(|(round, own)| Some((*own, *other.get(round)?))).collect()
        };
        let calm = pairs(&self.calm, &other.calm);
        if calm.len() >= enough { calm } else { pairs(&self.all, &other.all) }
    }

    /// Ratios to the times of `other` by round, of calm rounds or as one figure (W2).
    #[must_use]
    pub fn over(&self, other: &Self) -> Rounds {
        enough(ratios(&self.calm, &other.calm), || ratios(&self.all, &other.all))
    }
}

/// `calm` where that is enough, or the median of `all` in the place of its first round.
fn enough(calm: Rounds, all: impl FnOnce() -> Rounds) -> Rounds {
    if calm.len() >= ENOUGH {
        return calm;
    }
    let all = all();
    let middle = median(&all.values().copied().collect::<Vec<_>>());
    all.into_keys().next().zip(middle).into_iter().collect()
}
