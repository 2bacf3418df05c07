//! Workloads by name, and what becomes of them: a plan on disk and a record.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reports::record::{Source, Workload};
use workloads::event::{Event, Op};
use workloads::generate::Spec;
use workloads::trace::{Losses, Reader};

use crate::aging::{Past, Peak};
use crate::bundled::{self, Bundled};
use crate::exit::{self, Failure};
use crate::packing::lifetimes::Lifetimes;
use crate::plan::Shape;
use crate::plan::compile::{Census, CompileError, Compiler};
use crate::plan::streams::StreamsShape;
use crate::plan::streams::compile::StreamCompiler;
use crate::replay::mode::Mode;

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
    /// A workload on a heap that another one, the second, has aged.
    Aged(Box<Name>, Box<Name>),
}

impl Name {
    /// This workload on a heap aged by `past`.
    ///
    /// # Errors
    /// A message when one of the two does not exist before a run.
    pub(crate) fn aged_by(self, past: &Self) -> Result<Self, String> {
        if self == Self::Here || *past == Self::Here {
            return Err(format!(
                "{HERE} is recorded by the run itself: it neither ages nor is aged"
            ));
        }
        Ok(Self::Aged(Box::new(self), Box::new(past.clone())))
    }

    /// Whether a generator makes it, so that its length can be chosen.
    pub(crate) fn is_generated(&self) -> bool {
        match self {
            Self::Generated(_) => true,
            Self::Aged(own, _) => own.is_generated(),
            Self::Bundled(_) | Self::Here | Self::File(_) => false,
        }
    }

