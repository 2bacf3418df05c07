//! A run of the lab: rounds of children in random order, and the records they leave.
//!
//! * **O4** Within a round cells are taken in random order; a cell that failed or is not supported
//!   is not taken again.
//! * **O5** After an interrupt no child is started.

use std::collections::HashSet;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use reports::record::{Metric, Ownership, Record, Status, Unmeasured};

use super::callgrind;
use super::child::{self, Answer, Figure, Job, Task};
use super::strategy::{MAPPED_ARENAS, Strategy};
use super::terrain::Pattern;
use crate::child::outcome;
use crate::child::spawn::{self, Ending, Finished, Limits};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::session::Sink;
use crate::talk::Voice;

/// Addresses of a row where instructions are counted.
const COUNTED_QUERIES: usize = 4096;
/// How much more time a child is given under callgrind.
const CALLGRIND_TIMES: u32 = 4;

/// What is measured, and how long.
pub(crate) struct Extent {
    pub(crate) strategies: Vec<Strategy>,
    pub(crate) arenas: Vec<u64>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) miss_shares: Vec<f64>,
    /// Addresses of a row.
    pub(crate) queries: usize,
    /// Rounds at least, whatever the time, and at most.
    pub(crate) rounds: (u32, u32),
    /// No round begins after this time, beyond the least number.
    pub(crate) budget: Duration,
    /// Numbers of arenas at which instructions are counted.
    pub(crate) counted_arenas: Vec<u64>,
    pub(crate) seed: u64,
}

/// A run of the lab in progress.
pub(crate) struct Lab<'a> {
    pub(crate) extent: &'a Extent,
    pub(crate) limits: Limits,
    pub(crate) voice: &'a Voice,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) sink: &'a mut Sink,
    /// All records so far.
    pub(crate) taken: Vec<Ownership>,
}

/// A strategy over so many arenas, asked in one order.
#[derive(Clone, Copy)]
struct Cell {
    strategy: Strategy,
    arenas: u64,
    pattern: Pattern,
}

impl Cell {
    fn key(&self) -> (&'static str, u64, &'static str) {
        (self.strategy.name, self.arenas, self.pattern.name())
    }
}

