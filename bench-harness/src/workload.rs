//! Workloads by name, and what becomes of them: a plan on disk and a record.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use reports::record::{Source, Workload};
use workloads::event::Event;
use workloads::generate::Spec;
use workloads::trace::Reader;

use crate::bundled::{self, Bundled};
use crate::exit::{self, Failure};
use crate::plan::Shape;
use crate::plan::compile::{Census, CompileError, Compiler};

/// Name of the workload that is recorded on this computer when it is asked for.
pub(crate) const HERE: &str = "python-here";

/// A workload, as a command line names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Name {
    /// A generator.
    Generated(Spec),
    /// A recording that is part of this program.
    Bundled(&'static Bundled),
    /// This computer's Python, recorded when it is asked for.
    Here,
    /// A trace file.
    File(PathBuf),
}

impl Name {
    /// The workload that `text` names. A path is not looked at.
    ///
    /// # Errors
    /// A message that says what exists.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(bundled) = bundled::named(text) {
            return Ok(Self::Bundled(bundled));
        }
        if text == HERE {
            return Ok(Self::Here);
        }
        let path = Path::new(text);
        if text.contains('/') || path.extension().is_some_and(|extension| extension == "trace") {
            return Ok(Self::File(path.to_owned()));
        }
        match text.parse::<Spec>() {
            Ok(spec) => Ok(Self::Generated(spec)),
            Err(_) if path.is_file() => Ok(Self::File(path.to_owned())),
            Err(error) => Err(format!(
                "{error}; or a recording from `list`, {HERE}, or the path of a trace file"
            )),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated(spec) => spec.fmt(f),
            Self::Bundled(bundled) => f.write_str(bundled.name),
            Self::Here => f.write_str(HERE),
            Self::File(path) => {
                path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().fmt(f)
            }
        }
    }
}

/// A workload that is ready to be replayed.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) record: Workload,
    pub(crate) shape: Shape,
    /// The plan's file, which has no name.
    plan: File,
}

impl Prepared {
    /// Path by which this process and its children open the plan.
    pub(crate) fn plan_path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.plan.as_raw_fd()).into()
    }
}

/// How generators are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Calls in the measured region.
    pub(crate) operations: u64,
    /// Seed of everything random.
    pub(crate) seed: u64,
}

/// Compiles a workload. [`Name::Here`] must have been recorded to a file first.
///
/// # Errors
/// A bad trace (65), or a trace or plan file that cannot be read or written (74).
pub(crate) fn prepare(name: &Name, extent: Extent) -> Result<Prepared, Failure> {
    match name {
        Name::Generated(spec) => generated(spec, extent),
        Name::Bundled(bundled) => {
            let path = Path::new(bundled.name);
            let reader = Reader::new(Cursor::new(bundled.trace))?;
            let meta = recorded_description(&reader);
            traced(name.to_string(), Source::File, meta, path, reader)
        }
        Name::File(path) => from_file(path, name.to_string(), Source::File),
        Name::Here => Err(Failure::usage(format!(
            "{HERE} is recorded by `arenabench run`; record a program of your own with \
             `arenabench record` and name the trace's file"
        ))),
    }
}

/// Compiles a trace file under a name of the caller's.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn from_file(path: &Path, name: String, source: Source) -> Result<Prepared, Failure> {
    let reader = Reader::open(path)?;
    let description = recorded_description(&reader);
    traced(name, source, description, path, reader)
}

fn plan_file() -> Result<(File, Compiler), Failure> {
    let new = || -> io::Result<_> {
        let file = tempfile::tempfile()?;
        let compiler = Compiler::new(file.try_clone()?);
        Ok((file, compiler))
    };
    new().map_err(|error| plan_failure(CompileError::Io(error)))
}

fn plan_failure(error: CompileError) -> Failure {
    match error {
        CompileError::Io(error) => {
            let folder = std::env::temp_dir();
            Failure::io(format!("the replay plan, in {}", folder.display()), error)
        }
        other => Failure::data(other),
    }
}

fn generated(spec: &Spec, extent: Extent) -> Result<Prepared, Failure> {
    let (plan, mut compiler) = plan_file()?;
    let mut error = None;
    spec.generate(extent.operations, extent.seed, &mut |event: Event| {
        if error.is_none() {
            error = compiler.event(&event).err();
        }
    });
    if let Some(error) = error {
        return Err(plan_failure(error));
    }
    let (shape, census) = compiler.finish().map_err(plan_failure)?;
    let record = record(spec.to_string(), Source::Generated, spec.description(), &shape, census);
    Ok(Prepared { record, shape, plan })
}

fn traced<R: std::io::Read>(
    name: String,
    source: Source,
    description: String,
    path: &Path,
    mut reader: Reader<R>,
) -> Result<Prepared, Failure> {
    let (plan, mut compiler) = plan_file()?;
    for event in reader.by_ref() {
        match compiler.event(&event?) {
            Ok(()) => {}
            Err(error @ CompileError::Io(_)) => return Err(plan_failure(error)),
            Err(error) => {
                let error = anyhow::Error::from(error).context(path.display().to_string());
                return Err(Failure { code: exit::DATA, error });
            }
        }
    }
    let (shape, census) = compiler.finish().map_err(plan_failure)?;
    let mut record = record(name, source, description, &shape, census);
    record.losses = reader.meta().losses.flags().map(str::to_owned).collect();
    Ok(Prepared { record, shape, plan })
}

fn recorded_description<R: std::io::Read>(reader: &Reader<R>) -> String {
    let meta = reader.meta();
    match (meta.command.as_str(), meta.interpreter.as_str()) {
        ("", _) => format!("a trace made by {}", meta.producer),
        (command, "") => format!("recorded: {command}"),
        (command, interpreter) => format!("recorded: {command} ({interpreter})"),
    }
}

fn record(
    name: String,
    source: Source,
    description: String,
    shape: &Shape,
    census: Census,
) -> Workload {
    Workload {
        workload: name,
        source,
        description,
        operations: shape.calls,
        operations_by_kind: census.by_kind,
        threads: census.threads,
        live_peak_bytes: shape.live_peak_bytes,
        base_blocks: census.base_blocks,
        small_share: if census.births == 0 {
            0.0
        } else {
            census.small_births as f64 / census.births as f64
        },
        losses: Vec::new(),
        sha256: census.sha256,
    }
}
