//! One run of many samples: the order they are taken in, the records they leave, when it stops.
//!
//! * S1: every finished sample is on disk before the next one begins; where nothing is timed and cells
//!   run side by side, as soon as it is finished.
//! * S2: within a round the samples of all cells are taken in random order; a cell that has failed is
//!   not sampled again, since a failure is a result and time is short.
//! * S3: after an interrupt no child is started.
//!
//! `tails` takes the samples in which calls are timed one by one, `counts` those whose instructions
//! are counted, `counters` those whose events the processor counts, `footprints` those whose memory
//! shall repeat. What an earlier run has left is in `taken`.

mod counters;
mod counts;
mod footprints;
mod memcheck;
mod memory;
mod tails;
mod taken;

pub(crate) use tails::TailsPace;
pub(crate) use taken::Taken;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{Record, Sample, Status};
use reports::results::ResultsFile;
use reports::statistics::{Floor, Rounds, by_round};

use crate::child::job::Task;
use crate::child::spawn::Limits;
use crate::cli::{Generation, Subjects};
use crate::exit::Failure;
use crate::host;
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};
use crate::replay::calm::CALM_SHARE;
use crate::replay::touch::Touch;
use crate::side_by_side::{processors, side_by_side};
use crate::subject::Subject;
use crate::talk::Voice;
use crate::workload::Prepared;

/// Half-width of the A/A interval that the floor is measured to, in per cent.
const FLOOR_PERCENT: f64 = 2.0;
/// Most samples that are added to a floor.
const MAX_FLOOR_ROUNDS: u32 = 60;
/// Round numbers of samples that only serve the floor begin here.
const FLOOR_ROUND: u32 = 10_000;
/// Memory of a child over the live bytes of its workload, at the worst.
const ROOM: u64 = 8;
/// Times that a sample that was not calm is taken again at most.
const MOST_RETAKES: usize = 1;

/// Where records go.
pub(crate) enum Sink {
    /// To a results file, one line each (S1).
    File(ResultsFile),
    /// Kept, to be printed.
    Memory(Vec<Record>),
}

impl Sink {
    /// Keeps one record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn put(&mut self, record: Record) -> Result<(), Failure> {
        match self {
            Self::File(file) => {
                file.append(&record).map_err(|error| Failure::io(file.path().display(), error))
            }
            Self::Memory(records) => {
                records.push(record);
                Ok(())
            }
        }
    }
}

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

/// How every sample of a session is taken.
#[derive(Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) touch: Touch,
    /// Bounds on a child; under Valgrind it gets a multiple of the time.
    pub(crate) limits: Limits,
    /// Seed of the order of sampling.
    pub(crate) seed: u64,
    pub(crate) voice: &'a Voice,
    pub(crate) interrupt: &'a Interrupt,
}

impl<'a> Conditions<'a> {
    /// The conditions that a command line asks for, on this computer.
    pub(crate) fn of(
        subjects: &Subjects,
        generation: &Generation,
        voice: &'a Voice,
        interrupt: &'a Interrupt,
    ) -> Self {
        let limits = Limits { timeout: subjects.timeout, memory_bytes: host::memory_limit() };
        Self { touch: subjects.touch, limits, seed: generation.seed, voice, interrupt }
    }
}

/// A run in progress.
pub(crate) struct Session<'a> {
    pub(crate) conditions: Conditions<'a>,
    pub(crate) subjects: &'a [Subject],
    pub(crate) workloads: Vec<&'a Prepared>,
    /// Name of the subject that is sampled twice; empty where nothing is timed.
    pub(crate) baseline: &'a str,
    pub(crate) sink: Sink,
    pub(crate) taken: Taken,
    /// Cells that failed and failures that were counted, for the exit code.
    pub(crate) failures: u64,
    /// Time spent inside children.
    pub(crate) measuring: Duration,
    /// Time that went into timed samples, and of it into those that were taken again.
    taking: Duration,
    retaking: Duration,
}

/// One sample of a round, before it is taken.
#[derive(Clone, Copy)]
struct Turn<'a> {
    subject: &'a Subject,
    workload: &'a Prepared,
    again: bool,
}

impl Turn<'_> {
    /// Subject and workload.
    fn names(&self) -> (String, String) {
        (self.subject.name.clone(), self.workload.record.workload.clone())
    }

    /// What tells its samples from all others.
    fn key(&self, round: u32, verified: bool) -> (String, String, u32, bool, bool) {
        let (subject, workload) = self.names();
        (subject, workload, round, self.again, verified)
    }

    fn request(&self, touch: Touch, task: Task, round: u32) -> Request<'_> {
        let Turn { subject, workload, again } = *self;
        Request { subject, workload, touch, task, round, again }
    }
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

