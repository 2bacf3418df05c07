//! `arenabench run`: subjects on workloads, records and a report.

mod counters;
mod counts;
mod memory;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reports::record::{End, Record, Role, Sample, Source, Unmeasured};
use reports::results::{Results, ResultsFile};

use super::print;
use super::resume::{self, Begun};
use super::summary_rows;
use crate::bundled;
use crate::child::job::Task;
use crate::cli::{Format, Profile, Run};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::python;
use crate::replay::mode::Mode;
use crate::session::{self, Conditions, Pace, Session, Sink, TailsPace, Taken};
use crate::subject::{self, Subject};
use crate::talk::Voice;
use crate::valgrind::{Options, Variant};
use crate::workload::{self, Extent, HERE, Name, Prepared};

/// Name of the records' file.
pub(super) const RESULTS: &str = "results.jsonl";

/// What a profile stands for.
struct Plan {
    pace: Pace,
    /// When the run is to end, if what else is part of every run leaves time for further rounds.
    whole: Duration,
    operations: u64,
    workloads: Vec<&'static str>,
    memcheck_operations: u64,
    tails: TailsPace,
}

fn plan_of(profile: Profile) -> Plan {
    let task = |passes| Task::Measure { passes };
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let three = vec!["int-churn", "dict-resize", "frame-push-pop"];
    let threaded = ["larson", "producer-consumer"];
    let every_recording = bundled::ALL.iter().map(|bundled| bundled.name).chain([HERE]);
    match profile {
        Profile::Quick => Plan {
            pace: Pace {
                min_rounds: 3,
                max_rounds: 25,
                budget: Duration::from_secs(130),
                patience: Duration::from_secs(160),
                floor_budget: Duration::from_secs(145),
                task: task(4),
            },
            whole: Duration::from_secs(280),
            operations: 500_000,
            workloads: three
                .into_iter()
                .chain(threaded)
                .chain(bundled::QUICK)
                .chain([HERE])
                .collect(),
            memcheck_operations: 20_000,
            tails: TailsPace { max_rounds: 3, budget: Duration::from_secs(90) },
        },
        Profile::Standard => Plan {
            pace: Pace {
                min_rounds: 4,
                max_rounds: 25,
                budget: minutes(10),
                patience: minutes(12),
                floor_budget: minutes(11),
                task: task(6),
            },
            whole: Duration::ZERO,
            operations: 1_000_000,
            workloads: ["int-churn:1k", "int-churn", "int-churn:100k"]
                .into_iter()
                .chain(["dict-resize", "dict-resize@3.9", "frame-push-pop", "frame-push-pop@3.9"])
                .chain(threaded)
                .chain(every_recording)
                .collect(),
            memcheck_operations: 200_000,
            tails: TailsPace { max_rounds: 3, budget: minutes(3) },
        },
        Profile::Full => Plan {
            pace: Pace {
                min_rounds: 25,
                max_rounds: 61,
                budget: minutes(150),
                patience: minutes(180),
                floor_budget: minutes(170),
                task: task(15),
            },
            whole: Duration::ZERO,
            operations: 5_000_000,
            workloads: ["int-churn:1k", "int-churn", "int-churn:100k", "int-churn:1m"]
                .into_iter()
                .chain(["int-churn@3.9", "dict-resize", "dict-resize@3.9", "dict-resize@2.7"])
                .chain(["frame-push-pop", "frame-push-pop@3.9", "frame-push-pop@2.7"])
                .chain(threaded)
                .chain(["larson:4", "producer-consumer:4"])
                .chain(["calloc-churn", "realloc-churn", "aligned-churn", "large-churn"])
                .chain(["growth-churn"])
                .chain(every_recording)
                .collect(),
            memcheck_operations: 1_000_000,
            tails: TailsPace { max_rounds: 9, budget: minutes(20) },
        },
    }
}

