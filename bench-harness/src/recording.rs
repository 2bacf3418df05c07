//! Records a live program: runs it under the recorder, then turns the raw logs into traces.
//!
//! The raw logs stand in a folder beside the trace until they are converted; it is removed when
//! everything in it was, and kept and named when something went wrong, so that nothing recorded is
//! lost: [`import`] takes such a folder up again.
//!
//! ```text
//! live         the program's end, and the signals handed on to it until then
//! survivors    processes that outlive the program
//! raw_folder   the folder of raw logs, and the traces that are made of it
//! ```

mod live;
mod raw_folder;
mod survivors;

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use workloads::import::raw_log::ImportSummary;
use workloads::totals::Totals;
use workloads::trace::{Meta, Writer};

use crate::child::process::die_with;
use crate::exit::{self, Failure};
use crate::preload::Preload;
use live::Signals;
use raw_folder::Note;

/// File name of the recorder's library, which is built into the same folder as this program.
pub(crate) const LIBRARY: &str = "libarenabench_recorder.so";
/// Names the folder that the recorder writes into.
const FOLDER_VARIABLE: &str = "ARENABENCH_RECORD_DIR";

/// What to record, and where to.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) command: &'a [OsString],
    /// Extra environment of the program.
    pub(crate) environment: &'a [(&'a str, &'a str)],
    pub(crate) output: &'a Path,
    /// Request size that marks the measured region, see the importer.
    pub(crate) mark_size: Option<u64>,
    /// Interpreter and version, where the program is a script.
    pub(crate) interpreter: Option<String>,
    /// Name of the program for readers; the command line when absent.
    pub(crate) program: Option<String>,
    /// Whether the program's standard streams go nowhere.
    pub(crate) silent: bool,
    /// Whether traces of other processes are kept.
    pub(crate) others: bool,
    /// How long other processes may outlive the program before their logs are cut off.
    pub(crate) linger: Duration,
}

/// One trace that came out of a recording.
pub(crate) struct Recorded {
    pub(crate) path: PathBuf,
    pub(crate) pid: u32,
    pub(crate) totals: Totals,
    pub(crate) summary: ImportSummary,
    pub(crate) trace_bytes: u64,
}

/// A finished recording: the program's end, and its traces, its own process's last image first.
pub(crate) struct Recording {
    pub(crate) status: ExitStatus,
    pub(crate) wall: Duration,
    pub(crate) traces: Vec<Recorded>,
    /// Processes of the recording that still ran when it ended.
    pub(crate) cut: u64,
}

/// The recorder's library beside this program.
///
/// # Errors
/// When it is not there, with the command that builds it.
pub(crate) fn library() -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe()
        .map_err(|error| Failure::io("this program's own path", error))?
        .with_file_name(LIBRARY);
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Failure {
        code: exit::INCOMPLETE,
        error: anyhow::anyhow!(
            "{} is missing; build it with `cargo build --release -p arenabench-recorder`",
            beside.display()
        ),
    })
}

/// Runs the program and converts what was logged. SIGHUP, SIGINT, SIGQUIT and SIGTERM go to the
/// program meanwhile, and this process goes on when it has ended.
///
/// # Errors
/// When the output cannot be written, found out before the program runs; when the program cannot be
/// started, nothing was logged, or a trace cannot be written.
pub(crate) fn record(request: &Request<'_>) -> Result<Recording, Failure> {
    // Begins a trace where it is to stand, and gives it up again.
    drop(Writer::create(request.output, &Meta::default())?);
    let library = library()?;
    let preload = Preload::of(&library).map_err(|error| Failure::io("the recorder", error))?;
    let parent = match request.output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = format!("{}.raw-", file_name(request.output));
    let folder = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(parent)
        .map_err(|error| Failure::io(parent.display(), error))?;
    let absolute = std::path::absolute(folder.path())
        .map_err(|error| Failure::io(folder.path().display(), error))?;
    let mut note = Note {
        program: request.program.clone().unwrap_or_else(|| program_name(request)),
        interpreter: request.interpreter.clone(),
        mark_size: request.mark_size,
        pid: None,
    };
    let in_folder = |error| Failure::io(folder.path().display(), error);
    note.write(folder.path()).map_err(in_folder)?;
    let waiting = |error| Failure::io("waiting for the program", error);
    let mut signals = Signals::hold().map_err(waiting)?;
    let begin = Instant::now();
    let mut command = prepare(request);
    command.env("LD_PRELOAD", with_preload(preload.path())).env(FOLDER_VARIABLE, &absolute);
    signals.let_through(&mut command);
    let mut child = start(request, command)?;
    note.pid = Some(child.id());
    let noted = note.write(folder.path());
    let status = signals.wait(&mut child).map_err(waiting)?;
    let wall = begin.elapsed();
    let converted = noted.map_err(in_folder).and_then(|()| {
        survivors::wait(&absolute, request.linger, &mut signals).map_err(waiting)?;
        raw_folder::convert(&absolute, &note, request.output, request.others)
    });
    match converted {
        Ok((traces, cut)) => Ok(Recording { status, wall, traces, cut }),
        Err(failure) => Err(raw_folder::kept(failure, &folder.keep(), request.output)),
    }
}

/// Converts a folder of raw logs that a recording has kept, or that was left when `record` itself
/// was killed. The folder stays. Processes that still write into it are cut off; their number is
/// told beside the traces.
///
/// # Errors
/// When the folder or a log in it cannot be read, or a trace cannot be written.
pub(crate) fn import(
    folder: &Path,
    output: &Path,
    mark_size: Option<u64>,
) -> Result<(Vec<Recorded>, u64), Failure> {
    let mut note = Note::read(folder)?.unwrap_or_else(|| Note {
        program: format!("the program that left {}", folder.display()),
        ..Note::default()
    });
    note.mark_size = mark_size.or(note.mark_size);
    let folder =
        std::path::absolute(folder).map_err(|error| Failure::io(folder.display(), error))?;
    raw_folder::convert(&folder, &note, output, true)
}

/// Runs the program without the recorder and takes its time.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub(crate) fn plain(request: &Request<'_>) -> Result<Duration, Failure> {
    let begin = Instant::now();
    let mut child = start(request, prepare(request))?;
    let status = child.wait().map_err(|error| Failure::io("waiting for the program", error))?;
    if !status.success() {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("{} ended with {status}", program_name(request)),
        });
    }
    Ok(begin.elapsed())
}

/// The program's command line, environment and streams, without the recorder.
fn prepare(request: &Request<'_>) -> Command {
    let mut command = Command::new(&request.command[0]);
    command.args(&request.command[1..]).envs(request.environment.iter().copied());
    if request.silent {
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        // Nobody else waits for a program that is run for its recording alone. A program of the
        // user's own lives on when its recorder is killed.
        let parent = std::process::id() as libc::pid_t;
        // SAFETY: the closure makes system calls only, which are allowed between fork and exec.
        unsafe { command.pre_exec(move || die_with(parent)) };
    }
    command
}

fn start(request: &Request<'_>, mut command: Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| Failure::io(request.command[0].display(), error))
}

/// The recorder in front of whatever is preloaded already.
fn with_preload(library: &Path) -> OsString {
    let mut value = library.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        value.push(":");
        value.push(others);
    }
    value
}

/// The command line as a reader would name it.
fn program_name(request: &Request<'_>) -> String {
    let words: Vec<_> =
        request.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "trace".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Exit code that stands for a program's end: its own, or 128 plus the signal.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code as u8,
        (None, Some(signal)) => (128 + signal) as u8,
        (None, None) => exit::INCOMPLETE,
    }
}