/// As many of `jobs` as main memory holds, where each needs [`ROOM`] times `live` bytes; at least one.
fn within_memory(jobs: usize, memory_bytes: u64, live_bytes: u64) -> usize {
    let held = memory_bytes / ROOM.saturating_mul(live_bytes.max(1));
    jobs.min(usize::try_from(held).unwrap_or(usize::MAX)).max(1)
}

fn cannot_start(error: std::io::Error) -> Failure {
    Failure::io("cannot start a child process", error)
}

impl<'a> Session<'a> {
    /// A session that has taken no sample and keeps its records in memory.
    pub(crate) fn new(
        conditions: Conditions<'a>,
        subjects: &'a [Subject],
        workloads: Vec<&'a Prepared>,
        baseline: &'a str,
    ) -> Self {
        Self {
            conditions,
            subjects,
            workloads,
            baseline,
            sink: Sink::Memory(Vec::new()),
            taken: Taken::default(),
            failures: 0,
            measuring: Duration::ZERO,
            taking: Duration::ZERO,
            retaking: Duration::ZERO,
        }
    }

    /// The session, its records going to `sink`, without the samples that are `taken` already.
    /// Failures among those count again: a cell that failed is not sampled twice.
    pub(crate) fn resumed(self, sink: Sink, taken: Taken) -> Self {
        Self { sink, failures: taken.failures(), taken, ..self }
    }

    /// Does `work` with other cells: its records, failures and time are this session's.
    ///
    /// # Errors
    /// What `work` answers.
    pub(crate) fn on<'b>(
        &mut self,
        subjects: &'b [Subject],
        workloads: Vec<&'b Prepared>,
        work: impl FnOnce(&mut Session<'b>) -> Result<(), Failure>,
    ) -> Result<(), Failure>
    where
        'a: 'b,
    {
        let mut inner = Session {
            sink: std::mem::replace(&mut self.sink, Sink::Memory(Vec::new())),
            taken: std::mem::take(&mut self.taken),
            failures: self.failures,
            measuring: self.measuring,
            ..Session::new(self.conditions, subjects, workloads, self.baseline)
        };
        let outcome = work(&mut inner);
        let Session { sink, taken, failures, measuring, .. } = inner;
        (self.sink, self.taken) = (sink, taken);
        (self.failures, self.measuring) = (failures, measuring);
        outcome
    }

    /// Cells side by side: so many per processor, and no more than main memory holds.
    pub(crate) fn jobs(&self, per_processor: usize) -> usize {
        let live = self.workloads.iter().map(|one| one.shape.live_peak_bytes).max().unwrap_or(0);
        within_memory(processors() * per_processor, host::memory_limit(), live)
    }

