//! `arenabench memcheck`: what Valgrind reports of each subject on each workload, or of a program
//! under each subject.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Instant;

use reports::record::{self, Detection, End, Memcheck as Counted, Record, Role, Workload};
use reports::results::Results;
use reports::summary::Table;

use super::resume::{self, Begun};
use super::run::{RESULTS, open, read_results, unique};
use super::{detection, print};
use crate::child::spawn::Limits;
use crate::cli::{Format, Memcheck};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::program::subject::Server;
use crate::program::{Program, suite};
use crate::session::{Conditions, Session, Sink, Taken, subject_record};
use crate::side_by_side::processors;
use crate::subject::{self, Subject};
use crate::talk::Voice;
use crate::valgrind::{Cell, Load, Options, Variant};
use crate::workload::{self, Extent, Name, Prepared};

/// Calls in the measured region of generated workloads.
const OPERATIONS: u64 = 100_000;

/// Who serves what.
enum Loads {
    Replays(Vec<Subject>, Vec<Prepared>),
    Program(Vec<Server>, Program),
}

/// Runs the command.
pub(crate) fn run(args: &Memcheck, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let is_asked_for_more =
        !args.subjects.is_empty() || !args.workloads.is_empty() || !args.command.is_empty();
    let bugs = detection::Chosen::of(&args.bugs, is_asked_for_more)?;
    let subjects = Chosen::of(args)?;
    for file in &args.suppressions {
        std::fs::metadata(file).map_err(|error| Failure::io(file.display(), error))?;
    }
    let Some(version) = host::valgrind_version() else {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("valgrind is not installed; install the package `valgrind`"),
        });
    };
    let loads = subjects.with_loads(args)?;
    let (sink, taken, earlier) = begin_records(args, &loads)?;
    let conditions = Conditions {
        touch: args.touch,
        limits: Limits { timeout: args.timeout, memory_bytes: host::memory_limit() },
        seed: args.generation.seed,
        voice,
        interrupt,
    };
    let (subjects, prepared): (&[Subject], Vec<&Prepared>) = match &loads {
        Loads::Replays(subjects, prepared) => (subjects, prepared.iter().collect()),
        Loads::Program(..) => (&[], Vec::new()),
    };
    let mut session = Session::new(conditions, subjects, prepared, "").resumed(sink, taken);
    let options = Options {
        version,
        leak_check: args.leak_check,
        suppressions: args.suppressions.clone(),
        no_suppressions: args.no_suppressions,
        costs: true,
    };
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let variants = Variant::all(&args.symbols, &args.requests);
    let cells = match &loads {
        _ if args.bugs.bugs_only => Vec::new(),
        Loads::Replays(..) => session.replays(&variants),
        Loads::Program(servers, program) => programs(servers, program, &variants),
    };
    session.memcheck(&cells, &options, jobs)?;
    let seeded = Instant::now();
    let detected = match &bugs {
        Some(bugs) => bugs.run(jobs, voice, interrupt, &mut session.sink, &earlier)?,
        None => Vec::new(),
    };
    session.measuring += seeded.elapsed();
    let failures = session.failures + detection::failures(&detected);
    let measuring = session.measuring;
    session.sink.put(Record::End(End {
        outcome: if interrupt.requested() { "interrupted" } else { "complete" }.to_owned(),
        run_wall_ns: begin.elapsed().as_nanos() as u64,
        measuring_wall_ns: measuring.as_nanos() as u64,
    }))?;
    conclude(session.sink, &cells, args, voice)?;
    Ok(match (interrupt.requested(), failures > 0) {
        (true, _) => exit::INTERRUPTED,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::GOOD,
    })
}

/// Subjects as the command line names them, or the default ones.
enum Chosen {
    Subjects(Vec<Subject>),
    Servers(Vec<Server>),
}

