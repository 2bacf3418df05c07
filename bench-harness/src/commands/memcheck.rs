//! `arenabench memcheck`: what Valgrind reports of each subject on each workload.

use reports::record::{Memcheck as Counted, Record, Role};

use reports::summary::Table;

use super::{detection, print};
use crate::cli::{Format, Memcheck};
use crate::exit::{self, Failure, Outcome};
use crate::host;
use crate::interrupt::Interrupt;
use crate::session::{Conditions, Session, Sink};
use crate::subject;
use crate::talk::Voice;
use crate::workload::{self, Extent, Name};

/// Calls in the measured region of generated workloads.
const OPERATIONS: u64 = 100_000;

/// Runs the command.
pub(crate) fn run(args: &Memcheck, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let everything = args.subjects.subjects.is_empty() && args.workloads.is_empty();
    let bugs = match everything || args.bugs.are_asked_for() {
        true => detection::Chosen::of(&args.bugs)?,
        false => None,
    };
    let subjects = if args.subjects.subjects.is_empty() {
        let all = subject::registry().into_iter();
        let present = all.filter(|subject| subject.missing().is_none());
        present.filter(|subject| subject.role != Role::Reference).collect()
    } else {
        args.subjects.subjects.clone()
    };
    super::run::unique(subjects.iter().map(|subject| subject.name.as_str()), "subject")?;
    let names = if args.workloads.is_empty() {
        let all =
            workloads::generate::all().iter().filter(|spec| !spec.workload.is_threaded()).cloned();
        all.map(Name::Generated).collect()
    } else {
        args.workloads.clone()
    };
    let Some(version) = host::valgrind_version() else {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!("valgrind is not installed; install the package `valgrind`"),
        });
    };
    let extent = Extent {
        operations: args.generation.operations.unwrap_or(OPERATIONS),
        seed: args.generation.seed,
    };
    let mut prepared = Vec::new();
    for name in names.iter().filter(|_| !args.bugs.bugs_only) {
        prepared.push(workload::prepare(name, extent)?);
    }
    let conditions = Conditions::of(&args.subjects, &args.generation, voice, interrupt);
    let mut session = Session::new(conditions, &subjects, prepared.iter().collect(), "");
    session.memcheck(&version)?;
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let detected = match &bugs {
        Some(bugs) => bugs.run(jobs, voice, interrupt)?,
        None => Vec::new(),
    };
    for record in &detected {
        session.sink.put(Record::Detection(record.clone()))?;
    }
    let failures = session.failures + detection::failures(&detected);
    let Sink::Memory(records) = session.sink else { unreachable!("the sink was made above") };
    if args.format == Format::Json {
        print::records(records)?;
    } else {
        let counted: Vec<_> = records
            .into_iter()
            .filter_map(|record| match record {
                Record::Memcheck(counted) => Some(counted),
                _ => None,
            })
            .collect();
        if !args.bugs.bugs_only {
            print::table(&table(&counted), args.format)?;
        }
        if !detected.is_empty() {
            let detail = detection::table(&detected);
            let short =
                if args.format == Format::Csv { detail } else { detection::counts(&detected) };
            print::table(&short, args.format)?;
        }
    }
    Ok(match (interrupt.requested(), failures > 0) {
        (true, _) => exit::INTERRUPTED,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::GOOD,
    })
}

/// Processors that this process may use.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One row per cell.
pub(super) fn table(counted: &[Counted]) -> Table {
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        let parts: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        parts.join(", ")
    };
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let line = |cell: &Counted| {
        let kinds = match &cell.message {
            Some(message) => format!("{}: {message}", cell.status.word()),
            None => list(&cell.errors_by_kind),
        };
        vec![
            cell.workload.clone(),
            cell.subject.clone(),
            cell.ownership.clone().unwrap_or_default(),
            kinds,
            list(&cell.errors_by_operation),
            count(cell.errors),
            count(cell.contexts),
            count(cell.errors_suppressed),
        ]
    };
    let head = [
        "workload",
        "subject",
        "ownership",
        "by kind",
        "by operation",
        "errors",
        "contexts",
        "suppressed",
    ];
    print::table_of(&head, 5, counted.iter().map(line).collect())
}
