//! `arenabench program`: a real program, or a suite of them, under each subject.

mod replays;

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use reports::programs::Programs;
use reports::record::{End, Record};
use reports::results::Results;

use super::print;
use super::resume::{self, Begun};
use super::run::RESULTS;
use crate::child::spawn::Limits;
use crate::cli::{Format, Program as Arguments};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings as HostSettings};
use crate::interrupt::Interrupt;
use crate::program::session::{Session as Runs, Settings};
use crate::program::subject::Server;
use crate::program::suite::Scripts;
use crate::program::{Program, suite};
use crate::replay::touch::Touch;
use crate::session::{Conditions, Sink};
use crate::talk::Voice;
use replays::Replays;

/// Runs the command.
pub(crate) fn run(args: &Arguments, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let python = is_python(args);
    let (mut servers, baseline) = chosen_servers(args, python)?;
    suite::check_names(&args.programs)?;
    let (programs, scripts) = chosen_programs(args)?;
    // The interpreter of the suite is known; what is named to run may be anything, and is not asked.
    if let Some(program) = programs.first().filter(|_| args.suite.is_some())
        && let Some(version) = host::first_line(&program.command[0], &["--version"])
    {
        servers.iter_mut().for_each(|server| server.run_by(&version));
    }
    let settings = HostSettings { profile: "custom", seed: args.seed, baseline: &baseline };
    let fingerprint = host::fingerprint(&settings);
    let subjects: Vec<_> = servers.iter().map(Server::record).collect();
    let begun = Begun { host: &fingerprint, subjects: &subjects, touch: Touch::default() };
    let (mut sink, earlier) = match &args.output {
        Some(folder) => super::run::open(folder, args.resume, &begun)?,
        None => (Sink::Memory(Vec::new()), None),
    };
    resume::same_programs(&programs, earlier.as_ref())?;
    resume::begin(&mut sink, fingerprint, subjects, earlier.as_ref())?;
    let session = Runs::new(
        Settings {
            programs: &programs,
            servers: &servers,
            baseline: &baseline,
            python,
            compare: args.compare,
            rounds: args.rounds,
            seed: args.seed,
            limits: Limits { timeout: args.timeout, memory_bytes: host::memory_limit() },
        },
        voice,
        interrupt,
        sink,
    )
    .resumed(earlier.as_ref().map_or(&[], |earlier| &earlier.programs));
    let mut finished = session.run()?;
    if args.fidelity {
        let limits = Limits { timeout: args.timeout, memory_bytes: host::memory_limit() };
        let replays = Replays {
            programs: &programs,
            python,
            baseline: &baseline,
            rounds: args.rounds,
            conditions: Conditions {
                touch: Touch::default(),
                limits,
                seed: args.seed,
                voice,
                interrupt,
            },
            folder: args.output.as_deref(),
            earlier: earlier.as_ref(),
        };
        replays.run(&servers, &mut finished)?;
    }
    drop(scripts);
    finished.sink.put(Record::End(End {
        outcome: if interrupt.requested() { "interrupted" } else { "complete" }.to_owned(),
        run_wall_ns: begin.elapsed().as_nanos() as u64,
        measuring_wall_ns: finished.measuring.as_nanos() as u64,
    }))?;
    let (mismatch, failures) = (finished.mismatch, finished.failures);
    conclude(finished.sink, args, voice)?;
    Ok(match (interrupt.requested(), mismatch, failures) {
        (true, _, _) => exit::INTERRUPTED,
        (false, true, _) => exit::REGRESSION,
        (false, false, 1..) => exit::INCOMPLETE,
        (false, false, 0) => exit::GOOD,
    })
}

/// Whether a Python interpreter runs the programs, so that there is a choice of allocators in it.
fn is_python(args: &Arguments) -> bool {
    let named = args.subjects.iter().chain(&args.baseline).any(|server| server.pymalloc);
    args.suite.is_some() || args.python || named
}

