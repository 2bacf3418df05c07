//! Records this computer's own Python on a program of the suite.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use reports::record::Recording;

use crate::exit::Failure;
use crate::host;
use crate::interrupt::Interrupt;
use crate::recording::{self, Request};

/// The program: one that no recorded trace is of, so that a mean over workloads counts none twice.
const PROGRAM: &str = include_str!("../../workloads/programs/go_board.py");
/// What a reader calls it.
const PROGRAM_NAME: &str = "python3 go_board.py";
/// Makes every object a malloc, and the run repeatable.
const ENVIRONMENT: [(&str, &str); 3] =
    [("PYTHONMALLOC", "malloc"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];
/// Runs with and without the recorder, to tell what recording costs.
const RUNS: usize = 3;

/// Why there is no recording.
pub(crate) enum Unrecorded {
    /// Something is not installed or not built.
    Missing { reason: String, remedy: String },
    /// Something went wrong.
    Failed(Failure),
}

impl From<Failure> for Unrecorded {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Records the program to `trace`, and runs it a few more times with and without the recorder.
///
/// # Errors
/// When Python or the recorder is missing, or the recording fails.
pub(crate) fn record(trace: &Path, interrupt: &Interrupt) -> Result<Recording, Unrecorded> {
    let Some(version) = host::first_line("python3", &["--version"]) else {
        return Err(Unrecorded::Missing {
            reason: "python3 is not installed".to_owned(),
            remedy: "install the package `python3` and run again".to_owned(),
        });
    };
    // The interpreter itself: `python3` may be a script that starts it.
    let print = ["-c", "import sys; print(sys.executable)"];
    let interpreter = host::first_line("python3", &print)
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| "python3".to_owned());
    if recording::library().is_err() {
        return Err(Unrecorded::Missing {
            reason: "the recorder is not built".to_owned(),
            remedy: "cargo build --release -p arenabench-recorder".to_owned(),
        });
    }
    let script = script().map_err(|error| Failure::io("the recorded program", error))?;
    let command = [OsString::from(interpreter), script.path().into()];
    let request = Request {
        command: &command,
        environment: &ENVIRONMENT,
        output: trace,
        mark_size: None,
        interpreter: Some(version),
        program: Some(PROGRAM_NAME.to_owned()),
        silent: true,
        others: false,
        linger: std::time::Duration::ZERO,
    };
    let first = recording::record(&request)?;
    let own = &first.traces[0];
    if !first.status.success() {
        return Err(Failure {
            code: crate::exit::INCOMPLETE,
            error: anyhow::anyhow!("{PROGRAM_NAME} ended with {}", first.status),
        }
        .into());
    }
    let mut record = Recording {
        workload: crate::workload::HERE.to_owned(),
        program: PROGRAM_NAME.to_owned(),
        calls: own.summary.calls,
        trace_bytes: own.trace_bytes,
        bytes_per_operation: own.trace_bytes as f64 / own.totals.calls.total().max(1) as f64,
        recorded_wall_ns: Vec::new(),
        plain_wall_ns: Vec::new(),
    };
    let spare = tempfile::tempdir().map_err(|error| Failure::io("a temporary folder", error))?;
    for run in 0..RUNS {
        if interrupt.requested() {
            break;
        }
        let again = spare.path().join(format!("{run}.trace"));
        record.plain_wall_ns.push(recording::plain(&request)?.as_nanos() as u64);
        let recorded = recording::record(&Request { output: &again, ..request.clone() })?;
        record.recorded_wall_ns.push(recorded.wall.as_nanos() as u64);
    }
    Ok(record)
}

fn script() -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("go_board-").suffix(".py").tempfile()?;
    file.write_all(PROGRAM.as_bytes())?;
    file.flush()?;
    Ok(file)
}