    /// Whether a file of the user's has to be read for it.
    pub(crate) fn needs_file(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Aged(own, past) => own.needs_file() || past.needs_file(),
            Self::Generated(_) | Self::Bundled(_) | Self::Here => false,
        }
    }

    /// The workload that `text` names. A path is not looked at.
    ///
    /// # Errors
    /// A message that says what exists.
    pub(crate) fn of(text: &OsStr) -> Result<Self, String> {
        match text.to_str() {
            Some(text) => Self::parse(text),
            // No workload but a file has such a name.
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// As [`Name::of`], for text.
    ///
    /// # Errors
    /// As [`Name::of`].
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
            Self::Aged(own, past) => write!(f, "{own}+aged-by-{past}"),
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
    /// How the workload is replayed; memcheck always replays on one thread.
    pub(crate) mode: Mode,
    /// The plan's file, which has no name.
    plan: File,
    /// The plan for threads and its file, unless the mode is serial.
    streams: Option<(StreamsShape, File)>,
    /// The plan for turns and its file, where what repeats is taken on the threads of the trace.
    turns: Option<Turns>,
    origin: Origin,
}

impl Prepared {
    /// Path by which this process and its children open the plan.
    pub(crate) fn plan_path(&self) -> PathBuf {
        path_of(&self.plan)
    }

    /// The plan for threads and its path, unless the mode is serial.
    pub(crate) fn streams(&self) -> Option<(&StreamsShape, PathBuf)> {
        self.streams.as_ref().map(|(shape, file)| (shape, path_of(file)))
    }

    /// The plan for turns, where there is one.
    pub(crate) fn turns(&self) -> Option<&Turns> {
        self.turns.as_ref()
    }

    /// The recording of this program's own that it is, aged or not.
    pub(crate) fn bundled(&self) -> Option<&'static Bundled> {
        let mut origin = &self.origin;
        while let Origin::Aged(own, ..) = origin {
            origin = own;
        }
        if let Origin::Bundled(bundled) = origin { Some(*bundled) } else { None }
    }

    /// All events and what is known of them; `None` when there are more than `most`. Reads them again.
    ///
    /// # Errors
    /// As [`prepare`].
    pub(crate) fn events(&self, most: usize) -> Result<Option<(Vec<Event>, About)>, Failure> {
        let mut events = Vec::new();
        let about = self.origin.each_event(&mut |event| {
            if events.len() <= most {
                events.push(*event);
            }
            Ok(())
        })?;
        Ok((events.len() <= most).then_some((events, about)))
    }

    /// All lifetimes; `None` when there are too many. Reads the events again.
    ///
    /// # Errors
    /// As [`prepare`].
    pub(crate) fn lifetimes(&self) -> Result<Option<Lifetimes>, Failure> {
        let mut lifetimes = Lifetimes::default();
        self.origin.each_event(&mut |event| {
            lifetimes.event(event);
            Ok(())
        })?;
        Ok(lifetimes.finish())
    }

    /// The workload in a mode: the one asked for, else parallel where there are several threads and
    /// serial where there is one. Reads the events again unless that is serial.
    ///
    /// # Errors
    /// As [`prepare`]; [`Mode::Paced`] for events without times is bad usage.
    pub(crate) fn in_mode(self, mode: Option<Mode>) -> Result<Self, Failure> {
        let default = if self.record.threads > 1 { Mode::Parallel } else { Mode::Serial };
        let mode = mode.unwrap_or(default);
        if mode == Mode::Serial {
            return Ok(self);
        }
        let is_paced = mode == Mode::Paced;
        let file = plan_file()?;
        let copy = file.try_clone().map_err(|error| plan_failure(CompileError::Io(error)))?;
        let mut compiler = StreamCompiler::new(copy, is_paced);
        self.origin.each_event(&mut |event| compiler.event(event))?;
        if is_paced && !compiler.has_times() {
            let name = &self.record.workload;
            return Err(Failure::usage(format!(
                "workload `{name}` carries no times; --mode paced needs a trace with times"
            )));
        }
        let shape = compiler.finish().map_err(plan_failure)?;
        Ok(Self { mode, streams: Some((shape, file)), ..self })
    }

    /// The workload with a plan for turns where it has several threads: instructions are counted, and
    /// memory is read for the gate, on these (`replay::turns`). Reads the events again.
    ///
    /// # Errors
    /// As [`prepare`].
    pub(crate) fn with_turns(self) -> Result<Self, Failure> {
        if self.record.threads <= 1 {
            return Ok(self);
        }
        let file = plan_file()?;
        let copy = file.try_clone().map_err(|error| plan_failure(CompileError::Io(error)))?;
        let mut compiler = Compiler::in_turns(copy);
        self.origin.each_event(&mut |event| compiler.event(event))?;
        let (shape, census) = compiler.finish().map_err(plan_failure)?;
        let Census { turning_threads: threads, handed_over, .. } = census;
        Ok(Self { turns: Some(Turns { shape, threads, handed_over, file }), ..self })
    }
}

/// A plan for turns (`replay::turns`).
#[derive(Debug)]
pub(crate) struct Turns {
    pub(crate) shape: Shape,
    /// Threads that make its calls.
    pub(crate) threads: u32,
    /// Its calls that are not the first thread's.
    pub(crate) handed_over: u64,
    file: File,
}

impl Turns {
    /// Where a child finds the plan.
    pub(crate) fn plan_path(&self) -> PathBuf {
        path_of(&self.file)
    }
}

fn path_of(file: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}

