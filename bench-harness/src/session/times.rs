//! The part of a run in which samples are timed: interleaved rounds, samples that were not calm taken
//! again, and the A/A floor.
//!
//! Whoever else uses the core does so for seconds at a time. So a sample that was not calm is put off
//! to the end of its round, when the disturbance may be over, and is taken again there, as often as it
//! takes while half of the time goes into first samples; the calmest of a turn's samples is kept. Which
//! one that is hangs on the gauge (`replay::calm`) and on no time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{Sample, Status};
use reports::statistics::{Floor, Rounds, by_round};

use super::{Conditions, Session, Turn, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::{self, Request};
use crate::replay::calm::CALM_SHARE;

/// Half-width of the A/A interval that the floor is measured to, in per cent.
const FLOOR_PERCENT: f64 = 2.0;
/// Most samples that are added to a floor.
const MAX_FLOOR_ROUNDS: u32 = 60;
/// Round numbers of samples that only serve the floor begin here.
const FLOOR_ROUND: u32 = 10_000;
/// Times that a sample that was not calm is taken again at most. All samples of a turn but the last end at
/// once where they meet a disturbance.
const MOST_RETAKES: usize = 12;

/// How samples are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rounds at least, whatever the time.
    pub(crate) min_rounds: u32,
    /// Rounds at most.
    pub(crate) max_rounds: u32,
    /// No round begins after this time, beyond the least number.
    pub(crate) budget: Duration,
    /// No sample is added to a floor after this time.
    pub(crate) floor_budget: Duration,
    /// What a measuring child does.
    pub(crate) task: Task,
}

/// A turn of which no sample was calm yet.
struct Restless<'a> {
    turn: Turn<'a>,
    tried: Vec<Sample>,
}

/// The calmest of samples that were taken in one another's place, with the shares of the others.
fn calmest(mut tried: Vec<Sample>) -> Option<Sample> {
    let share = |sample: &Sample| sample.calm_share.unwrap_or(0.0);
    let (at, _) =
        tried.iter().enumerate().max_by(|one, other| share(one.1).total_cmp(&share(other.1)))?;
    let mut sample = tried.remove(at);
    sample.retaken_calm_shares = tried.iter().map(share).collect();
    Some(sample)
}

