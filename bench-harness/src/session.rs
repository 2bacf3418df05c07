//! One run of many samples: the order they are taken in, the records they leave, when it stops.
//!
//! * S1: every finished sample is on disk before the next one begins; where nothing is timed and cells
//!   run side by side, as soon as it is finished. One that is to be taken again is not finished.
//! * S2: within a round the samples of all cells are taken in random order; a cell that has failed is
//!   not sampled again, since a failure is a result and time is short.
//! * S3: after an interrupt no child is started.
//!
//! `times` takes the timed samples, `retakes` says when one is taken again; `tails` takes the samples in
//! which calls are timed one by one, `counts` those whose instructions are counted, `counters` those
//! whose events the processor counts, `footprints` those whose memory shall repeat; `contracts`
//! tries the C contract, `detections` runs seeded bugs. What an earlier run has left is in `taken`.

mod contracts;
mod counters;
mod counts;
mod detections;
mod footprints;
mod memcheck;
mod memory;
mod retakes;
mod tails;
mod taken;
mod times;

pub(crate) use tails::TailsPace;
pub(crate) use taken::Taken;
pub(crate) use times::Pace;

use std::time::{Duration, Instant};

use reports::record::{Record, Sample, Status};
use reports::results::ResultsFile;

use crate::child::job::Task;
use crate::child::spawn::Limits;
use crate::cli::{Generation, Subjects};
use crate::exit::Failure;
use crate::host;
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};
use crate::replay::touch::Touch;
use crate::side_by_side::{processors, side_by_side};
use crate::subject::Subject;
use crate::talk::Voice;
use crate::workload::Prepared;

/// Memory of a child over the live bytes of its workload, at the worst.
const ROOM: u64 = 8;
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
        Request { subject, workload, touch, task, round, again, breaks_off: false }
    }
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