impl Chosen {
    fn of(args: &Memcheck) -> Result<Self, Failure> {
        let named = &args.subjects;
        if !args.command.is_empty() {
            let parsed =
                named.iter().map(|name| Server::parse(name)).collect::<Result<Vec<_>, _>>();
            let mut servers = parsed.map_err(Failure::usage)?;
            if servers.is_empty() {
                servers = Server::defaults();
                if is_python(&args.command[0]) {
                    servers.insert(1, Server::pymalloc());
                }
            }
            unique(servers.iter().map(|server| server.name.as_str()), "subject")?;
            return Ok(Self::Servers(servers));
        }
        let parsed = named.iter().map(|name| Subject::parse(name)).collect::<Result<Vec<_>, _>>();
        let mut subjects = parsed.map_err(Failure::usage)?;
        if subjects.is_empty() {
            let present = subject::registry().into_iter().filter(|one| one.missing().is_none());
            subjects = present.filter(|subject| subject.role != Role::Reference).collect();
        }
        unique(subjects.iter().map(|subject| subject.name.as_str()), "subject")?;
        Ok(Self::Subjects(subjects))
    }

    /// The subjects with what they are to serve: a program that can be found, or workloads.
    fn with_loads(self, args: &Memcheck) -> Result<Loads, Failure> {
        let subjects = match self {
            Self::Servers(servers) => return Ok(Loads::Program(servers, program(&args.command)?)),
            Self::Subjects(subjects) => subjects,
        };
        let names = if args.workloads.is_empty() {
            let all = workloads::generate::all().iter();
            let serial = all.filter(|spec| spec.workload.has_eras()).cloned();
            serial.map(Name::Generated).collect()
        } else {
            args.workloads.clone()
        };
        let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
        unique(texts.iter().map(String::as_str), "workload")?;
        let extent = Extent {
            operations: args.generation.operations.unwrap_or(OPERATIONS),
            seed: args.generation.seed,
        };
        let wanted = names.iter().filter(|_| !args.bugs.bugs_only);
        let prepared = wanted.map(|name| workload::prepare(name, extent));
        Ok(Loads::Replays(subjects, prepared.collect::<Result<_, _>>()?))
    }
}

/// The program; a Python interpreter is the one that the command leads to, since Valgrind would
/// only watch the script that starts it.
fn program(command: &[OsString]) -> Result<Program, Failure> {
    super::program::find(&command[0])?;
    let mut program = Program::of(command.to_vec());
    if is_python(&command[0]) {
        program.command[0] = suite::interpreter(&command[0])?;
    }
    Ok(program)
}

fn is_python(command: &OsStr) -> bool {
    let name = Path::new(command).file_name().unwrap_or_default().to_string_lossy();
    let version = name.strip_prefix("python");
    version.is_some_and(|rest| rest.chars().all(|char| char.is_ascii_digit() || char == '.'))
}

/// A cell for every server and variant.
fn programs<'a>(
    servers: &'a [Server],
    program: &'a Program,
    variants: &[Variant],
) -> Vec<Cell<'a>> {
    let of_server = |server: &'a Server| {
        let cell = |&variant: &Variant| Cell { load: Load::Program(program, server), variant };
        variants.iter().map(cell).collect::<Vec<_>>()
    };
    servers.iter().flat_map(of_server).collect()
}

/// Where records go, with those that say what is run; and what an earlier run has left.
fn begin_records(args: &Memcheck, loads: &Loads) -> Result<(Sink, Taken, Vec<Detection>), Failure> {
    let settings = Settings { profile: "custom", seed: args.generation.seed, baseline: "system" };
    let fingerprint = host::fingerprint(&settings);
    let (subjects, workloads): (Vec<record::Subject>, Vec<Workload>) = match loads {
        Loads::Replays(subjects, prepared) => (
            subjects.iter().map(subject_record).collect(),
            prepared.iter().map(|one| one.record.clone()).collect(),
        ),
        Loads::Program(servers, _) => (servers.iter().map(Server::record).collect(), Vec::new()),
    };
    let (mut sink, earlier) = match &args.output {
        Some(folder) => {
            let begun = Begun { host: &fingerprint, subjects: &subjects, touch: args.touch };
            open(folder, args.resume, &begun)?
        }
        None => (Sink::Memory(Vec::new()), None),
    };
    resume::begin(&mut sink, fingerprint, subjects, earlier.as_ref())?;
    let known = earlier.as_ref().map_or(&[][..], |earlier| &earlier.workloads);
    let begun = earlier.as_ref().is_none_or(resume::has_only_begun);
    if workloads != known && !(begun && workloads.starts_with(known)) {
        return Err(Failure::usage("the workloads are not what they were when the run began"));
    }
    for workload in workloads.into_iter().skip(known.len()) {
        sink.put(Record::Workload(workload))?;
    }
    let detected = earlier.as_ref().map_or_else(Vec::new, |earlier| earlier.detections.clone());
    let taken = earlier
        .map_or_else(Taken::default, |earlier| Taken::of(&earlier.samples, &earlier.memchecks));
    Ok((sink, taken, detected))
}

