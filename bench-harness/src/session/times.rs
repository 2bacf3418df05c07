//! The part of a run in which samples are timed: interleaved rounds, samples that were not calm taken
//! again, and the A/A floor.
//!
//! When a sample is taken again is told by `retakes`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::Sample;
use reports::statistics::Floor;
use reports::weather::{self, Times};

use super::retakes::{Taking, until_calm};
use super::{Conditions, Session, Turn, cannot_start};
use crate::child::job::Task;
use crate::exit::Failure;
use crate::measure::{self, Request};

/// Half-width of the A/A interval that the floor is measured to, in per cent.
const FLOOR_PERCENT: f64 = 2.0;
/// Most samples that are added to a floor.
const MAX_FLOOR_ROUNDS: u32 = 60;
/// Round numbers of samples that only serve the floor begin here.
const FLOOR_ROUND: u32 = 10_000;
/// How samples are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rounds at least, whatever the time.
    pub(crate) min_rounds: u32,
    /// Rounds at most.
    pub(crate) max_rounds: u32,
    /// No round begins after this time, beyond the least number.
    pub(crate) budget: Duration,
    /// The same while fewer rounds than the least number were calm, if it is later.
    pub(crate) patience: Duration,
    /// No sample is added to a floor after this time.
    pub(crate) floor_budget: Duration,
    /// What a measuring child does.
    pub(crate) task: Task,
}

impl Pace {
    /// So many rounds, however long they take, and no sample for the floor alone.
    pub(crate) fn of_rounds(rounds: u32, task: Task) -> Self {
        Self {
            min_rounds: rounds,
            max_rounds: rounds,
            budget: Duration::ZERO,
            patience: Duration::ZERO,
            floor_budget: Duration::ZERO,
            task,
        }
    }

    /// Whether no round is to begin any more, after so many calm ones.
    fn is_over(&self, calm: u32, elapsed: Duration) -> bool {
        let patience = if calm < self.min_rounds { self.patience } else { Duration::ZERO };
        elapsed >= self.budget.max(patience)
    }

    /// The pace of a run that has measured for a while already, in parts before this one, and that is to
    /// end at `whole` if that leaves more time, `elapsed` having passed of it in all parts.
    pub(crate) fn until(self, whole: Duration, elapsed: Duration, measured: Duration) -> Self {
        let left = whole.saturating_sub(elapsed);
        let for_floors = self.floor_budget.saturating_sub(self.budget);
        Self {
            budget: self.budget.saturating_sub(measured).max(left.saturating_sub(for_floors)),
            patience: self.patience.saturating_sub(measured),
            floor_budget: self.floor_budget.saturating_sub(measured).max(left),
            ..self
        }
    }
}

/// A round of timed samples.
struct Round<'s, 'a> {
    session: &'s mut Session<'a>,
    number: u32,
    task: Task,
}

