//! `arenabench check`: the gate.
//!
//! Measures, and leaves the judging to [`reports::check`]. The two sides are told apart in `sides`;
//! one that has to be built first is built in `revision`. What is measured:
//!
//! | against | verification, instructions, memory, Valgrind errors, C contract, seeded bugs | time, tails |
//! |---|---|---|
//! | the recorded baseline | yes, when the tool chain is the baseline's | no: figures of two days |
//! | a revision or library | yes, both sides now | yes, interleaved in random order |
//!
//! Where the clock leaves a doubt, the doubtful workloads are measured again and all rounds judged
//! together.

mod revision;
mod sides;

use std::path::Path;
use std::time::{Duration, Instant};

use reports::check::{Check as Judged, Key, Ruling, Scope, Side};
use reports::record::{End, Line, Record, SCHEMA};
use reports::results::Results;

use self::sides::Sides;
use super::resume::Begun;
use super::run::{RESULTS, open, read_results, unique};
use super::{detection, print};
use crate::child::job::Task;
use crate::child::spawn::Limits;
use crate::cli::{Check, CheckFormat};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::replay::touch::Touch;
use crate::session::{Conditions, Pace, Session, TailsPace, subject_record};
use crate::subject::Subject;
use crate::talk::Voice;
use crate::valgrind::{Cell, Load, Options, Variant};
use crate::workload::{self, Extent, Name, Prepared};

/// Calls in the measured region of generated workloads.
const OPERATIONS: u64 = 50_000;
/// As many times longer is the region of generated workloads whose calls are timed one by one: of what
/// happens once in tens of thousands of calls there must be several to tell it from a disturbance.
const TAIL_TIMES: u64 = 10;
/// Calls beyond which such a region is not made longer.
const MOST_TAIL_OPERATIONS: u64 = 1_000_000;
/// Workloads of a gate: small objects, growing tables, deep stacks, two threads, recordings with
/// large and growing blocks, every call that these make too seldom to show in their sum, and what is
/// about memory: other sizes one after the other, threads that come and go.
const WORKLOADS: [&str; 14] = [
    "int-churn",
    "dict-resize",
    "frame-push-pop",
    "larson",
    "producer-consumer",
    "cpython-3.11-day",
    "cpython-3.11-string-build",
    "calloc-churn",
    "realloc-churn",
    "aligned-churn",
    "large-churn",
    "growth-churn",
    "phase-churn",
    "thread-churn",
];
/// A load whose time is that of starting and ending threads, of any size.
const UNTIMED: &str = "thread-churn";
/// Rounds in which calls are timed one by one; as many again to confirm.
const TAIL_ROUNDS: u32 = 4;
/// Passes of a timed child beyond the first.
const PASSES: u32 = 8;
/// Rounds are counted, not timed.
const NO_BUDGET: Duration = Duration::from_secs(24 * 3600);

