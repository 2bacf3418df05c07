//! `arenabench ownership`: what ownership tests cost, alone and in a heap.

use std::path::Path;
use std::time::{Duration, Instant};

use reports::ownership::{self as figures, Strategies};
use reports::record::{End, Record, Role, Status};
use reports::results::{Results, ResultsFile};

use super::print;
use crate::child::job::Task;
use crate::child::spawn::Limits;
use crate::cli::{Format, Ownership, Profile};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::ownership::session::{Extent, Lab};
use crate::ownership::strategy;
use crate::ownership::terrain::Pattern;
use crate::replay::touch::Touch;
use crate::session::{self, Conditions, Pace, Session, Sink, Taken};
use crate::subject::{self, Subject};
use crate::talk::Voice;
use crate::workload::{self, Name, Prepared};

/// Numbers of arenas; the last one is made up.
const ARENAS: [u64; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
/// Numbers of arenas at which instructions are counted.
const COUNTED_ARENAS: [u64; 1] = [1_000];
/// Shares of foreign addresses; the last one is every one.
const MISS_SHARES: [f64; 5] = [0.0, 0.01, 0.05, 0.35, 1.0];
/// Addresses of a row.
const QUERIES: usize = 1 << 16;
/// Workloads that strategies are tried on in a heap: two generators and a recorded program.
const WORKLOADS: [&str; 3] = ["int-churn", "dict-resize", "cpython-3.11-day"];

/// Rounds of the lab, its time, rounds in place and their calls.
struct Plan {
    rounds: (u32, u32),
    budget: Duration,
    in_place_rounds: u32,
    operations: u64,
    passes: u32,
}

fn plan_of(args: &Ownership) -> Plan {
    let seconds = Duration::from_secs;
    let mut plan = match args.profile {
        Profile::Quick => Plan {
            rounds: (3, 7),
            budget: seconds(45),
            in_place_rounds: 3,
            operations: 300_000,
            passes: 4,
        },
        Profile::Standard => Plan {
            rounds: (9, 15),
            budget: seconds(300),
            in_place_rounds: 9,
            operations: 1_000_000,
            passes: 8,
        },
        Profile::Full => Plan {
            rounds: (25, 25),
            budget: seconds(3600),
            in_place_rounds: 25,
            operations: 5_000_000,
            passes: 15,
        },
    };
    if let Some(rounds) = args.rounds {
        plan.rounds = (rounds, rounds);
        plan.in_place_rounds = rounds;
    }
    plan
}

/// Runs the command.
pub(crate) fn run(args: &Ownership, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let plan = plan_of(args);
    let extent = extent_of(args, &plan);
    super::run::unique(extent.strategies.iter().map(|one| one.name), "strategy")?;
    let heaps = if args.no_in_place { Vec::new() } else { heaps() };
    let baseline = heaps.first().map_or_else(|| "none".to_owned(), |heap| heap.name.clone());
    let mut sink = match &args.output {
        Some(folder) => Sink::File(open(folder)?),
        None => Sink::Memory(Vec::new()),
    };
    let profile = if is_custom(args) { "custom" } else { args.profile.name() };
    let settings = Settings { profile, seed: args.seed, baseline: &baseline };
    let mut results = Results::new(host::fingerprint(&settings));
    sink.put(Record::Host(results.host.clone()))?;
    let limits = Limits { timeout: args.timeout, memory_bytes: host::memory_limit() };

    let taken = Vec::new();
    let mut lab = Lab { extent: &extent, limits, voice, interrupt, sink: &mut sink, taken };
    lab.measure()?;
    if !args.no_instructions {
        lab.count(results.host.valgrind.as_deref())?;
    }
    results.ownerships = lab.taken;
    let mut failures = 0;
    if !heaps.is_empty() {
        let in_place = InPlace { plan: &plan, limits, seed: args.seed, voice, interrupt };
        (sink, failures) = in_place.measure(&heaps, sink, &mut results)?;
    }
    let run_wall_ns = begin.elapsed().as_nanos() as u64;
    let outcome = if interrupt.requested() { "interrupted" } else { "complete" }.to_owned();
    sink.put(Record::End(End { outcome, run_wall_ns, measuring_wall_ns: run_wall_ns }))?;
    if let Some(folder) = &args.output {
        results = super::run::read_results(&folder.join(super::run::RESULTS))?;
        reports::write_report(&results, folder)
            .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    } else if let Sink::Memory(records) = sink {
        let samples = records.into_iter().filter_map(|record| match record {
            Record::Sample(sample) => Some(sample),
            _ => None,
        });
        results.samples = samples.collect();
    }
    print_results(&results, args.format)?;
    Ok(exit_code(&results, failures, interrupt))
}

fn extent_of(args: &Ownership, plan: &Plan) -> Extent {
    let or = |given: &[u64], all: &[u64]| if given.is_empty() { all } else { given }.to_vec();
    let defaults = || strategy::ALL.into_iter().filter(|one| one.is_default).collect();
    let arenas = or(&args.arenas, &ARENAS);
    Extent {
        strategies: if args.strategies.is_empty() { defaults() } else { args.strategies.clone() },
        counted_arenas: or(&args.arenas, &COUNTED_ARENAS),
        arenas,
        patterns: if args.patterns.is_empty() {
            Pattern::ALL.to_vec()
        } else {
            args.patterns.clone()
        },
        miss_shares: MISS_SHARES.to_vec(),
        queries: QUERIES,
        rounds: plan.rounds,
        budget: plan.budget,
        seed: args.seed,
    }
}

fn is_custom(args: &Ownership) -> bool {
    !args.strategies.is_empty()
        || !args.arenas.is_empty()
        || !args.patterns.is_empty()
        || args.rounds.is_some()
}

fn open(folder: &Path) -> Result<ResultsFile, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder.display(), error))?;
    let path = folder.join(super::run::RESULTS);
    ResultsFile::create(&path).map_err(|error| Failure::io(path.display(), error))
}

