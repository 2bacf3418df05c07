//! One run of a program: a launcher for it, and the record of how it went.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use reports::record::{self, Status};

use super::Program;
use super::bindings;
use super::launch::{self, Ended, Job, Launched};
use super::subject::Server;
use crate::child::outcome::{signal_name, with_last_words};
use crate::child::spawn::{self, Finished, Limits};
use crate::interrupt::Interrupt;
use crate::preload::Preload;

/// Beginnings of the names of variables that set allocators up. The program does not get them, so
/// that a figure does not depend on what happens to be set; `-- env NAME=VALUE CMD` sets one.
const ALLOCATOR_VARIABLES: [&str; 12] = [
    "ARENITE_",
    "GLIBC_TUNABLES",
    "JEMALLOC_",
    "LD_DEBUG",
    "LD_PRELOAD",
    "MALLOC_",
    "MIMALLOC_",
    "PYTHONMALLOC",
    "RPMALLOC_",
    "SNMALLOC_",
    "TBB_MALLOC_",
    "TCMALLOC_",
];

/// Variables that make every object of a Python program a call of `malloc`.
const PYTHON_VARIABLE: (&str, &str) = ("PYTHONMALLOC", "malloc");
/// Variables of every Python program: the same hashes and no files written in each run.
const PYTHON_SETTINGS: [(&str, &str); 2] =
    [("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];

/// What a Python program under a subject has in its environment, so that every object is a call of
/// `malloc`.
pub(crate) const PYTHON_ENVIRONMENT: [(&str, &str); 3] =
    [PYTHON_VARIABLE, PYTHON_SETTINGS[0], PYTHON_SETTINGS[1]];

/// Which run to make.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) program: &'a Program,
    pub(super) server: &'a Server,
    /// Whether the program is run by a Python interpreter.
    pub(super) python: bool,
    pub(super) round: u32,
    /// Whether the run stands for the baseline under another name.
    pub(super) again: bool,
    /// Whether the dynamic linker is asked who serves.
    pub(super) verified: bool,
}

/// Makes the run. The record does not say yet whether the output is the right one.
///
/// # Errors
/// When no launcher can be started, or the program cannot: that is no fault of a subject's.
pub(super) fn run(
    request: &Request<'_>,
    seq: u64,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<record::Program> {
    let notes = match request.verified {
        true => Some(tempfile::tempdir()?),
        false => None,
    };
    let preload = match request.server.library() {
        Some(library) => Some(Preload::of(library)?),
        None => None,
    };
    let job = Job {
        preload: preload.as_ref().map(|preload| preload.path().to_owned()),
        notes: notes.as_ref().map(|folder| folder.path().to_owned()),
        memory_bytes: limits.memory_bytes,
        sample: false,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(launch::ARGUMENT).arg(serde_json::to_string(&job).map_err(io::Error::other)?);
    command.args(&request.program.command);
    environment(&mut command, request);
    // The launcher watches the program's memory; its own is bounded by what it keeps.
    let finished = spawn::run(command, Limits { memory_bytes: u64::MAX, ..limits }, interrupt)?;
    judge(request, seq, &finished)
}

/// Gives the program's launcher the environment that the program is to have.
pub(super) fn environment(command: &mut Command, request: &Request<'_>) {
    let sets_allocators = |name: &OsString| {
        let name = name.to_string_lossy();
        ALLOCATOR_VARIABLES.iter().any(|beginning| name.starts_with(beginning))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| sets_allocators(name)) {
        command.env_remove(name);
    }
    if let Some(heap) = &request.server.heap {
        command.env("ARENITE_HEAP", heap);
    }
    if request.python {
        command.envs(PYTHON_SETTINGS);
        if !request.server.pymalloc {
            command.env(PYTHON_VARIABLE.0, PYTHON_VARIABLE.1);
        }
    }
}

fn judge(request: &Request<'_>, seq: u64, finished: &Finished) -> io::Result<record::Program> {
    let mut record = record(request, seq);
    match launch::read(finished)? {
        Launched::Ended(ended) => fill(&mut record, request, *ended),
        Launched::Stopped { status, message, signal } => {
            (record.status, record.message, record.signal) = (status, Some(message), signal);
        }
    }
    Ok(record)
}

/// A record of the run without anything that came of it.
pub(super) fn record(request: &Request<'_>, seq: u64) -> record::Program {
    record::Program {
        program: request.program.name.clone(),
        subject: request.server.name.clone(),
        command: request.program.shown.clone(),
        seq,
        round: request.round,
        again: request.again,
        verified: request.verified,
        status: Status::Ok,
        message: None,
        exit_code: None,
        signal: None,
        library: None,
        wall_ns: None,
        user_ns: None,
        system_ns: None,
        rss_peak_bytes: None,
        page_faults: None,
        stdout_bytes: None,
        stdout_sha256: None,
        stderr_bytes: None,
        stderr_sha256: None,
    }
}

/// Puts what an ended program came to into its record.
fn fill(record: &mut record::Program, request: &Request<'_>, ended: Ended) {
    record.exit_code = ended.code;
    record.signal = ended.signal;
    let said = |what: String| Some(with_last_words(what, &ended.stderr.end));
    if let Some(notes) = &ended.notes {
        match bindings::served_by(notes, request.server.library()) {
            Ok(_) if ended.missed => {
                record.status = Status::NotLoaded;
                record.message = Some(
                    "the last image of the program does not have the library in its memory: it is \
                     statically linked, or started with an environment of its own"
                        .to_owned(),
                );
            }
            Ok(library) => record.library = Some(library),
            Err(what) => {
                record.status = Status::NotLoaded;
                record.message = Some(what);
            }
        }
    }
    if record.status == Status::Ok {
        (record.status, record.message) = match (ended.code, ended.signal) {
            (Some(0), _) => (Status::Ok, None),
            (_, Some(signal)) => {
                (Status::Signal, said(format!("killed by {}", signal_name(signal))))
            }
            (code, None) => {
                let code = code.unwrap_or(-1);
                (Status::Exit, said(format!("ended with exit code {code}")))
            }
        };
    }
    if ended.code.is_some() {
        record.stdout_bytes = Some(ended.stdout.bytes);
        record.stdout_sha256 = Some(ended.stdout.sha256);
        record.stderr_bytes = Some(ended.stderr.bytes);
        record.stderr_sha256 = Some(ended.stderr.sha256);
    }
    if record.status == Status::Ok && !request.verified {
        record.wall_ns = Some(ended.wall_ns);
        record.user_ns = Some(ended.user_ns);
        record.system_ns = Some(ended.system_ns);
        record.rss_peak_bytes = ended.rss_peak_bytes;
        record.page_faults = Some(ended.page_faults);
    }
}
