//! All runs of a command: verified ones first, then timed rounds.
//!
//! * S1: a program is verified under the baseline twice, before any other subject: what the two runs
//!   wrote is what every other run must write, and if they differ the program cannot be compared.
//! * S2: a cell that failed is not run again, and no cell of a program whose baseline failed is
//!   timed: there is nothing to compare it with.
//! * S3: after an interrupt no run begins. Every finished run's record has gone to the sink.
//! * S4: a session that goes on from an earlier one's records makes no run twice, and holds output
//!   against what the earlier one saw first.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{self, Record, Status};

use super::Program;
use super::run::{self, Request};
use super::subject::Server;
use crate::child::spawn::Limits;
use crate::cli::Compare;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::session::Sink;
use crate::talk::Voice;

/// Digests of what a program wrote: standard output and standard error.
type Output = (Option<String>, Option<String>);

/// What to run, and how.
pub(crate) struct Settings<'a> {
    pub(crate) programs: &'a [Program],
    /// The baseline is among them.
    pub(crate) servers: &'a [Server],
    pub(crate) baseline: &'a str,
    /// Whether a Python interpreter runs the programs.
    pub(crate) python: bool,
    pub(crate) compare: Compare,
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    pub(crate) limits: Limits,
}

/// Runs in progress.
pub(crate) struct Session<'a> {
    settings: Settings<'a>,
    voice: &'a Voice,
    interrupt: &'a Interrupt,
    sink: Sink,
    seq: u64,
    /// Cells that failed: program and subject.
    failed: HashSet<(String, String)>,
    /// Whether any output was not the baseline's.
    mismatch: bool,
    /// What each program must write.
    expected: HashMap<String, Output>,
    /// Runs that are made: program, subject, round, whether for the A/A twin, whether verified.
    taken: HashSet<(String, String, u32, bool, bool)>,
    measuring: Duration,
}