/// Runs the command.
pub(crate) fn run(args: &Check, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let names = chosen_workloads(args)?;
    let chosen = sides::chosen(args)?;
    let bugs = if args.no_bugs { Vec::new() } else { detection::bugs_named(&args.bug)? };
    let Some(version) = host::valgrind_version() else {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("valgrind is not installed; install the package `valgrind`"),
        });
    };
    let settings =
        Settings { profile: "check", seed: args.generation.seed, baseline: &chosen[0].name };
    let fingerprint = host::fingerprint(&settings);
    let mut baseline = match args.record || args.against.is_some() {
        true => None,
        false => Some(complete(&args.baseline)?),
    };
    // What is left out on purpose is not missed.
    if let Some(baseline) = &mut baseline {
        baseline.detections.retain(|one| bugs.iter().any(|bug| bug.name == one.bug));
        baseline.contracts.retain(|_| !args.no_contract);
    }
    if let Some(baseline) = &baseline {
        let differences = Key::of(&baseline.host).differences(&Key::of(&fingerprint));
        if !differences.is_empty() {
            let names: Vec<&str> = chosen.iter().map(|subject| subject.name.as_str()).collect();
            return conclude(&Judged::of_another_key(&names, &differences), args, voice);
        }
    }
    let sides = match Sides::of(args, chosen, voice) {
        // What was being built was interrupted as well, and says only that it failed.
        Err(_) if interrupt.requested() => return Ok(exit::INTERRUPTED),
        sides => sides?,
    };
    let subjects = sides.all();
    let extent = Extent {
        operations: args.generation.operations.unwrap_or(OPERATIONS),
        seed: args.generation.seed,
    };
    let is_timed = !args.record && args.against.is_some() && !args.no_time;
    let prepare = |name: &Name, operations| {
        let extent = Extent { operations, ..extent };
        workload::prepare(name, extent).and_then(|one: Prepared| one.in_mode(None))
    };
    let prepared =
        names.iter().map(|name| prepare(name, extent.operations).and_then(Prepared::with_turns));
    let prepared: Vec<Prepared> = prepared.collect::<Result<_, _>>()?;
    let tail_operations = extent.operations.saturating_mul(TAIL_TIMES).min(MOST_TAIL_OPERATIONS);
    let tail_operations = tail_operations.max(extent.operations);
    let both = names.iter().zip(&prepared);
    let long = both.filter(|(name, one)| is_timed && has_time(one) && name.is_generated());
    let long = long.map(|(name, _)| prepare(name, tail_operations));
    let long: Vec<Prepared> = long.collect::<Result<_, _>>()?;

    let scratch = tempfile::Builder::new().prefix("arenabench-check-").tempdir();
    let scratch = scratch.map_err(|error| Failure::io("cannot make a folder", error))?;
    let folder = args.output.as_deref().unwrap_or(scratch.path());
    let records: Vec<_> = subjects.iter().map(subject_record).collect();
    let begun = Begun { host: &fingerprint, subjects: &records, touch: Touch::default() };
    let (mut sink, _) = open(folder, false, &begun)?;
    sink.put(Record::Host(fingerprint))?;
    records.into_iter().try_for_each(|subject| sink.put(Record::Subject(subject)))?;
    for one in &prepared {
        sink.put(Record::Workload(one.record.clone()))?;
    }
    let limits = Limits { timeout: args.timeout, memory_bytes: host::memory_limit() };
    let seed = args.generation.seed;
    let conditions = Conditions { touch: Touch::default(), limits, seed, voice, interrupt };
    let session = Session::new(conditions, &subjects, prepared.iter().collect(), "");
    let mut session = session.resumed(sink, crate::session::Taken::default());
    if !args.no_contract {
        session.contracts()?;
    }
    count(&mut session, version)?;
    if !bugs.is_empty() {
        session.detections(&bugs)?;
    }
    let path = folder.join(RESULTS);
    let mut judged = Judged::default();
    if !args.record {
        judged = match is_timed {
            true => Judged {
                notes: sides.notes(),
                ..timed(&mut session, &long, &sides, &path, args.rounds)?
            },
            false => judge(&sides, baseline.as_ref(), &read_results(&path)?, Scope::Deterministic),
        };
    }
    let outcome = if interrupt.requested() { "interrupted" } else { "complete" };
    session.sink.put(Record::End(End {
        outcome: outcome.to_owned(),
        run_wall_ns: begin.elapsed().as_nanos() as u64,
        measuring_wall_ns: session.measuring.as_nanos() as u64,
    }))?;
    if interrupt.requested() {
        return Ok(exit::INTERRUPTED);
    }
    if args.record {
        if session.failures > 0 {
            voice.say("Not recorded: a baseline with failed cells would let them pass");
            return Ok(exit::INCOMPLETE);
        }
        return record(&read_results(&path)?, &args.baseline, voice);
    }
    conclude(&judged, args, voice)
}

fn chosen_workloads(args: &Check) -> Result<Vec<Name>, Failure> {
    let names = match args.workloads.as_slice() {
        [] => {
            let names = WORKLOADS.iter().map(|name| Name::parse(name));
            names.collect::<Result<_, _>>().map_err(Failure::usage)?
        }
        names => names.to_vec(),
    };
    let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
    unique(texts.iter().map(String::as_str), "workload")?;
    Ok(names)
}

/// Everything that repeats exactly of workloads.
fn count(session: &mut Session<'_>, version: String) -> Result<(), Failure> {
    session.verify()?;
    session.counts(&version)?;
    session.footprints()?;
    let options = Options { version, ..Options::default() };
    let cells: Vec<Cell<'_>> = session.replays(&Variant::all(&[], &[]));
    // A cell that hangs or crashes would do so again, more slowly.
    let sound = |cell: &&Cell<'_>| match cell.load {
        Load::Replay(request) => {
            !session.has_failed(&request.subject.name, &request.workload.record.workload)
        }
        Load::Program(..) => true,
    };
    let cells: Vec<Cell<'_>> = cells.iter().filter(sound).copied().collect();
    let jobs = session.jobs(1);
    session.memcheck(&cells, &options, jobs)
}