/// The subjects, and the baseline's name; the baseline is one of them.
fn chosen_servers(args: &Arguments, python: bool) -> Result<(Vec<Server>, String), Failure> {
    let mut servers = args.subjects.clone();
    if servers.is_empty() {
        servers = Server::defaults();
    }
    let baseline = match &args.baseline {
        Some(baseline) => baseline.clone(),
        // The interpreter's own allocator cannot be replayed.
        None if args.fidelity => Server::system(),
        None if python => Server::pymalloc(),
        None => Server::system(),
    };
    if !servers.iter().any(|server| server.name == baseline.name) {
        servers.insert(0, baseline.clone());
    }
    if args.fidelity && baseline.in_replays().is_none() {
        return Err(Failure::usage(format!(
            "`{}` cannot serve a replay, and so not be the baseline with --fidelity",
            baseline.name
        )));
    }
    super::run::unique(servers.iter().map(|server| server.name.as_str()), "subject")?;
    if let Some(reason) = &baseline.missing {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("the baseline is missing: {reason}"),
        });
    }
    Ok((servers, baseline.name))
}

/// The programs, and the folder of the suite's scripts, which is removed when dropped.
fn chosen_programs(args: &Arguments) -> Result<(Vec<Program>, Option<Scripts>), Failure> {
    if args.suite.is_none() {
        let program = Program::of(args.command.clone());
        find(&program.command[0])?;
        return Ok((vec![program], None));
    }
    find(&args.interpreter)?;
    let interpreter = suite::interpreter(&args.interpreter)?;
    let scripts = Scripts::write().map_err(|error| Failure::io("the suite's programs", error))?;
    let programs = scripts.programs(&interpreter, &args.programs, args.amount);
    Ok((programs, Some(scripts)))
}

/// Looks for a command as exec does, so that a missing one is found before any file is written.
pub(super) fn find(command: &OsStr) -> Result<(), Failure> {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let found = if Path::new(command).components().count() > 1 {
        is_program(Path::new(command))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| is_program(&folder.join(command)))
    };
    if found {
        return Ok(());
    }
    let error =
        io::Error::new(io::ErrorKind::NotFound, "no such program, or it cannot be executed");
    Err(Failure::io(Path::new(command).display(), error))
}

/// Draws the report where there is a folder for it, and prints the figures.
fn conclude(sink: Sink, args: &Arguments, voice: &Voice) -> Result<(), Failure> {
    let results = match sink {
        Sink::Memory(records) => gather(records),
        Sink::File(file) => super::run::read_results(file.path())?,
    };
    if let Some(folder) = &args.output {
        reports::write_report(&results, folder)
            .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    }
    print_figures(&results, args.format)?;
    if let Some(folder) = &args.output {
        let page: PathBuf = folder.join("index.html");
        let page = std::path::absolute(&page).unwrap_or(page);
        voice.say(format!("Records: {}", folder.join(RESULTS).display()));
        voice.say(format!("Report: {}", page.display()));
    }
    Ok(())
}

fn print_figures(results: &Results, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print::records(results.records());
    }
    let Some(programs) = Programs::of(results) else { return Ok(()) };
    if format == Format::Csv {
        return print::out(&programs.to_csv());
    }
    print::table(&programs.table(), format)?;
    if programs.names.len() > 1 {
        print::out("\n")?;
        print::table(&programs.overall_table(), format)?;
    }
    Ok(())
}

/// The records of this run as if they had been read from a file.
fn gather(records: Vec<Record>) -> Results {
    let mut results = Results::new(reports::record::Host::default());
    for record in records {
        match record {
            Record::Host(host) => results.host = host,
            Record::Subject(subject) => results.subjects.push(subject),
            Record::Program(program) => results.programs.push(program),
            Record::Workload(workload) => results.workloads.push(workload),
            Record::Recording(recording) => results.recordings.push(recording),
            Record::Sample(sample) => results.samples.push(sample),
            Record::Unmeasured(unmeasured) => results.unmeasured.push(unmeasured),
            Record::End(end) => results.ends.push(end),
            _ => {}
        }
    }
    results
}