/// Draws the report where there is a folder for it, and prints the counts in the order of `cells`.
fn conclude(sink: Sink, cells: &[Cell<'_>], args: &Memcheck, voice: &Voice) -> Result<(), Failure> {
    let mut results = match sink {
        Sink::File(file) => read_results(file.path())?,
        Sink::Memory(records) => gather(records),
    };
    let place = |one: &Counted| {
        cells.iter().position(|cell| {
            let names = (one.subject.as_str(), one.workload.as_str());
            let variant = (cell.variant.symbols.name(), cell.variant.requests.name());
            cell.names() == names && variant == (one.symbols.as_str(), one.requests.as_str())
        })
    };
    results.memchecks.sort_by_key(place);
    if let Some(folder) = &args.output {
        reports::write_report(&results, folder)
            .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
        let page = folder.join("index.html");
        let page = std::path::absolute(&page).unwrap_or(page);
        voice.say(format!("Records: {}", folder.join(RESULTS).display()));
        voice.say(format!("Report: {}", page.display()));
    }
    if args.format == Format::Json {
        let counted = results.memchecks.into_iter().map(Record::Memcheck);
        let detected = results.detections.into_iter().map(Record::Detection);
        return print::records(counted.chain(detected).collect());
    }
    if !args.bugs.bugs_only {
        print::table(&table(&results.memchecks), args.format)?;
    }
    if results.detections.is_empty() {
        return Ok(());
    }
    let of = if args.format == Format::Csv { detection::table } else { detection::counts };
    print::table(&of(&results.detections), args.format)
}

/// The records of this run as if they had been read from a file.
fn gather(records: Vec<Record>) -> Results {
    let mut results = Results::new(record::Host::default());
    for record in records {
        match record {
            Record::Host(host) => results.host = host,
            Record::Subject(subject) => results.subjects.push(subject),
            Record::Workload(workload) => results.workloads.push(workload),
            Record::Memcheck(counted) => results.memchecks.push(counted),
            Record::Detection(detected) => results.detections.push(detected),
            Record::End(end) => results.ends.push(end),
            _ => {}
        }
    }
    results
}

/// One row per cell.
pub(super) fn table(counted: &[Counted]) -> Table {
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        let parts: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        parts.join(", ")
    };
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}"));
    let line = |cell: &Counted| {
        let kinds = match &cell.message {
            Some(message) => format!("{}: {message}", cell.status.word()),
            None => list(&cell.errors_by_kind),
        };
        vec![
            cell.workload.clone(),
            cell.subject.clone(),
            cell.variant(),
            cell.ownership.clone().unwrap_or_default(),
            kinds,
            list(&cell.errors_by_operation),
            cell.leaks.as_ref().map(leaks).unwrap_or_default(),
            count(cell.errors),
            count(cell.contexts),
            count(cell.errors_suppressed),
            ratio(cell.cpu_ratio),
            ratio(cell.rss_ratio),
        ]
    };
    let head = [
        "workload",
        "subject",
        "variant",
        "ownership",
        "by kind",
        "by operation",
        "leaks",
        "errors",
        "contexts",
        "suppressed",
        "time ratio",
        "memory ratio",
    ];
    print::table_of(&head, 7, counted.iter().map(line).collect())
}

/// `DefinitelyLost 48 B in 2`, by kind.
fn leaks(leaks: &std::collections::BTreeMap<String, record::Leak>) -> String {
    if leaks.is_empty() {
        return "none".to_owned();
    }
    let one = |(kind, leak): (&String, &record::Leak)| {
        let kind = kind.trim_start_matches("Leak_");
        format!("{kind} {} B in {}", leak.bytes, leak.blocks)
    };
    leaks.iter().map(one).collect::<Vec<_>>().join(", ")
}
