//! One cell: the child without Valgrind, the same child under it, and the record of both.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reports::record::{Memcheck, Status};

use super::operation;
use super::variant::{Requests, Stripped, Symbols, Variant};
use super::{Options, xml};
use crate::child::outcome::{self, signal_name, with_last_words};
use crate::child::spawn::{self, Ending, Finished, Limits};
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};
use crate::preload::Preload;
use crate::program::launch::{self, Ended, Job, Launched};
use crate::program::subject::Server;
use crate::program::{Program, proof};
use crate::subject::Subject;

/// What a cell runs.
#[derive(Clone, Copy)]
pub(crate) enum Load<'a> {
    /// A workload is replayed.
    Replay(Request<'a>),
    /// A program runs as it is.
    Program(&'a Program, &'a Server),
}

/// One subject on one load, in one variant.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) load: Load<'a>,
    pub(crate) variant: Variant,
}

/// What all cells share.
pub(crate) struct Tool<'a> {
    pub(crate) options: &'a Options,
    /// Bounds on a child without Valgrind.
    pub(crate) limits: Limits,
    pub(crate) interrupt: &'a Interrupt,
    /// Copies without symbols, or why there are none; made when a variant wants them.
    pub(crate) stripped: Option<Result<Stripped, String>>,
}

/// The child of a cell.
struct Target {
    command: Vec<OsString>,
    preload: Option<Preload>,
}

impl Cell<'_> {
    /// Names of the subject and of what it serves, as records have them.
    pub(crate) fn names(&self) -> (&str, &str) {
        match self.load {
            Load::Replay(request) => (&request.subject.name, &request.workload.record.workload),
            Load::Program(program, server) => (&server.name, &program.name),
        }
    }

    /// Why the cell cannot be run.
    fn refusal(&self) -> Option<(Status, String)> {
        match self.load {
            Load::Replay(request) => {
                match (request.subject.without_valgrind, request.subject.missing()) {
                    (Some(why), _) => Some((Status::Unsupported, why.to_owned())),
                    (None, Some(reason)) => Some((Status::Missing, reason)),
                    (None, None) => None,
                }
            }
            Load::Program(_, server) => {
                server.missing.clone().map(|reason| (Status::Missing, reason))
            }
        }
    }

    fn record(&self, version: &str) -> Memcheck {
        let (subject, workload) = self.names();
        let (ownership, touch, program) = match self.load {
            Load::Replay(request) => {
                (request.subject.ownership(), request.touch.to_string(), false)
            }
            // A library's strategy goes by its name; others have none that is known.
            Load::Program(_, server) => {
                let known = Subject::parse(&server.name).ok();
                (known.and_then(|subject| subject.ownership()), "none".to_owned(), true)
            }
        };
        Memcheck {
            subject: subject.to_owned(),
            workload: workload.to_owned(),
            symbols: self.variant.symbols.name().to_owned(),
            requests: self.variant.requests.name().to_owned(),
            status: Status::Ok,
            message: None,
            ownership: ownership.map(str::to_owned),
            touch,
            program,
            exit_code: None,
            library: None,
            operations: None,
            errors: None,
            errors_suppressed: None,
            contexts: None,
            errors_by_kind: Default::default(),
            errors_by_operation: Default::default(),
            suppressed_by_entry: Default::default(),
            leaks: None,
            places: Vec::new(),
            cpu_ratio: None,
            rss_ratio: None,
            valgrind: Some(version.to_owned()),
        }
    }

    /// Gives a launcher the environment that the child is to have, the library apart.
    fn environment(&self, command: &mut Command) {
        match self.load {
            Load::Replay(_) => measure::variables(command),
            Load::Program(program, server) => proof::environment(command, program, server),
        }
        if self.variant.requests == Requests::Off {
            command.env("ARENITE_VALGRIND", "0");
        }
    }
}