/// The heaps that differ in their ownership test: those of one geometry where there are any, else
/// the presets, which differ in more than that.
fn heaps() -> Vec<Subject> {
    let all: Vec<Subject> =
        subject::registry().into_iter().filter(|one| one.role == Role::Preset).collect();
    let alike: Vec<Subject> =
        all.iter().filter(|one| figures::is_alike(&one.name)).cloned().collect();
    if alike.is_empty() { all } else { alike }
}

/// The strategies in a heap, by the ordinary replay.
struct InPlace<'a> {
    plan: &'a Plan,
    limits: Limits,
    seed: u64,
    voice: &'a Voice,
    interrupt: &'a Interrupt,
}

impl InPlace<'_> {
    fn measure(
        &self,
        heaps: &[Subject],
        mut sink: Sink,
        results: &mut Results,
    ) -> Result<(Sink, u64), Failure> {
        let Self { plan, limits, seed, voice, interrupt } = *self;
        let extent = workload::Extent { operations: plan.operations, seed };
        let prepared = WORKLOADS
            .iter()
            .map(|name| workload::prepare(&Name::parse(name).map_err(Failure::usage)?, extent))
            .collect::<Result<Vec<Prepared>, Failure>>()?;
        for heap in heaps {
            let record = session::subject_record(heap);
            results.subjects.push(record.clone());
            sink.put(Record::Subject(record))?;
        }
        for workload in &prepared {
            results.workloads.push(workload.record.clone());
            sink.put(Record::Workload(workload.record.clone()))?;
        }
        let conditions = Conditions { touch: Touch::Header, limits, seed, voice, interrupt };
        let baseline = &heaps[0].name;
        let mut session = Session::new(conditions, heaps, prepared.iter().collect(), baseline)
            .resumed(sink, Taken::default());
        session.measure(&Pace::of_rounds(
            plan.in_place_rounds,
            Task::Measure { passes: plan.passes },
        ))?;
        Ok((session.sink, session.failures))
    }
}

fn print_results(results: &Results, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let mut records: Vec<Record> =
            results.ownerships.iter().cloned().map(Record::Ownership).collect();
        records.extend(results.samples.iter().cloned().map(Record::Sample));
        return print::records(records);
    }
    let Some(strategies) = Strategies::of(results) else { return Ok(()) };
    if format == Format::Csv {
        return print::table(&strategies.every_cell(), format);
    }
    print::table(&strategies.table(), format)?;
    for question in figures::CHARTED {
        let sentence = strategies.sentence(question);
        if !sentence.is_empty() {
            print::out(&format!("\n{}: {sentence}\n", figures::title(question)))?;
        }
    }
    if let Some(table) = figures::in_place(&results.samples) {
        print::out("\n")?;
        print::table(&table, format)?;
    }
    Ok(())
}

/// A wrong answer is exit code 1, any other failure 3.
fn exit_code(results: &Results, failures: u64, interrupt: &Interrupt) -> u8 {
    let statuses = || results.ownerships.iter().map(|record| record.status);
    if interrupt.requested() {
        exit::INTERRUPTED
    } else if statuses().any(|status| status == Status::Mismatch) {
        exit::REGRESSION
    } else if failures > 0 || statuses().any(Status::is_failure) {
        exit::INCOMPLETE
    } else {
        exit::GOOD
    }
}
