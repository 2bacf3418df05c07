//! The part of `arenabench program` that tells what a replay is worth: every program is recorded
//! once, and the recording replayed under the subjects that served the program.
//!
//! * P1: a recording is made by the program's own command in the runs' environment, and has the
//!   program's name as a workload; the report finds the two by it.
//! * P2: replays are on one thread, whatever the program did: their time is then processor time, as
//!   the program's is.
//! * P3: a trace stands beside the records, for a run that goes on and for whoever wants to replay
//!   it. It gets its name only when it is whole.
//! * P4: what cannot be recorded is a record that says so, and the other programs go on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reports::record::{Record, Recording, Source, Unmeasured};
use reports::results::Results;

use crate::child::job::Task;
use crate::exit::Failure;
use crate::program::Program;
use crate::program::run::PYTHON_ENVIRONMENT;
use crate::program::session::Outcome;
use crate::program::subject::Server;
use crate::recording::{self, Request};
use crate::replay::mode::Mode;
use crate::session::{Conditions, Pace, Session, Sink, Taken};
use crate::subject::Subject;
use crate::workload::{self, Prepared};

/// Passes of each replay after its first.
const PASSES: u32 = 3;

/// What is to be replayed, and how.
pub(super) struct Replays<'a> {
    pub(super) programs: &'a [Program],
    /// Whether a Python interpreter runs the programs.
    pub(super) python: bool,
    pub(super) baseline: &'a str,
    pub(super) rounds: u32,
    pub(super) conditions: Conditions<'a>,
    /// Folder of the results, where traces are kept.
    pub(super) folder: Option<&'a Path>,
    pub(super) earlier: Option<&'a Results>,
}

/// The subjects among `servers` that can serve a replay as they serve a program: all but the
/// interpreter's own allocator, which is no library, and heaps of the library to choose from.
pub(super) fn subjects(servers: &[Server]) -> Vec<Subject> {
    servers.iter().filter_map(Server::in_replays).collect()
}

impl Replays<'_> {
    /// Records and replays every program whose baseline did not fail.
    ///
    /// # Errors
    /// When no child can be started or a record cannot be written.
    pub(super) fn run(&self, servers: &[Server], finished: &mut Outcome) -> Result<(), Failure> {
        let subjects = subjects(servers);
        let spare =
            tempfile::tempdir().map_err(|error| Failure::io("a temporary folder", error))?;
        let folder = self.folder.unwrap_or(spare.path());
        let mut taken =
            self.earlier.map_or_else(Taken::default, |earlier| Taken::of(&earlier.samples, &[]));
        for program in self.programs {
            if self.conditions.interrupt.requested() {
                break;
            }
            if finished.failed.contains(&(program.name.clone(), self.baseline.to_owned())) {
                continue;
            }
            let Some(prepared) = self.prepare(program, folder, &mut finished.sink)? else {
                continue;
            };
            let sink = std::mem::replace(&mut finished.sink, Sink::Memory(Vec::new()));
            let failures = taken.failures();
            let mut session =
                Session::new(self.conditions, &subjects, vec![&prepared], self.baseline)
                    .resumed(sink, taken);
            let outcome =
                session.measure(&Pace::of_rounds(self.rounds, Task::Measure { passes: PASSES }));
            finished.failures += (session.failures - failures) as usize;
            finished.measuring += session.measuring;
            finished.sink = session.sink;
            taken = session.taken;
            outcome?;
        }
        Ok(())
    }

    /// The program's recording, ready to be replayed; `None` when there is none, which is noted.
    fn prepare(
        &self,
        program: &Program,
        folder: &Path,
        sink: &mut Sink,
    ) -> Result<Option<Prepared>, Failure> {
        let trace = folder.join(format!("{}.trace", file_stem(&program.name)));
        let known = self.earlier.and_then(|earlier| {
            earlier.workloads.iter().find(|workload| workload.workload == program.name)
        });
        if known.is_none() || !trace.exists() {
            match self.record(program, &trace) {
                Ok(Some(recording)) => sink.put(Record::Recording(recording))?,
                Ok(None) => return Ok(None),
                Err(failure) => {
                    let reason = format!("{}: {:#}", program.name, failure.error);
                    self.conditions.voice.say(format!("not replayed: {reason}"));
                    let measure = "fidelity".to_owned();
                    sink.put(Record::Unmeasured(Unmeasured { measure, reason, remedy: None }))?;
                    return Ok(None);
                }
            }
        }
        let prepared = workload::from_file(&trace, program.name.clone(), Source::Recorded)?;
        let prepared = prepared.in_mode(Some(Mode::Serial))?;
        match known {
            Some(known) if *known != prepared.record => Err(Failure::usage(format!(
                "the recording of `{}` is not what it was when the run began",
                program.name
            ))),
            Some(_) => Ok(Some(prepared)),
            None => {
                sink.put(Record::Workload(prepared.record.clone()))?;
                Ok(Some(prepared))
            }
        }
    }

    /// Records the program to `trace`; `None` after an interrupt.
    fn record(&self, program: &Program, trace: &Path) -> Result<Option<Recording>, Failure> {
        let Conditions { voice, interrupt, .. } = self.conditions;
        voice.say(format!("Recording {}", program.name));
        let partial: PathBuf = trace.with_extension("partial");
        let recorded = recording::record(&Request {
            command: &program.command,
            environment: if self.python { &PYTHON_ENVIRONMENT } else { &[] },
            output: &partial,
            mark_size: None,
            interpreter: None,
            program: Some(program.shown.clone()),
            silent: true,
            others: false,
            linger: Duration::ZERO,
        });
        if interrupt.requested() {
            return Ok(None);
        }
        let recorded = recorded?;
        if !recorded.status.success() {
            return Err(Failure {
                code: crate::exit::INCOMPLETE,
                error: anyhow::anyhow!("ended with {} under the recorder", recorded.status),
            });
        }
        std::fs::rename(&partial, trace).map_err(|error| Failure::io(trace.display(), error))?;
        let own = &recorded.traces[0];
        Ok(Some(Recording {
            workload: program.name.clone(),
            program: program.shown.clone(),
            calls: own.summary.calls,
            trace_bytes: own.trace_bytes,
            bytes_per_operation: own.trace_bytes as f64 / own.totals.calls.total().max(1) as f64,
            recorded_wall_ns: Vec::new(),
            plain_wall_ns: Vec::new(),
        }))
    }
}

/// A program's name as a file's: that of a command line may hold anything.
fn file_stem(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if name.chars().all(is_plain) { name.to_owned() } else { "program".to_owned() }
}