/// Where a workload's events come from; they can be had more than once.
#[derive(Clone, Debug)]
enum Origin {
    Generated(Spec, Extent),
    Bundled(&'static Bundled),
    File(PathBuf),
    /// Events in memory.
    Held(Arc<[Event]>),
    /// The workload, its past, the past's name and the seed of its frees.
    Aged(Box<Origin>, Box<Origin>, String, u64),
}

/// What is known of a workload's events besides themselves.
#[derive(Default)]
pub(crate) struct About {
    description: String,
    /// What made them: a command line, or a generator's name with its seed and length.
    pub(crate) command: String,
    /// As a trace names it; empty where there was none.
    pub(crate) interpreter: String,
    pub(crate) losses: Losses,
}

impl Origin {
    /// Gives all events to `take`.
    ///
    /// # Errors
    /// A bad trace (65) or one that cannot be read (74), and what `take` ends with.
    fn each_event(
        &self,
        take: &mut dyn FnMut(&Event) -> Result<(), CompileError>,
    ) -> Result<About, Failure> {
        match self {
            Self::Generated(spec, extent) => {
                let mut error = None;
                spec.generate(extent.operations, extent.seed, &mut |event: Event| {
                    if error.is_none() {
                        error = take(&event).err();
                    }
                });
                match error {
                    Some(error) => Err(plan_failure(error)),
                    None => {
                        let Extent { operations, seed } = extent;
                        let command = format!("{spec} --seed {seed} --operations {operations}");
                        let description = spec.description();
                        Ok(About { description, command, ..About::default() })
                    }
                }
            }
            Self::Bundled(bundled) => {
                read(Path::new(bundled.name), Reader::new(Cursor::new(bundled.trace))?, take)
            }
            Self::File(path) => read(path, Reader::open(path)?, take),
            Self::Held(events) => {
                events.iter().try_for_each(take).map_err(plan_failure)?;
                Ok(About::default())
            }
            Self::Aged(own, past, name, seed) => {
                let about = own.each_event_after((past, name), *seed, take)?;
                let description = format!("{}, on a heap aged by {name}", about.description);
                let command = format!("{}, on a heap aged by {name}", about.command);
                Ok(About { description, command, ..about })
            }
        }
    }

    /// Gives what `past` leaves of itself to `take`, and then all events of this workload.
    fn each_event_after(
        &self,
        (past, name): (&Self, &str),
        seed: u64,
        take: &mut dyn FnMut(&Event) -> Result<(), CompileError>,
    ) -> Result<About, Failure> {
        let mut peak = Peak::default();
        past.each_event(&mut |event| {
            peak.event(event);
            Ok(())
        })?;
        if peak.reached_after() == 0 {
            let path = if let Self::File(path) = past { path.to_str() } else { None };
            let name = path.unwrap_or(name);
            return Err(Failure::data(anyhow::anyhow!(
                "{name}: it allocates nothing to age a heap with"
            )));
        }
        let mut before = Past::of(peak.reached_after());
        past.each_event(&mut |event| before.event(event).as_ref().map_or(Ok(()), &mut *take))?;
        let mut has_region = false;
        self.each_event(&mut |event| {
            has_region |= event.op == Op::RegionStart;
            Ok(())
        })?;
        // Without a start of its own, all that the workload does is measured.
        let start = (!has_region).then(|| Event::of_first_thread(Op::RegionStart));
        for event in before.frees(seed).iter().chain(&start) {
            take(event).map_err(plan_failure)?;
        }
        self.each_event(&mut |event| before.shifted(event).as_ref().map_or(Ok(()), &mut *take))
    }
}

fn read<R: io::Read>(
    path: &Path,
    mut reader: Reader<R>,
    take: &mut dyn FnMut(&Event) -> Result<(), CompileError>,
) -> Result<About, Failure> {
    for event in reader.by_ref() {
        match take(&event?) {
            Ok(()) => {}
            Err(error @ CompileError::Io(_)) => return Err(plan_failure(error)),
            Err(error) => {
                let error = anyhow::Error::from(error).context(path.display().to_string());
                return Err(Failure { code: exit::DATA, error });
            }
        }
    }
    let meta = reader.meta();
    Ok(About {
        description: description_of(&reader),
        command: meta.command.clone(),
        interpreter: meta.interpreter.clone(),
        losses: meta.losses,
    })
}

/// How generators are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Calls in the measured region.
    pub(crate) operations: u64,
    /// Seed of everything random.
    pub(crate) seed: u64,
}