/// Time and tails, these on the `long` workloads where there is one of the name; again on the workloads
/// that the first measurement leaves a doubt about.
fn timed<'a>(
    session: &mut Session<'a>,
    long: &'a [Prepared],
    sides: &Sides,
    path: &Path,
    rounds: u32,
) -> Result<Judged, Failure> {
    let (every, untimed): (Vec<_>, Vec<_>) =
        session.workloads.iter().copied().partition(|one| has_time(one));
    let untimed: Vec<&str> = untimed.iter().map(|one| one.record.workload.as_str()).collect();
    let scope = Scope::Timed { second_from: TAIL_ROUNDS, untimed: &untimed };
    session.workloads.clone_from(&every);
    for times in [1, 2] {
        let rounds = rounds * times;
        session.measure(&Pace::of_rounds(rounds, Task::Measure { passes: PASSES }))?;
        let tailed = session.workloads.iter().map(|&short| {
            let is_same = |one: &&Prepared| one.record.workload == short.record.workload;
            long.iter().find(is_same).unwrap_or(short)
        });
        let tailed = tailed.collect();
        let pace = TailsPace { max_rounds: TAIL_ROUNDS * times, budget: NO_BUDGET };
        session.on(session.subjects, tailed, |inner| inner.tails(&pace))?;
        let judged = judge(sides, None, &read_results(path)?, scope);
        let doubtful = judged.doubtful_workloads();
        if times == 2 || doubtful.is_empty() || session.conditions.interrupt.requested() {
            return Ok(judged);
        }
        session.conditions.voice.say(format!("Measuring again: {}", doubtful.join(", ")));
        let is_doubtful = |one: &&Prepared| doubtful.contains(&one.record.workload.as_str());
        session.workloads = every.iter().copied().filter(is_doubtful).collect();
    }
    unreachable!("the second turn of the loop returns")
}

/// Whether the time of a workload is the allocator's.
fn has_time(workload: &Prepared) -> bool {
    workload.record.workload.split([':', '+']).next() != Some(UNTIMED)
}

fn judge(sides: &Sides, baseline: Option<&Results>, now: &Results, scope: Scope<'_>) -> Judged {
    let mut judged = Judged::default();
    for (before, after) in sides.pairs() {
        let before = Side { results: baseline.unwrap_or(now), subject: before };
        judged.judge(before, Side { results: now, subject: after }, scope);
    }
    judged
}

/// A baseline that was recorded to its end.
fn complete(path: &Path) -> Result<Results, Failure> {
    let results = read_results(path)?;
    if !results.is_complete() {
        let path = path.display();
        return Err(Failure::data(anyhow::anyhow!(
            "{path}: the recording did not come to its end"
        )));
    }
    Ok(results)
}

/// Writes the baseline, which has no figure that the clock has made.
fn record(results: &Results, path: &Path, voice: &Voice) -> Outcome {
    let mut text = String::new();
    for record in results.records() {
        let line = serde_json::to_string(&Line { schema: SCHEMA.to_owned(), record });
        text += &line.map_err(|error| Failure::io("baseline", error.into()))?;
        text.push('\n');
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder.display(), error))?;
    }
    print::to(Some(path), &text)?;
    voice.say(format!("Recorded: {}", path.display()));
    Ok(exit::GOOD)
}

/// Prints the rulings and turns them into an exit code.
fn conclude(judged: &Judged, args: &Check, voice: &Voice) -> Outcome {
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder.display(), error))?;
        print::to(Some(&folder.join("summary.md")), &judged.to_markdown())?;
        print::to(Some(&folder.join("junit.xml")), &judged.to_junit())?;
    }
    match args.format {
        CheckFormat::Table => {
            let table = judged.table(args.all);
            if !table.rows.is_empty() {
                print::out(&print::plain(&table))?;
            }
        }
        CheckFormat::Json => print::json(&judged.to_json())?,
        CheckFormat::Csv => print::out(&judged.to_csv())?,
        CheckFormat::Md => print::out(&judged.to_markdown())?,
        CheckFormat::Junit => print::out(&judged.to_junit())?,
    }
    if args.against.is_some() {
        judged.notes.iter().for_each(|note| voice.say(note));
    }
    let outcome = judged.outcome();
    voice.say(format!("{}: {}", outcome.word(), judged.sentence()));
    let is_moved = judged.rows.iter().any(|row| row.ruling == Ruling::Better);
    if args.against.is_none() && (outcome == Ruling::Undecided || is_moved) {
        voice.say(format!("To record the baseline anew: {}", record_command(args)));
    }
    Ok(match outcome {
        Ruling::Good | Ruling::Better => exit::GOOD,
        Ruling::Undecided => exit::UNDECIDED,
        Ruling::Failed => exit::INCOMPLETE,
        Ruling::Regression => exit::REGRESSION,
    })
}

/// The command line that records what this one compares with.
fn record_command(args: &Check) -> String {
    let mut words = vec!["arenabench check --record".to_owned()];
    words.extend(args.subjects.iter().map(|one: &Subject| format!("-s {}", one.spelling())));
    words.extend(args.workloads.iter().map(|one| format!("-w {one}")));
    if let Some(operations) = args.generation.operations {
        words.push(format!("--operations {operations}"));
    }
    if args.generation.seed != 1 {
        words.push(format!("--seed {}", args.generation.seed));
    }
    words.extend(args.no_contract.then(|| "--no-contract".to_owned()));
    words.extend(args.no_bugs.then(|| "--no-bugs".to_owned()));
    words.push(format!("--baseline {}", args.baseline.display()));
    words.join(" ")
}
