//! Which rounds of timed samples count.
//!
//! A sample that was not calm is taken again, but not for ever: when somebody shares the processors for
//! minutes, a round stays as it was taken, with samples a third too slow beside others that found a calm
//! moment. Such a round would move every ratio it is part of. It is left out *whole*, so that in each
//! round that is left every subject stands beside the baseline; by what the gauge said, never by the times
//! themselves.
//!
//! * W1: which rounds are left out hangs on calm shares alone.
//! * W2: three calm rounds of several subjects at least are there, or every round counts. Rounds that the
//!   baseline has to itself, for the floor, are none of them.
//! * W3: times on several threads count in any case: their weather is another one.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Sample, Status};

/// Share of a pass's parts that have to be calm for a sample to be.
pub const CALM_SHARE: f64 = 0.95;
/// Share of a round's samples that have to be calm for the round to be.
const CALM_SAMPLES: f64 = 0.8;
/// Calm rounds without which nothing is left out.
const MIN_ROUNDS: usize = 3;

/// Whether four in five samples of a round were calm, of those on one thread that tell.
#[must_use]
pub fn is_calm<'a>(round: impl IntoIterator<Item = &'a Sample>) -> bool {
    let timed = |one: &&Sample| one.status == Status::Ok && !one.verified && is_serial(one);
    let shares: Vec<f64> =
        round.into_iter().filter(timed).filter_map(|one| one.calm_share).collect();
    let calm = shares.iter().filter(|share| **share >= CALM_SHARE).count();
    calm as f64 >= CALM_SAMPLES * shares.len() as f64
}

/// Numbers of the rounds whose times on one thread do not count.
#[must_use]
pub fn left_out(samples: &[Sample]) -> BTreeSet<u32> {
    let mut rounds: BTreeMap<u32, Vec<&Sample>> = BTreeMap::new();
    for one in samples.iter().filter(|one| !one.verified) {
        rounds.entry(one.round).or_default().push(one);
    }
    let has_several =
        |samples: &[&Sample]| samples.iter().any(|one| one.subject != samples[0].subject);
    let (calm, stormy): (Vec<_>, Vec<_>) =
        rounds.into_iter().partition(|(_, samples)| is_calm(samples.iter().copied()));
    let comparing = calm.iter().filter(|(_, samples)| has_several(samples)).count();
    if comparing < MIN_ROUNDS {
        return BTreeSet::new();
    }
    stormy.into_iter().map(|(round, _)| round).collect()
}

/// Whether the time of a sample counts, where these rounds are left out.
pub(crate) fn counts(sample: &Sample, left_out: &BTreeSet<u32>) -> bool {
    !is_serial(sample) || !left_out.contains(&sample.round)
}

fn is_serial(sample: &Sample) -> bool {
    sample.mode == "serial"
}