/// What came of a session.
pub(crate) struct Outcome {
    pub(crate) sink: Sink,
    /// Cells that failed: program and subject.
    pub(crate) failed: HashSet<(String, String)>,
    /// How many cells failed.
    pub(crate) failures: usize,
    /// Whether any output was not the baseline's.
    pub(crate) mismatch: bool,
    /// Time spent in runs.
    pub(crate) measuring: Duration,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        settings: Settings<'a>,
        voice: &'a Voice,
        interrupt: &'a Interrupt,
        sink: Sink,
    ) -> Self {
        Self {
            settings,
            voice,
            interrupt,
            sink,
            seq: 0,
            failed: HashSet::new(),
            mismatch: false,
            expected: HashMap::new(),
            taken: HashSet::new(),
            measuring: Duration::ZERO,
        }
    }

    /// The session, going on from what an earlier one has left (S4).
    pub(crate) fn resumed(mut self, earlier: &[record::Program]) -> Self {
        for run in earlier {
            self.seq = self.seq.max(run.seq + 1);
            if run.status == Status::Interrupted {
                continue;
            }
            let (program, subject) = (run.program.clone(), run.subject.clone());
            if run.status.is_failure() {
                self.mismatch |= run.status == Status::Mismatch;
                self.failed.insert((program.clone(), subject.clone()));
            } else if subject == self.settings.baseline && !self.expected.contains_key(&program) {
                self.expected.insert(program.clone(), self.output_of(run));
            }
            self.taken.insert((program, subject, run.round, run.again, run.verified));
        }
        self
    }

    /// Verifies every cell and takes the timed rounds.
    ///
    /// # Errors
    /// When a program cannot be started at all, or a record cannot be written.
    pub(crate) fn run(mut self) -> Result<Outcome, Failure> {
        self.verify()?;
        self.measure()?;
        Ok(Outcome {
            sink: self.sink,
            failures: self.failed.len(),
            failed: self.failed,
            mismatch: self.mismatch,
            measuring: self.measuring,
        })
    }

    /// The subjects, the baseline first.
    fn servers(&self) -> Vec<&'a Server> {
        let mut servers: Vec<_> = self.settings.servers.iter().collect();
        servers.sort_by_key(|server| server.name != self.settings.baseline);
        servers
    }

    fn verify(&mut self) -> Result<(), Failure> {
        let servers = self.servers();
        let programs = self.settings.programs;
        self.voice.phase("Verifying", (programs.len() * (servers.len() + 1)) as u64);
        self.note_missing(&servers)?;
        for program in programs {
            for server in &servers {
                self.take(program, server, 0, false, true)?;
                if server.name == self.settings.baseline {
                    self.take(program, server, 0, true, true)?;
                }
            }
        }
        self.voice.end_phase();
        Ok(())
    }

    /// Says once what each missing subject needs, and leaves a record for each of its cells.
    fn note_missing(&mut self, servers: &[&Server]) -> Result<(), Failure> {
        for server in servers {
            let Some(reason) = &server.missing else { continue };
            self.voice.say(format!("{}: {reason}", server.name));
            for program in self.settings.programs {
                if self.has_failed(&program.name, &server.name) {
                    continue;
                }
                let request = self.request(program, server, 0, false, true);
                let mut record = run::record(&request, self.seq);
                (record.status, record.message) = (Status::Missing, Some(reason.clone()));
                self.seq += 1;
                self.failed.insert((program.name.clone(), server.name.clone()));
                self.sink.put(Record::Program(record))?;
            }
        }
        Ok(())
    }

    fn measure(&mut self) -> Result<(), Failure> {
        let servers = self.servers();
        let programs = self.settings.programs;
        let mut order = ChaCha8Rng::seed_from_u64(self.settings.seed);
        let in_round = programs.len() * (servers.len() + 1);
        self.voice.phase("Measuring", in_round as u64 * u64::from(self.settings.rounds));
        for round in 0..self.settings.rounds {
            let mut programs: Vec<_> = programs.iter().collect();
            programs.shuffle(&mut order);
            for program in programs {
                let mut turns: Vec<_> = servers.iter().map(|server| (*server, false)).collect();
                turns.push((servers[0], true));
                turns.shuffle(&mut order);
                for (server, again) in turns {
                    self.take(program, server, round, again, false)?;
                }
            }
        }
        self.voice.end_phase();
        Ok(())
    }

    fn request<'r>(
        &self,
        program: &'r Program,
        server: &'r Server,
        round: u32,
        again: bool,
        verified: bool,
    ) -> Request<'r> {
        Request { program, server, python: self.settings.python, round, again, verified }
    }

    fn has_failed(&self, program: &str, server: &str) -> bool {
        self.failed.contains(&(program.to_owned(), server.to_owned()))
    }

    fn take(
        &mut self,
        program: &Program,
        server: &Server,
        round: u32,
        again: bool,
        verified: bool,
    ) -> Result<(), Failure> {
        self.voice.step(format!("{}: {}", program.name, server.name));
        let without_baseline = self.has_failed(&program.name, self.settings.baseline);
        let key = (program.name.clone(), server.name.clone(), round, again, verified);
        if self.interrupt.requested()
            || self.taken.contains(&key)
            || self.has_failed(&program.name, &server.name)
            || (without_baseline && !verified)
        {
            return Ok(());
        }
        let request = self.request(program, server, round, again, verified);
        let begin = Instant::now();
        let mut record = run::run(&request, self.seq, self.settings.limits, self.interrupt)
            .map_err(|error| Failure::io(&program.shown, error))?;
        self.measuring += begin.elapsed();
        self.seq += 1;
        if record.status == Status::Ok {
            self.compare(&mut record);
        }
        if record.status.is_failure() && record.status != Status::Interrupted {
            // A failure is the subject's own, whatever the run was made for.
            record.again = false;
            self.mismatch |= record.status == Status::Mismatch;
            self.failed.insert((program.name.clone(), server.name.clone()));
            let status = record.status.word();
            let message = record.message.as_deref().unwrap_or("no reason given");
            self.voice.say(format!("{} on {}: {status}: {message}", server.name, program.name));
        }
        self.sink.put(Record::Program(record))
    }

    /// What of a run's output counts.
    fn output_of(&self, run: &record::Program) -> Output {
        let stdout = run.stdout_sha256.clone();
        match self.settings.compare {
            Compare::All => (stdout, run.stderr_sha256.clone()),
            Compare::Stdout => (stdout, None),
            Compare::None => (None, None),
        }
    }

    /// Holds what a program wrote against what it must write (S1); the first output is that.
    fn compare(&mut self, record: &mut record::Program) {
        let output = self.output_of(record);
        let expected = match self.expected.get(&record.program) {
            Some(expected) => expected,
            None if record.subject == self.settings.baseline => {
                self.expected.insert(record.program.clone(), output);
                return;
            }
            // The baseline failed; there is nothing to compare with.
            None => return,
        };
        if *expected == output {
            return;
        }
        let stream = if expected.0 == output.0 { "standard error" } else { "standard output" };
        record.status = Status::Mismatch;
        record.message = Some(if record.subject == self.settings.baseline {
            format!(
                "{stream} differs from run to run under {}; compare less of it with --compare",
                record.subject
            )
        } else {
            format!("{stream} differs from that under {}", self.settings.baseline)
        });
        record.wall_ns = None;
        record.user_ns = None;
        record.system_ns = None;
        record.rss_peak_bytes = None;
        record.page_faults = None;
    }
}