impl<'a> Taking for Round<'_, 'a> {
    type Turn = Turn<'a>;

    fn is_interrupted(&self) -> bool {
        self.session.conditions.interrupt.requested()
    }

    fn is_open(&self, turn: &Turn<'a>) -> bool {
        let (subject, workload) = turn.names();
        !self.session.taken.samples.contains(&turn.key(self.number, false))
            && !self.session.has_failed(&subject, &workload)
    }

    fn is_patient(&self) -> bool {
        self.session.retaking <= self.session.taking / 2
    }

    fn sample(
        &mut self,
        turn: &Turn<'a>,
        breaks_off: bool,
        is_again: bool,
    ) -> Result<Sample, Failure> {
        let session = &mut *self.session;
        let Conditions { touch, limits, interrupt, .. } = session.conditions;
        if !is_again {
            session.step(turn);
        }
        let begin = Instant::now();
        let request = Request { breaks_off, ..turn.request(touch, self.task, self.number) };
        let sample = measure::sample(&request, session.taken.next_seq, limits, interrupt)
            .map_err(cannot_start)?;
        let took = begin.elapsed();
        session.measuring += took;
        session.taking += took;
        session.retaking += if is_again { took } else { Duration::ZERO };
        session.taken.next_seq += 1;
        Ok(sample)
    }

    fn keep(&mut self, sample: Sample) -> Result<(), Failure> {
        self.session.keep(sample)
    }
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
        let rounds = pace.min_rounds..=pace.max_rounds;
        self.conditions.voice.phase_of_rounds("Measuring", per_round, rounds, pace.budget);
        let mut calm = 0;
        for round in 0..pace.max_rounds {
            let turns = self.in_order(&mut order);
            if round >= pace.min_rounds && pace.is_over(calm, begin.elapsed()) {
                break;
            }
            self.take(turns, round, pace.task)?;
            let taken = self.taken.times.iter().filter(|one| one.round == round);
            calm += u32::from(weather::is_calm(taken));
        }
        self.conditions.voice.end_phase();
        self.narrow_floor(pace, begin, &mut order)
    }

    /// All turns of a round: the workloads in random order, and in each the subjects in random order right
    /// after one another, since samples vary together that are taken within half a second.
    fn in_order(&self, order: &mut ChaCha8Rng) -> Vec<Turn<'a>> {
        let turns = self.turns(true);
        let mut workloads: Vec<Vec<Turn<'a>>> = turns
            .chunk_by(|one, other| std::ptr::eq(one.workload, other.workload))
            .map(<[Turn<'a>]>::to_vec)
            .collect();
        workloads.shuffle(order);
        for turns in &mut workloads {
            turns.shuffle(order);
        }
        workloads.concat()
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
        let times = |again: bool| {
            let is_its = move |sample: &&Sample| {
                sample.workload == workload
                    && sample.subject == self.baseline
                    && sample.again == again
            };
            Times::of(self.taken.times.iter().filter(is_its), |sample| sample.ns_per_pair)
        };
        let floor = Floor::of(&times(true).over(&times(false)));
        floor.map_or(f64::INFINITY, Floor::half_width_percent)
    }

    /// Says that a turn is begun, or needs no sample.
    fn step(&self, turn: &Turn<'_>) {
        let (subject, workload) = turn.names();
        self.conditions.voice.step(format!("{workload}: {subject}"));
    }

    fn take(&mut self, turns: Vec<Turn<'a>>, number: u32, task: Task) -> Result<(), Failure> {
        let round = &mut Round { session: self, number, task };
        let (open, done): (Vec<_>, Vec<_>) =
            turns.into_iter().partition(|turn| round.is_open(turn));
        done.iter().for_each(|turn| round.session.step(turn));
        until_calm(round, open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        min_rounds: 3,
        max_rounds: 9,
        budget: Duration::from_secs(100),
        patience: Duration::from_secs(125),
        floor_budget: Duration::from_secs(110),
        task: Task::Measure { passes: 1 },
    };

    #[test]
    fn rounds_go_on_for_longer_while_too_few_of_them_are_calm() {
        assert!(!PACE.is_over(3, Duration::from_secs(99)));
        assert!(PACE.is_over(3, Duration::from_secs(100)));
        assert!(!PACE.is_over(2, Duration::from_secs(124)));
        assert!(PACE.is_over(2, Duration::from_secs(125)));
    }

    /// The pace of a run that is to take 200 seconds, `elapsed` of which are over, `measured` of them in
    /// earlier parts.
    fn left(elapsed: u64, measured: u64) -> Pace {
        let seconds = Duration::from_secs;
        PACE.until(seconds(200), seconds(elapsed), seconds(measured))
    }

    #[test]
    fn what_a_run_has_not_used_of_its_time_goes_into_rounds_and_none_is_taken_from_them() {
        assert_eq!(left(50, 0).budget, Duration::from_secs(140));
        assert_eq!(
            left(50, 0).floor_budget,
            Duration::from_secs(150),
            "it ends when the run is to"
        );
        assert!(
            left(50, 0).is_over(0, Duration::from_secs(140)),
            "patience is no time beyond that"
        );
        for late in [90, 150, 500] {
            let (left, own) = (left(late, 0), PACE);
            assert_eq!((left.budget, left.floor_budget), (own.budget, own.floor_budget));
        }
    }

    #[test]
    fn a_run_that_goes_on_has_the_time_that_its_earlier_parts_have_left() {
        assert_eq!(left(80, 60).budget, Duration::from_secs(110), "of 200, less 10 for floors");
        assert_eq!(left(190, 70).budget, Duration::from_secs(30));
        assert_eq!(left(190, 70).floor_budget, Duration::from_secs(40));
        assert!(left(190, 70).is_over(2, Duration::from_secs(55)), "patience has gone on as well");
        let over = left(210, 130);
        assert_eq!((over.budget, over.floor_budget), (Duration::ZERO, Duration::ZERO));
        assert!(over.is_over(2, Duration::ZERO), "nothing is added to what is complete");
    }
}