/// Runs the command.
pub(crate) fn run(args: &Run, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let plan = plan_of(args.profile);
    let subjects = chosen_subjects(args)?;
    let names = chosen_workloads(args, &plan)?;
    let directory = args.output.clone().unwrap_or_else(fresh_directory);
    let baseline = baseline_of(args, &subjects)?.name;
    let settings = Settings {
        profile: if is_custom(args) { "custom" } else { args.profile.name() },
        seed: args.generation.seed,
        baseline: &baseline,
    };
    let fingerprint = host::fingerprint(&settings);
    let valgrind = fingerprint.valgrind.clone();
    let extent = Extent {
        operations: args.generation.operations.unwrap_or(plan.operations),
        seed: args.generation.seed,
    };
    // Before anything is written: a file that cannot be read is found now.
    let files = names.iter().map(|name| from_file(name, extent)).collect::<Result<_, _>>()?;
    let records: Vec<_> = subjects.iter().map(session::subject_record).collect();
    let begun = Begun { host: &fingerprint, subjects: &records, touch: args.subjects.touch };
    let (mut sink, earlier) = open(&directory, args.resume, &begun)?;
    resume::begin(&mut sink, fingerprint, records, earlier.as_ref())?;
    let mut gathering = Gathering { sink: &mut sink, voice, interrupt, directory: &directory };
    let prepared = gathering.workloads(&names, files, extent, args.mode, earlier.as_ref())?;
    let missing_tool = prepared.len() < names.len();

    let taken = earlier
        .as_ref()
        .map_or_else(Taken::default, |earlier| Taken::of(&earlier.samples, &earlier.memchecks))
        .with_tails(earlier.as_ref().map_or(&[], |earlier| &earlier.tails))
        .with_counters(earlier.as_ref().map_or(&[], |earlier| &earlier.counters))
        .with_counts(earlier.as_ref().map_or(&[], |earlier| &earlier.counts))
        .with_memory(
            earlier.as_ref().map_or(&[], |earlier| &earlier.memories),
            earlier.as_ref().map_or(&[], |earlier| &earlier.packings),
        );
    let conditions = Conditions::of(&args.subjects, &args.generation, voice, interrupt);
    let mut session = Session::new(conditions, &subjects, prepared.iter().collect(), &baseline)
        .resumed(sink, taken);
    if !args.no_verify {
        session.verify()?;
    }
    if !args.no_memcheck {
        let small =
            Extent { operations: plan.memcheck_operations.min(extent.operations), ..extent };
        // Where time is short and nobody has asked for one, generated workloads speak for all.
        let with_recording = args.profile != Profile::Quick || !args.workloads.is_empty();
        memcheck(&mut session, &names, small, with_recording, valgrind.as_deref())?;
    }
    let pace = match args.rounds {
        // Asked for just so many: the floor has to do with them as well.
        Some(rounds) => Pace::of_rounds(rounds, plan.pace.task),
        None => {
            let earlier = earlier.as_ref().and_then(Results::end);
            let of = |time: fn(&End) -> u64| Duration::from_nanos(earlier.as_ref().map_or(0, time));
            let elapsed = begin.elapsed() + of(|end| end.run_wall_ns);
            plan.pace.until(plan.whole, elapsed, of(|end| end.measuring_wall_ns))
        }
    };
    session.measure(&pace)?;
    if args.tails || args.profile != Profile::Quick {
        session.tails(&plan.tails)?;
    }
    if args.counters || args.profile != Profile::Quick {
        counters::counters(&mut session, args.counters)?;
    }
    if args.memory || args.profile != Profile::Quick {
        memory::memory(&mut session)?;
    }
    if args.counts || args.profile != Profile::Quick {
        let operations = extent.operations.min(counts::OPERATIONS);
        let short = Extent { operations, ..extent };
        counts::counts(&mut session, &names, short, valgrind.as_deref())?;
    }
    let interrupted = interrupt.requested();
    let failures = session.failures;
    session.sink.put(Record::End(End {
        outcome: if interrupted { "interrupted" } else { "complete" }.to_owned(),
        run_wall_ns: begin.elapsed().as_nanos() as u64,
        measuring_wall_ns: session.measuring.as_nanos() as u64,
    }))?;
    conclude(&directory, args.format, voice)?;
    Ok(match (interrupted, failures > 0 || missing_tool) {
        (true, _) => exit::INTERRUPTED,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::GOOD,
    })
}

/// Whether what is measured differs from what the profile's name says.
fn is_custom(args: &Run) -> bool {
    !args.subjects.subjects.is_empty()
        || !args.workloads.is_empty()
        || args.generation.operations.is_some()
        || args.rounds.is_some()
        || args.mode.is_some()
        || args.aged.is_some()
}

fn chosen_subjects(args: &Run) -> Result<Vec<Subject>, Failure> {
    let mut subjects = if args.subjects.subjects.is_empty() {
        let all = subject::registry().into_iter();
        all.filter(|subject| subject.is_default(args.profile == Profile::Quick)).collect()
    } else {
        args.subjects.subjects.clone()
    };
    unique(subjects.iter().map(|subject| subject.name.as_str()), "subject")?;
    let baseline = baseline_of(args, &subjects)?;
    check_baseline(&baseline)?;
    if !subjects.iter().any(|subject| subject.name == baseline.name) {
        subjects.insert(0, baseline);
    }
    Ok(subjects)
}