    /// Replays every cell once with everything checked, as many at a time as there are processors.
    ///
    /// # Errors
    /// When no child can be started or a record cannot be written.
    pub(crate) fn verify(&mut self) -> Result<(), Failure> {
        let mut turns = self.turns(false);
        turns.retain(|turn| !self.taken.samples.contains(&turn.key(0, true)));
        let Conditions { interrupt, voice, .. } = self.conditions;
        voice.phase("Verifying", turns.len() as u64);
        let (begin, first) = (Instant::now(), self.taken.next_seq);
        let conditions = self.conditions;
        let work = |at, turn: &Turn<'_>| {
            measure::sample(
                &turn.request(conditions.touch, Task::Verify, 0),
                first + at as u64,
                conditions.limits,
                interrupt,
            )
            .map_err(cannot_start)
        };
        let outcome = side_by_side(&turns, self.jobs(1), interrupt, work, |_, sample| {
            voice.step(format!("{}: {}", sample.workload, sample.subject));
            self.keep(sample)
        });
        self.taken.next_seq = first + turns.len() as u64;
        self.measuring += begin.elapsed();
        voice.end_phase();
        outcome
    }

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
            for turn in turns {
                self.take(turn, round, pace.task)?;
            }
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
            for turn in pair {
                self.take(turn, round, pace.task)?;
            }
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

    /// All cells, and the baseline's second samples when the floor is wanted.
    fn turns(&self, with_again: bool) -> Vec<Turn<'a>> {
        let mut turns = Vec::new();
        for &workload in &self.workloads {
            for subject in self.subjects {
                if self.has_failed(&subject.name, &workload.record.workload) {
                    continue;
                }
                turns.push(Turn { subject, workload, again: false });
                if with_again && subject.name == self.baseline {
                    turns.push(Turn { subject, workload, again: true });
                }
            }
        }
        turns
    }

    /// Whether the cell is not sampled again.
    pub(crate) fn has_failed(&self, subject: &str, workload: &str) -> bool {
        self.taken.failed.iter().any(|failed| failed.0 == subject && failed.1 == workload)
    }

    fn take(&mut self, turn: Turn<'a>, round: u32, task: Task) -> Result<(), Failure> {
        let Conditions { touch, limits, interrupt, voice, .. } = self.conditions;
        let (subject, workload) = turn.names();
        voice.step(format!("{workload}: {subject}"));
        if interrupt.requested()
            || self.taken.samples.contains(&turn.key(round, false))
            || self.has_failed(&subject, &workload)
        {
            return Ok(());
        }
        let request = turn.request(touch, task, round);
        let mut tried = Vec::new();
        loop {
            let begin = Instant::now();
            let sample = measure::sample(&request, self.taken.next_seq, limits, interrupt)
                .map_err(cannot_start)?;
            let took = begin.elapsed();
            self.measuring += took;
            self.taking += took;
            self.taken.next_seq += 1;
            let Some(share) = sample.calm_share else {
                // Where nothing tells calm, one is enough. One that was broken off in place of another
                // says nothing; one that went wrong is a result beside the other.
                if sample.status == Status::Interrupted && !tried.is_empty() {
                    break;
                }
                self.keep_calmest(tried)?;
                return self.keep(sample);
            };
            tried.push(sample);
            // Where calm never comes, most of the time still goes into samples that count.
            let is_patient = tried.len() <= MOST_RETAKES && self.retaking < self.taking / 2;
            if share >= CALM_SHARE || !is_patient || interrupt.requested() {
                break;
            }
            self.retaking += took;
        }
        self.keep_calmest(tried)
    }

    fn keep_calmest(&mut self, tried: Vec<Sample>) -> Result<(), Failure> {
        calmest(tried).map_or(Ok(()), |sample| self.keep(sample))
    }

    fn keep(&mut self, mut sample: Sample) -> Result<(), Failure> {
        if sample.status.is_failure() {
            // A failure is the subject's own, whatever the sample was taken for.
            sample.again = false;
        }
        if sample.status != Status::Interrupted {
            self.taken.note(&sample);
        }
        let message = sample.message.as_deref();
        self.judge(&sample.subject, &sample.workload, sample.status, message);
        self.sink.put(Record::Sample(sample))
    }

    fn judge(&mut self, subject: &str, workload: &str, status: Status, message: Option<&str>) {
        if status.is_failure() && status != Status::Interrupted {
            self.failures += 1;
            let status = status.word();
            let message = message.unwrap_or("no reason given");
            self.conditions.voice.say(format!("{subject} on {workload}: {status}: {message}"));
        }
    }
}

/// The subject record of `subject`.
pub(crate) fn subject_record(subject: &Subject) -> reports::record::Subject {
    let library = subject.preload().and_then(|path| path.file_name());
    reports::record::Subject {
        subject: subject.name.clone(),
        role: subject.role,
        call: subject.call,
        version: subject.version(),
        library: library
            .map_or_else(|| "linked".to_owned(), |name| name.to_string_lossy().into_owned()),
        sha256: subject.preload().and_then(|path| sha256(path).ok()),
        alignment_bytes: subject.alignment as u64,
        remark: subject.remark.clone(),
    }
}

/// SHA-256 of a file, hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn sha256(path: &std::path::Path) -> std::io::Result<String> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let mut file = std::fs::File::open(path)?;
    let mut buffer = [0; 64 << 10];
    loop {
        let len = std::io::Read::read(&mut file, &mut buffer)?;
        if len == 0 {
            break;
        }
        hash.update(&buffer[..len]);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
        assert_eq!(of(&[0.0, 0.0]).unwrap().1, [0.0]);
        assert_eq!(of(&[1.0]), Some((0, vec![])));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn no_more_cells_run_side_by_side_than_memory_holds() {
        const GIB: u64 = 1 << 30;
        assert_eq!(within_memory(12, 16 * GIB, 6 << 20), 12);
        assert_eq!(within_memory(12, 16 * GIB, GIB), 2);
        assert_eq!(within_memory(12, 16 * GIB, 100 * GIB), 1);
        assert_eq!(within_memory(12, 0, 0), 1);
        assert_eq!(within_memory(12, GIB, u64::MAX), 1);
    }
}