impl Tool<'_> {
    /// Runs the cell.
    ///
    /// # Errors
    /// When a child cannot be started or Valgrind's report cannot be kept.
    pub(crate) fn count(&self, cell: &Cell<'_>) -> io::Result<Memcheck> {
        let mut record = cell.record(&self.options.version);
        let stripped = match (cell.variant.symbols, &self.stripped) {
            (Symbols::Stripped, Some(Ok(copies))) => Ok(Some(copies)),
            (Symbols::Stripped, Some(Err(why))) => Err((Status::Missing, why.clone())),
            _ => Ok(None),
        };
        let stripped = match (cell.refusal(), stripped) {
            (Some(refusal), _) | (None, Err(refusal)) => {
                (record.status, record.message) = (refusal.0, Some(refusal.1));
                return Ok(record);
            }
            (None, Ok(stripped)) => stripped,
        };
        if let Load::Program(program, server) = cell.load {
            let proven = proof::prove(program, server, self.limits, self.interrupt)?;
            if !matches!(proven.status, Status::Ok | Status::Exit | Status::Signal) {
                (record.status, record.message) = (proven.status, proven.message);
                return Ok(record);
            }
            (record.library, record.exit_code) = (proven.library, proven.exit_code);
        }
        let target = target(cell, stripped)?;
        let plain = if self.options.costs { self.plain(cell, &target)? } else { None };
        let report =
            tempfile::Builder::new().prefix("arenabench-memcheck-").suffix(".xml").tempfile()?;
        let valgrind = self.options.command(cell.variant, report.path());
        let limits = Limits { timeout: self.limits.timeout * super::TIMES, ..self.limits };
        let watched = match self.launch(cell, &target, valgrind, limits)? {
            Launched::Ended(ended) => ended,
            Launched::Stopped { status, message, .. } => {
                (record.status, record.message) = (status, Some(message));
                return Ok(record);
            }
        };
        let worth_counting = judge(cell, &mut record, &watched);
        if worth_counting {
            self.fill(cell, &mut record, report.path())?;
        }
        // A program that died by itself ran for another time.
        let compares = |plain: &Ended| plain.signal.is_none() && record.errors.is_some();
        if let Some(plain) = plain.filter(compares) {
            let ratio =
                |watched: u64, plain: u64| (plain > 0).then(|| watched as f64 / plain as f64);
            record.cpu_ratio = ratio(cpu_ns(&watched), cpu_ns(&plain));
            let peaks = watched.rss_peak_bytes.zip(plain.rss_peak_bytes);
            record.rss_ratio = peaks.and_then(|(watched, plain)| ratio(watched, plain));
        }
        Ok(record)
    }

    /// Runs the child of a cell without Valgrind, a short one several times: the run of least processor
    /// time. `None` when one did not end by itself.
    fn plain(&self, cell: &Cell<'_>, target: &Target) -> io::Result<Option<Ended>> {
        let mut least: Option<Ended> = None;
        let begin = Instant::now();
        for _ in 0..PLAIN_RUNS {
            let Launched::Ended(one) = self.launch(cell, target, Vec::new(), self.limits)? else {
                return Ok(None);
            };
            if least.as_ref().is_none_or(|least| cpu_ns(&one) < cpu_ns(least)) {
                least = Some(*one);
            }
            if begin.elapsed() > PLAIN_TIME {
                break;
            }
        }
        Ok(least)
    }

    /// Runs the child of a cell, `tool` in front of it.
    fn launch(
        &self,
        cell: &Cell<'_>,
        target: &Target,
        tool: Vec<OsString>,
        limits: Limits,
    ) -> io::Result<Launched> {
        let job = Job {
            preload: target.preload.as_ref().map(|preload| preload.path().to_owned()),
            notes: None,
            memory_bytes: limits.memory_bytes,
            sample: matches!(cell.load, Load::Replay(_)),
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(launch::ARGUMENT).arg(serde_json::to_string(&job).map_err(io::Error::other)?);
        command.args(tool).args(&target.command);
        cell.environment(&mut command);
        // The launcher watches the child's memory; its own is bounded by what it keeps.
        let limits = Limits { memory_bytes: u64::MAX, ..limits };
        launch::read(&spawn::run(command, limits, self.interrupt)?)
    }

    /// Puts what Valgrind reported into the record (V2).
    fn fill(&self, cell: &Cell<'_>, record: &mut Memcheck, report: &Path) -> io::Result<()> {
        let operation = match cell.load {
            Load::Replay(_) => operation::of_replay,
            Load::Program(..) => operation::of_program,
        };
        // Names of functions and files may be of any encoding.
        let bytes = std::fs::read(report)?;
        match xml::parse(&String::from_utf8_lossy(&bytes), operation) {
            Ok(report) => {
                if let Load::Replay(request) = cell.load {
                    let shape = &request.workload.shape;
                    record.operations = Some(shape.base_calls + shape.calls + shape.drain_calls);
                }
                record.errors = Some(report.errors);
                record.errors_suppressed = Some(report.suppressed);
                record.contexts = Some(report.contexts);
                record.errors_by_kind = report.by_kind;
                record.errors_by_operation = report.by_operation;
                record.suppressed_by_entry = report.by_suppression;
                record.leaks = self.options.leak_check.then_some(report.leaks);
                record.places = report.places;
            }
            Err(error) if record.status == Status::Ok => {
                record.status = Status::Exit;
                let why = match record.program {
                    true => " (a program that turns itself into another is not followed)",
                    false => "",
                };
                record.message = Some(format!("Valgrind's report is unreadable: {error}{why}"));
            }
            Err(_) => {}
        }
        Ok(())
    }
}