/// The baseline: a subject of the run by its name, or one that is to join it.
fn baseline_of(args: &Run, subjects: &[Subject]) -> Result<Subject, Failure> {
    match subjects.iter().find(|subject| subject.name == args.baseline) {
        Some(subject) => Ok(subject.clone()),
        None => Subject::parse(&args.baseline).map_err(Failure::usage),
    }
}

fn check_baseline(baseline: &Subject) -> Result<(), Failure> {
    if baseline.role == Role::Reference {
        let name = &baseline.name;
        return Err(Failure::usage(format!("`{name}` is a reference and cannot be the baseline")));
    }
    Ok(())
}

fn chosen_workloads(args: &Run, plan: &Plan) -> Result<Vec<Name>, Failure> {
    let names = if args.workloads.is_empty() {
        // What is recorded by the run itself cannot be aged.
        let chosen = plan.workloads.iter().filter(|name| args.aged.is_none() || **name != HERE);
        let names = chosen.map(|name| Name::parse(name));
        names.collect::<Result<_, _>>().map_err(Failure::usage)?
    } else {
        args.workloads.clone()
    };
    let names = match &args.aged {
        None => names,
        Some(past) => {
            let aged = names.into_iter().map(|name| name.aged_by(past));
            aged.collect::<Result<_, _>>().map_err(Failure::usage)?
        }
    };
    let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
    unique(texts.iter().map(String::as_str), "workload")?;
    Ok(names)
}

/// Refuses a name that is given twice: results could not tell the two apart.
pub(crate) fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Failure::usage(format!("{what} `{name}` is named twice")));
        }
    }
    Ok(())
}

/// A new folder named by the time.
fn fresh_directory() -> PathBuf {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |duration| duration.as_secs());
    Path::new("arenabench-results").join(seconds.to_string())
}

/// The workload, if it is a trace file.
fn from_file(name: &Name, extent: Extent) -> Result<Option<Prepared>, Failure> {
    if name.needs_file() { workload::prepare(name, extent).map(Some) } else { Ok(None) }
}

/// Opens the results file; with what it holds already, when the run goes on from there.
pub(super) fn open(
    directory: &Path,
    resume: bool,
    begun: &Begun<'_>,
) -> Result<(Sink, Option<Results>), Failure> {
    let path = directory.join(RESULTS);
    std::fs::create_dir_all(directory).map_err(|error| Failure::io(directory.display(), error))?;
    if !resume && path.exists() {
        return Err(Failure::usage(format!(
            "{} exists; choose another folder, or go on with it by --resume",
            path.display()
        )));
    }
    if !resume || resume::is_blank(&path)? {
        let file =
            ResultsFile::create(&path).map_err(|error| Failure::io(path.display(), error))?;
        return Ok((Sink::File(file), None));
    }
    let earlier = read_results(&path)?;
    begun.check(&path, &earlier)?;
    let file = ResultsFile::resume(&path).map_err(|error| Failure::io(path.display(), error))?;
    Ok((Sink::File(file), Some(earlier)))
}

/// Reads a results file.
///
/// # Errors
/// Bad data (65), or a file that cannot be read (74).
pub(super) fn read_results(path: &Path) -> Result<Results, Failure> {
    Results::read(path).map_err(|error| Failure { code: error.exit_code(), error: error.into() })
}

/// Refuses to go on with a workload in another replay mode than it was begun in.
fn same_mode(workload: &Prepared, earlier: &[Sample]) -> Result<(), Failure> {
    let name = &workload.record.workload;
    let mode = workload.mode.name();
    match earlier.iter().find(|sample| sample.workload == *name && sample.mode != mode) {
        Some(sample) => Err(Failure::usage(format!(
            "workload `{name}` was begun in mode {} and not {mode}",
            sample.mode
        ))),
        None => Ok(()),
    }
}

/// Brings workloads together and records their shapes.
struct Gathering<'a> {
    sink: &'a mut Sink,
    voice: &'a Voice,
    interrupt: &'a Interrupt,
    directory: &'a Path,
}