/// Compiles a workload, to be replayed on one thread. [`Name::Here`] must have been recorded to a
/// file first.
///
/// # Errors
/// A bad trace (65), or a trace or plan file that cannot be read or written (74).
pub(crate) fn prepare(name: &Name, extent: Extent) -> Result<Prepared, Failure> {
    let (origin, source) = origin_of(name, extent)?;
    compiled(name.to_string(), source, origin)
}

fn origin_of(name: &Name, extent: Extent) -> Result<(Origin, Source), Failure> {
    Ok(match name {
        Name::Generated(spec) => (Origin::Generated(*spec, extent), Source::Generated),
        Name::Bundled(bundled) => (Origin::Bundled(bundled), Source::File),
        Name::File(path) => (Origin::File(path.clone()), Source::File),
        Name::Aged(own, past) => {
            let (own, source) = origin_of(own, extent)?;
            let (before, _) = origin_of(past, extent)?;
            let (own, before) = (Box::new(own), Box::new(before));
            (Origin::Aged(own, before, past.to_string(), extent.seed), source)
        }
        Name::Here => {
            return Err(Failure::usage(format!(
                "{HERE} is recorded by `arenabench run`; record a program of your own with \
                 `arenabench record` and name the trace's file"
            )));
        }
    })
}

/// Compiles a trace file under a name of the caller's.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn from_file(path: &Path, name: String, source: Source) -> Result<Prepared, Failure> {
    compiled(name, source, Origin::File(path.to_owned()))
}

/// Compiles events that are in memory, under a name of the caller's.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn of_events(events: &[Event], name: String) -> Result<Prepared, Failure> {
    compiled(name, Source::File, Origin::Held(events.into()))
}

fn compiled(name: String, source: Source, origin: Origin) -> Result<Prepared, Failure> {
    let plan = plan_file()?;
    let copy = plan.try_clone().map_err(|error| plan_failure(CompileError::Io(error)))?;
    let mut compiler = Compiler::new(copy);
    let about = origin.each_event(&mut |event| compiler.event(event))?;
    let (shape, census) = compiler.finish().map_err(plan_failure)?;
    let mut record = record(name, source, about.description, &shape, census);
    record.losses = about.losses.flags().map(str::to_owned).collect();
    if let Origin::Aged(.., past, _) = &origin {
        record.aged_by = Some(past.clone());
    }
    Ok(Prepared { record, shape, mode: Mode::Serial, plan, streams: None, turns: None, origin })
}

fn plan_file() -> Result<File, Failure> {
    tempfile::tempfile().map_err(|error| plan_failure(CompileError::Io(error)))
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

fn description_of<R: std::io::Read>(reader: &Reader<R>) -> String {
    let meta = reader.meta();
    let producer = meta.producer.as_str();
    let how = if producer.starts_with("arenabench record") { "recorded" } else { producer };
    match (meta.command.as_str(), meta.interpreter.as_str()) {
        ("", _) => format!("a trace made by {producer}"),
        (command, "") => format!("{how}: {command}"),
        (command, interpreter) => format!("{how}: {command} ({interpreter})"),
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
        aged_by: None,
        sha256: census.sha256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that takes one recording for all must not take every aged one.
    #[test]
    fn a_bundled_recording_is_known_as_one_when_it_is_aged_and_no_other_workload_is() {
        let extent = Extent { operations: 1_000, seed: 1 };
        let of = |name: &str| Name::parse(name).unwrap();
        let bundled = |name: &Name| {
            prepare(name, extent).unwrap().bundled().map(|bundled| bundled.name.to_owned())
        };
        let (day, churn) = (of("cpython-3.11-day"), of("int-churn:1k"));
        assert_eq!(bundled(&day).as_deref(), Some("cpython-3.11-day"));
        assert_eq!(bundled(&day.aged_by(&churn).unwrap()).as_deref(), Some("cpython-3.11-day"));
        assert_eq!(bundled(&churn), None);
        let aged = churn.aged_by(&of("cpython-3.11-day")).unwrap();
        assert_eq!(bundled(&aged), None, "the past is not the workload");
    }
}