/// Runs without Valgrind that a cell is compared with, while they take no longer than that.
const PLAIN_RUNS: u32 = 3;
const PLAIN_TIME: Duration = Duration::from_secs(1);

fn cpu_ns(ended: &Ended) -> u64 {
    ended.user_ns + ended.system_ns
}

/// The child of a cell, from the copies without symbols where they are given.
fn target(cell: &Cell<'_>, stripped: Option<&Stripped>) -> io::Result<Target> {
    let copied = |file: &Path| stripped.map_or_else(|| file.to_owned(), |copies| copies.of(file));
    let (command, library) = match cell.load {
        Load::Replay(request) => {
            let [program, argument, job] = measure::child_arguments(&request)?;
            let program = copied(Path::new(&program)).into_os_string();
            (vec![program, argument, job], request.subject.preload())
        }
        Load::Program(program, server) => (program.command.clone(), server.library()),
    };
    let preload = library.map(|library| Preload::of(&copied(library))).transpose()?;
    Ok(Target { command, preload })
}

/// Sets how the child ended under Valgrind; tells whether its report says anything.
fn judge(cell: &Cell<'_>, record: &mut Memcheck, ended: &Ended) -> bool {
    let Load::Replay(request) = cell.load else { return judge_program(record, ended) };
    let ending = match (ended.code, ended.signal) {
        (_, Some(signal)) => Ending::Signal(signal),
        (code, None) => Ending::Exit(code.unwrap_or(-1)),
    };
    let finished = Finished {
        ending,
        answer: ended.answer.clone().into_bytes(),
        stderr: ended.stderr.end.clone().into_bytes(),
    };
    let verdict = outcome::judge(&finished, request.workload.shape.calls);
    (record.status, record.message) = (verdict.status, verdict.message);
    verdict.found.is_some()
}

/// A program may end with any exit code, as long as it is the one that it ends with by itself. What
/// was reported up to a signal is a result as well.
fn judge_program(record: &mut Memcheck, ended: &Ended) -> bool {
    let said = |what: String| Some(with_last_words(what, &ended.stderr.end));
    match (ended.code, ended.signal) {
        (_, Some(signal)) => {
            record.status = Status::Signal;
            record.message = said(format!("killed by {}", signal_name(signal)));
        }
        // What died by itself and is kept alive by memcheck's own malloc, or by checks that report
        // and go on, has been watched to its end: nothing failed.
        (_, None) if record.exit_code.is_none() => {}
        (code, None) if code != record.exit_code => {
            record.status = Status::Exit;
            let code = code.unwrap_or(-1);
            record.message = said(format!("ended with exit code {code}, but not without Valgrind"));
        }
        _ => {}
    }
    record.exit_code = ended.code;
    true
}