impl Gathering<'_> {
    fn workloads(
        &mut self,
        names: &[Name],
        files: Vec<Option<Prepared>>,
        extent: Extent,
        mode: Option<Mode>,
        earlier: Option<&Results>,
    ) -> Result<Vec<Prepared>, Failure> {
        let mut all = Vec::new();
        for (name, file) in names.iter().zip(files) {
            if self.interrupt.requested() {
                break;
            }
            let prepared = match (name, file) {
                (_, Some(prepared)) => prepared,
                (Name::Here, _) => match self.here()? {
                    Some(prepared) => prepared,
                    None => continue,
                },
                _ => workload::prepare(name, extent)?,
            };
            let prepared = prepared.in_mode(mode)?;
            if let Some(earlier) = earlier {
                same_mode(&prepared, &earlier.samples)?;
            }
            let known = earlier.and_then(|earlier| {
                earlier.workloads.iter().find(|known| known.workload == prepared.record.workload)
            });
            match known {
                Some(known) if *known != prepared.record => {
                    return Err(Failure::usage(format!(
                        "workload `{name}` is not what it was when the run began"
                    )));
                }
                Some(_) => {}
                None => self.sink.put(Record::Workload(prepared.record.clone()))?,
            }
            all.push(prepared);
        }
        Ok(all)
    }

    /// Records this computer's Python, or takes what an interrupted run has recorded. The trace
    /// gets its name only when its record is on disk.
    fn here(&mut self) -> Result<Option<Prepared>, Failure> {
        let trace = self.directory.join(format!("{HERE}.trace"));
        if !trace.exists() {
            self.voice.say("Recording a Python program on this computer");
            let partial = self.directory.join(format!("{HERE}.partial"));
            let recorded = python::record(&partial, self.interrupt);
            if self.interrupt.requested() {
                return Ok(None);
            }
            match recorded {
                Ok(recording) => self.sink.put(Record::Recording(recording))?,
                Err(python::Unrecorded::Missing { reason, remedy }) => {
                    return self.unrecorded(reason, Some(remedy));
                }
                Err(python::Unrecorded::Failed(failure)) => {
                    return self.unrecorded(format!("{:#}", failure.error), None);
                }
            }
            std::fs::rename(&partial, &trace)
                .map_err(|error| Failure::io(trace.display(), error))?;
        }
        workload::from_file(&trace, HERE.to_owned(), Source::Recorded).map(Some)
    }

    /// Notes that there is no recording; the run goes on without it.
    fn unrecorded(
        &mut self,
        reason: String,
        remedy: Option<String>,
    ) -> Result<Option<Prepared>, Failure> {
        let advice = remedy.as_deref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        self.voice.say(format!("{HERE}: not measured: {reason}{advice}"));
        self.sink.put(Record::Unmeasured(Unmeasured {
            measure: HERE.to_owned(),
            reason,
            remedy,
        }))?;
        Ok(None)
    }
}

/// Memcheck on every workload but the suite's own recordings, bundled or made here, of which the
/// shortest is taken or none; of generated ones on a short version.
fn memcheck(
    session: &mut Session<'_>,
    names: &[Name],
    extent: Extent,
    with_recording: bool,
    version: Option<&str>,
) -> Result<(), Failure> {
    let Some(version) = version else {
        session.conditions.voice.say("Valgrind errors: not measured: valgrind is not installed");
        return session.sink.put(Record::Unmeasured(Unmeasured {
            measure: "memcheck".to_owned(),
            reason: "valgrind is not installed".to_owned(),
            remedy: Some("install the package `valgrind` and run again".to_owned()),
        }));
    };
    let mut short = Vec::new();
    for name in names.iter().filter(|name| name.is_generated()) {
        short.push(workload::prepare(name, extent)?);
    }
    // One of the suite's own recordings says as much as all of them, in a fraction of the time.
    let is_own = |workload: &&Prepared| {
        workload.record.source == Source::Recorded || workload.bundled().is_some()
    };
    let all = session.workloads.iter().copied();
    let own = all.clone().filter(|one| with_recording && is_own(one));
    let shortest = own.min_by_key(|one| one.record.operations);
    let recorded = all.filter(|workload| {
        let record = &workload.record;
        record.source != Source::Generated
            && (!is_own(workload) || shortest.is_some_and(|one| one.record == *record))
    });
    let subjects: Vec<_> = session
        .subjects
        .iter()
        .filter(|subject| subject.role != Role::Reference)
        .cloned()
        .collect();
    let workloads = short.iter().chain(recorded).collect();
    let options = Options { version: version.to_owned(), costs: true, ..Options::default() };
    session.on(&subjects, workloads, |inner| {
        let cells = inner.replays(&[Variant::default()]);
        let jobs = inner.jobs(1);
        inner.memcheck(&cells, &options, jobs)
    })
}

/// Draws the report and prints the results and where the page is.
fn conclude(directory: &Path, format: Format, voice: &Voice) -> Result<(), Failure> {
    let path = directory.join(RESULTS);
    let results = read_results(&path)?;
    reports::write_report(&results, directory)
        .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    if format == Format::Json {
        print::records(results.records())?;
    } else {
        summary_rows::print(&results, format)?;
    }
    let page = directory.join("index.html");
    let page = std::path::absolute(&page).unwrap_or(page);
    voice.say(format!("Records: {}", path.display()));
    if format == Format::Table {
        print::out(&format!("Report: {}\n", page.display()))?;
    } else {
        voice.say(format!("Report: {}", page.display()));
    }
    Ok(())
}