impl Lab<'_> {
    /// Takes all rounds.
    ///
    /// # Errors
    /// When no child can be started or a record cannot be written.
    pub(crate) fn measure(&mut self) -> Result<(), Failure> {
        let begin = Instant::now();
        let extent = self.extent;
        let (least, most) = extent.rounds;
        let mut order = ChaCha8Rng::seed_from_u64(extent.seed);
        let mut cells = cells(extent);
        let mut over = HashSet::new();
        self.voice.phase("Asking", cells.len() as u64 * u64::from(most));
        for round in 0..most {
            if round >= least && begin.elapsed() >= extent.budget {
                break;
            }
            cells.shuffle(&mut order);
            for cell in &cells {
                if self.interrupt.requested() || over.contains(&cell.key()) {
                    continue;
                }
                self.voice.step(format!("{}: {} arenas", cell.strategy.name, cell.arenas));
                if !self.take(*cell, round)? {
                    over.insert(cell.key());
                }
            }
        }
        self.voice.end_phase();
        Ok(())
    }

    /// Takes one cell once; whether it went well.
    fn take(&mut self, cell: Cell, round: u32) -> Result<bool, Failure> {
        let bare = self.bare(cell, round);
        if let (true, Some(why)) = (bare.made_up, cell.strategy.without_made_up) {
            self.put(failed(bare, Status::Unsupported, why.to_owned()))?;
            return Ok(false);
        }
        let job = self.job(cell, round, self.extent.queries, Task::Time);
        let command = command(&job).map_err(cannot_start)?;
        let finished = spawn::run(command, self.limits, self.interrupt).map_err(cannot_start)?;
        match judge(&finished) {
            Ok(figures) => {
                for figure in figures {
                    let Figure { miss_share, metric, ns_per_query, ns_per_query_floor } = figure;
                    self.put(Ownership {
                        miss_share: Some(miss_share),
                        metric: Some(metric),
                        queries: Some(job.queries as u64),
                        ns_per_query: Some(ns_per_query),
                        ns_per_query_floor: Some(ns_per_query_floor),
                        ..bare.clone()
                    })?;
                }
                Ok(true)
            }
            Err((status, what)) => {
                self.put(failed(bare, status, what))?;
                Ok(false)
            }
        }
    }

    /// Counts instructions of every strategy, or says why they are not counted.
    ///
    /// # Errors
    /// As [`Lab::measure`].
    pub(crate) fn count(&mut self, valgrind: Option<&str>) -> Result<(), Failure> {
        let reason = match valgrind {
            None => Some(("Valgrind is not installed", Some("apt-get install valgrind"))),
            Some(_) if !callgrind::IS_SUPPORTED => {
                Some(("Valgrind's requests are known for x86-64 only", None))
            }
            Some(_) => None,
        };
        if let Some((reason, remedy)) = reason {
            self.voice.say(format!("Instructions are not counted: {reason}"));
            return self.sink.put(Record::Unmeasured(Unmeasured {
                measure: "ownership-instructions".to_owned(),
                reason: reason.to_owned(),
                remedy: remedy.map(str::to_owned),
            }));
        }
        let counted = |cell: &Cell| {
            cell.pattern == Pattern::Random
                && self.extent.counted_arenas.contains(&cell.arenas)
                && !(cell.arenas > MAPPED_ARENAS && cell.strategy.without_made_up.is_some())
        };
        let cells: Vec<Cell> = cells(self.extent).into_iter().filter(counted).collect();
        self.voice.phase("Counting instructions", cells.len() as u64);
        for cell in cells {
            if self.interrupt.requested() {
                break;
            }
            self.voice.step(format!("{}: {} arenas", cell.strategy.name, cell.arenas));
            self.count_cell(cell)?;
        }
        self.voice.end_phase();
        Ok(())
    }

    fn count_cell(&mut self, cell: Cell) -> Result<(), Failure> {
        let bare = self.bare(cell, 0);
        let job = self.job(cell, 0, COUNTED_QUERIES, Task::Count);
        let folder = tempfile::tempdir().map_err(cannot_start)?;
        let output = folder.path().join("counts");
        let child = command(&job).map_err(cannot_start)?;
        let mut command = Command::new("valgrind");
        command.args(callgrind::ARGUMENTS);
        command.arg(format!("--callgrind-out-file={}", output.display()));
        command.arg(child.get_program()).args(child.get_args());
        let limits = Limits { timeout: self.limits.timeout * CALLGRIND_TIMES, ..self.limits };
        let finished = spawn::run(command, limits, self.interrupt).map_err(cannot_start)?;
        if let Err((status, what)) = judge(&finished) {
            return self.put(failed(bare, status, what));
        }
        let totals =
            callgrind::totals(&output).map_err(|error| Failure::io("callgrind's counts", error))?;
        for &miss_share in &job.miss_shares {
            for metric in Metric::ALL {
                let per_query = |is_floor| {
                    let total = totals.get(&callgrind::label(miss_share, metric, is_floor))?;
                    Some(*total as f64 / job.queries as f64)
                };
                self.put(Ownership {
                    miss_share: Some(miss_share),
                    metric: Some(metric),
                    queries: Some(job.queries as u64),
                    instructions_per_query: per_query(false),
                    instructions_per_query_floor: per_query(true),
                    ..bare.clone()
                })?;
            }
        }
        Ok(())
    }

    fn job(&self, cell: Cell, round: u32, queries: usize, task: Task) -> Job {
        Job {
            strategy: cell.strategy.name.to_owned(),
            arenas: cell.arenas,
            pattern: cell.pattern,
            miss_shares: self.extent.miss_shares.clone(),
            queries,
            // Every strategy gets the same draws in a round, and other ones in the next.
            seed: self.extent.seed.wrapping_add(u64::from(round)),
            task,
        }
    }

    /// A record of the cell that says nothing yet.
    fn bare(&self, cell: Cell, round: u32) -> Ownership {
        Ownership {
            strategy: cell.strategy.name.to_owned(),
            arenas: cell.arenas,
            pattern: cell.pattern.name().to_owned(),
            seq: self.taken.len() as u64,
            round,
            made_up: cell.arenas > MAPPED_ARENAS,
            status: Status::Ok,
            message: None,
            miss_share: None,
            metric: None,
            queries: None,
            ns_per_query: None,
            ns_per_query_floor: None,
            instructions_per_query: None,
            instructions_per_query_floor: None,
        }
    }

    fn put(&mut self, record: Ownership) -> Result<(), Failure> {
        if record.status.is_failure() && record.status != Status::Interrupted {
            self.voice.say(format!(
                "{} with {} arenas: {}: {}",
                record.strategy,
                record.arenas,
                record.status.word(),
                record.message.as_deref().unwrap_or("no reason given")
            ));
        }
        self.taken.push(record.clone());
        self.sink.put(Record::Ownership(record))
    }
}

fn cells(extent: &Extent) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &strategy in &extent.strategies {
        for &arenas in &extent.arenas {
            let patterns = extent.patterns.iter();
            cells.extend(patterns.map(|&pattern| Cell { strategy, arenas, pattern }));
        }
    }
    cells
}

fn command(job: &Job) -> io::Result<Command> {
    let job = serde_json::to_string(job).map_err(io::Error::other)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([child::ARGUMENT, &job]);
    Ok(command)
}

fn cannot_start(error: io::Error) -> Failure {
    Failure::io("cannot start a child process", error)
}

fn failed(bare: Ownership, status: Status, what: String) -> Ownership {
    Ownership { status, message: Some(what), ..bare }
}

/// The figures of a child that ended well, or how it ended.
fn judge(finished: &Finished) -> Result<Vec<Figure>, (Status, String)> {
    let last_words =
        |what: String| outcome::with_last_words(what, &String::from_utf8_lossy(&finished.stderr));
    let code = match finished.ending {
        Ending::Timeout => return Err((Status::Timeout, "killed at its time limit".to_owned())),
        Ending::Oom => return Err((Status::Oom, "killed at its memory limit".to_owned())),
        Ending::Interrupted => return Err((Status::Interrupted, "interrupted".to_owned())),
        Ending::Signal(signal) => {
            let what = format!("killed by {}", outcome::signal_name(signal));
            return Err((Status::Signal, last_words(what)));
        }
        Ending::Exit(code) => code,
    };
    match serde_json::from_slice(&finished.answer) {
        Ok(Answer::Mismatch(what)) => Err((Status::Mismatch, what)),
        Ok(Answer::Oom(what)) => Err((Status::Oom, what)),
        Ok(Answer::Failed(what)) => Err((Status::Exit, what)),
        Ok(Answer::Done(figures)) if code == 0 => Ok(figures),
        Ok(Answer::Done(_)) | Err(_) => {
            Err((Status::Exit, last_words(format!("ended with exit code {code}"))))
        }
    }
}