impl<'a> Session<'a> {
    /// Samples every cell in interleaved rounds, then the floor until it is narrow enough.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub(crate) fn measure(&mut self, pace: &Pace) -> Result<(), Failure> {
        let begin = Instant::now();
        let mut order = ChaCha8Rng::seed_from_u64(self.conditions.seed);
        let per_round = self.turns(true).len() as u64;
        self.conditions.voice.phase("Measuring", per_round * u64::from(pace.max_rounds));
        for round in 0..pace.max_rounds {
            let mut turns = self.turns(true);
            turns.shuffle(&mut order);
            if round >= pace.min_rounds && begin.elapsed() >= pace.budget {
                break;
            }
            self.take(turns, round, pace.task)?;
        }
        self.conditions.voice.end_phase();
        self.narrow_floor(pace, begin, &mut order)
    }

    /// Adds pairs of baseline samples to every workload whose floor is wide, the widest first.
    fn narrow_floor(
        &mut self,
        pace: &Pace,
        begin: Instant,
        order: &mut ChaCha8Rng,
    ) -> Result<(), Failure> {
        let Some(subject) = self.subjects.iter().find(|subject| subject.name == self.baseline)
        else {
            return Ok(());
        };
        self.conditions.voice.phase("Measuring the A/A floor", None);
        let mut added: BTreeMap<&str, u32> = BTreeMap::new();
        while begin.elapsed() < pace.floor_budget && !self.conditions.interrupt.requested() {
            let widest = self
                .workloads
                .iter()
                .filter(|workload| {
                    let name = workload.record.workload.as_str();
                    added.get(name).copied().unwrap_or(0) < MAX_FLOOR_ROUNDS
                        && !self.has_failed(self.baseline, name)
                })
                .map(|workload| (self.floor_percent(&workload.record.workload), workload))
                .filter(|(percent, _)| *percent > FLOOR_PERCENT)
                .max_by(|(one, _), (other, _)| one.total_cmp(other));
            let Some((_, workload)) = widest else { break };
            let extra = added.entry(&workload.record.workload).or_default();
            let round = FLOOR_ROUND + *extra;
            *extra += 1;
            let mut pair = [false, true].map(|again| Turn { subject, workload, again });
            pair.shuffle(order);
            self.take(pair.to_vec(), round, pace.task)?;
        }
        self.conditions.voice.end_phase();
        Ok(())
    }

    /// Half-width of a workload's A/A interval in per cent; infinite while it cannot be told.
    fn floor_percent(&self, workload: &str) -> f64 {
        let rounds = |again: bool| -> Rounds {
            by_round(self.taken.times.iter().filter_map(|sample| {
                let this = sample.workload == workload
                    && sample.subject == self.baseline
                    && sample.again == again;
                this.then_some((sample.round, sample.ns_per_pair?))
            }))
        };
        Floor::of(&rounds(true), &rounds(false)).map_or(f64::INFINITY, Floor::half_width_percent)
    }

    /// Takes one sample of each turn that has none, and more of those that are not calm.
    fn take(&mut self, turns: Vec<Turn<'a>>, round: u32, task: Task) -> Result<(), Failure> {
        let touch = self.conditions.touch;
        let mut turns: Vec<_> =
            turns.into_iter().map(|turn| Restless { turn, tried: Vec::new() }).collect();
        for retake in 0..=MOST_RETAKES {
            let mut restless = Vec::new();
            for Restless { turn, tried } in turns {
                let (subject, workload) = turn.names();
                if retake == 0 {
                    self.conditions.voice.step(format!("{workload}: {subject}"));
                }
                let is_done = self.taken.samples.contains(&turn.key(round, false))
                    || self.has_failed(&subject, &workload);
                if self.conditions.interrupt.requested() {
                    // A run that goes on takes it again.
                    continue;
                }
                if is_done {
                    self.keep_calmest(tried)?;
                    continue;
                }
                // Where calm never comes, half of the time still goes into samples that count.
                let is_last = retake == MOST_RETAKES || self.retaking > self.taking / 2;
                let request = Request { breaks_off: !is_last, ..turn.request(touch, task, round) };
                let left = self.try_once(turn, tried, &request)?;
                match left {
                    Some(left) if is_last => self.keep_calmest(left.tried)?,
                    left => restless.extend(left),
                }
            }
            turns = restless;
        }
        Ok(())
    }

    /// Takes a sample and keeps it, or gives the turn back with it where it is not calm.
    fn try_once(
        &mut self,
        turn: Turn<'a>,
        mut tried: Vec<Sample>,
        request: &Request<'_>,
    ) -> Result<Option<Restless<'a>>, Failure> {
        let Conditions { limits, interrupt, .. } = self.conditions;
        let begin = Instant::now();
        let sample = measure::sample(request, self.taken.next_seq, limits, interrupt)
            .map_err(cannot_start)?;
        let took = begin.elapsed();
        self.measuring += took;
        self.taking += took;
        self.taken.next_seq += 1;
        if !tried.is_empty() {
            self.retaking += took;
        }
        let Some(share) = sample.calm_share else {
            // One that was broken off in place of another says nothing, and a run that goes on takes both
            // again; one that went wrong is a result beside the other, and one where nothing tells calm
            // is enough.
            if sample.status != Status::Interrupted || tried.is_empty() {
                self.keep_calmest(tried)?;
                self.keep(sample)?;
            }
            return Ok(None);
        };
        tried.push(sample);
        if share >= CALM_SHARE {
            self.keep_calmest(tried)?;
            return Ok(None);
        }
        Ok(Some(Restless { turn, tried }))
    }

    fn keep_calmest(&mut self, tried: Vec<Sample>) -> Result<(), Failure> {
        calmest(tried).map_or(Ok(()), |sample| self.keep(sample))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seq: u64, share: f64) -> Sample {
        let text = format!(
            r#"{{"subject":"s","workload":"w","seq":{seq},"round":0,"mode":"serial","call":"c",
                "touch":"header","status":"ok","calm_share":{share}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_calmest_is_kept_with_the_share_of_every_other_equal_ones_too() {
        let of = |shares: &[f64]| {
            let tried = (0..).zip(shares).map(|(seq, share)| sample(seq, *share)).collect();
            calmest(tried).map(|kept| (kept.seq, kept.retaken_calm_shares))
        };
        assert_eq!(of(&[0.9, 0.2]), Some((0, vec![0.2])));
        assert_eq!(of(&[0.2, 0.9]), Some((1, vec![0.2])));
        assert_eq!(of(&[0.0, 0.0]), Some((1, vec![0.0])), "the last one was not broken off");
        assert_eq!(of(&[1.0]), Some((0, vec![])));
        assert_eq!(of(&[]), None);
    }
}
