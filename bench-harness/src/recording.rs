//! Records a live program: runs it under the recorder, then turns the raw logs into traces.
//!
//! The raw logs stand in a folder beside the trace until they are converted; it is removed when
//! everything in it was, and kept and named when something went wrong, so that nothing recorded is
//! lost.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use workloads::import::raw_log::{self, ImportErrorKind, ImportSummary, RawImage, RawImages};
use workloads::totals::Totals;
use workloads::trace::{Meta, Writer};

use crate::exit::{self, Failure};

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

/// Runs the program and converts what was logged.
///
/// # Errors
/// When the program cannot be started, nothing was logged, or a trace cannot be written.
pub(crate) fn record(request: &Request<'_>) -> Result<Recording, Failure> {
    let library = library()?;
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
    let begin = Instant::now();
    let mut child = start(request, Some((&library, &absolute)))?;
    let status = child.wait().map_err(|error| Failure::io("waiting for the program", error))?;
    let wall = begin.elapsed();
    let pid = child.id();
    match convert(request, folder.path(), pid) {
        Ok(traces) => Ok(Recording { status, wall, traces }),
        Err(failure) => {
            let kept = folder.keep();
            let code = failure.code;
            let error = failure.error.context(format!("the raw log is kept in {}", kept.display()));
            Err(Failure { code, error })
        }
    }
}

/// Runs the program without the recorder and takes its time.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub(crate) fn plain(request: &Request<'_>) -> Result<Duration, Failure> {
    let begin = Instant::now();
    let mut child = start(request, None)?;
    let status = child.wait().map_err(|error| Failure::io("waiting for the program", error))?;
    if !status.success() {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("{} ended with {status}", program_name(request)),
        });
    }
    Ok(begin.elapsed())
}

fn start(request: &Request<'_>, recorder: Option<(&Path, &Path)>) -> Result<Child, Failure> {
    let program = &request.command[0];
    let mut command = Command::new(program);
    command.args(&request.command[1..]).envs(request.environment.iter().copied());
    if let Some((library, folder)) = recorder {
        command.env("LD_PRELOAD", with_preload(library)).env(FOLDER_VARIABLE, folder);
    }
    if request.silent {
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
    }
    command.spawn().map_err(|error| Failure::io(program.display(), error))
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

/// Turns the raw logs in `folder` into traces. The last image of process `pid` goes to the output's
/// own name, every other image to a name with its process and image number.
fn convert(request: &Request<'_>, folder: &Path, pid: u32) -> Result<Vec<Recorded>, Failure> {
    let images = RawImages::scan(folder).map_err(import_failure)?;
    let Some(own) = images.iter().filter(|image| image.pid == pid).max_by_key(|image| image.image)
    else {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!(
                "{} left no log: it is statically linked, runs with raised privileges, \
                 or cleared its environment",
                program_name(request)
            ),
        });
    };
    let own = own.clone();
    let mut traces = vec![convert_image(request, folder, &own, request.output)?];
    if request.others {
        for image in images.iter().filter(|image| **image != own) {
            let mut path = request.output.as_os_str().to_owned();
            path.push(format!(".{}.{}", image.pid, image.image));
            traces.push(convert_image(request, folder, image, Path::new(&path))?);
        }
    }
    Ok(traces)
}

fn convert_image(
    request: &Request<'_>,
    folder: &Path,
    image: &RawImage,
    path: &Path,
) -> Result<Recorded, Failure> {
    let meta = Meta {
        command: request.program.clone().unwrap_or_else(|| program_name(request)),
        producer: concat!("arenabench record ", env!("CARGO_PKG_VERSION")).to_owned(),
        interpreter: request.interpreter.clone().unwrap_or_default(),
        ..Meta::default()
    };
    let mut writer = Writer::create(path, &meta)?;
    let options = raw_log::Options { mark_size: request.mark_size };
    let mut failed = None;
    let summary = raw_log::import(folder, image.pid, image.image, &options, &mut |event| {
        if failed.is_none() {
            failed = writer.write(&event).err();
        }
    })
    .map_err(import_failure)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    *writer.losses_mut() = summary.losses();
    let totals = writer.finish()?;
    let trace_bytes =
        std::fs::metadata(path).map_err(|error| Failure::io(path.display(), error))?.len();
    Ok(Recorded { path: path.to_owned(), pid: image.pid, totals, summary, trace_bytes })
}

fn import_failure(error: raw_log::ImportError) -> Failure {
    let code = match error.kind {
        ImportErrorKind::Io(_) => exit::IO,
        _ => exit::DATA,
    };
    Failure { code, error: error.into() }
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
