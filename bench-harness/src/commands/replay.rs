//! `arenabench replay`: one workload on one or more subjects, timed or checked.

use reports::record::{Record, Status};
use reports::results::Results;

use super::print;
use super::summary_rows;
use crate::child::job::Task;
use crate::cli::{Format, Replay};
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::session::{self, Conditions, Pace, Session, Sink};
use crate::subject::Subject;
use crate::talk::Voice;
use crate::workload::{self, Extent};

/// Calls in the measured region of a generated workload.
const OPERATIONS: u64 = 1_000_000;

/// Runs the command.
pub(crate) fn run(args: &Replay, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let subjects = if args.subjects.subjects.is_empty() {
        vec![Subject::parse("system").map_err(Failure::usage)?]
    } else {
        args.subjects.subjects.clone()
    };
    super::run::unique(subjects.iter().map(|subject| subject.name.as_str()), "subject")?;
    let extent = Extent {
        operations: args.generation.operations.unwrap_or(OPERATIONS),
        seed: args.generation.seed,
    };
    let workload = match &args.aged {
        None => args.workload.clone(),
        Some(past) => args.workload.clone().aged_by(past).map_err(Failure::usage)?,
    };
    let prepared = [workload::prepare(&workload, extent)?.in_mode(args.mode)?];
    let baseline = subjects[0].name.clone();
    let conditions = Conditions::of(&args.subjects, &args.generation, voice, interrupt);
    let mut session = Session::new(conditions, &subjects, prepared.iter().collect(), &baseline);
    if args.verify {
        session.verify()?;
    } else {
        session.measure(&Pace::of_rounds(args.rounds, Task::Measure { passes: 8 }))?;
    }
    let Sink::Memory(mut records) = session.sink else { unreachable!("the sink was made above") };
    // Verified side by side they end in any order.
    records.sort_by_key(|record| if let Record::Sample(one) = record { one.seq } else { 0 });
    let code = exit_code(&records, interrupt);
    if args.format == Format::Json {
        print::records(records)?;
        return Ok(code);
    }
    let settings = Settings { profile: "custom", seed: args.generation.seed, baseline: &baseline };
    let mut results = Results::new(host::fingerprint(&settings));
    results.subjects = subjects.iter().map(session::subject_record).collect();
    results.workloads = prepared.iter().map(|prepared| prepared.record.clone()).collect();
    for record in records {
        if let Record::Sample(sample) = record {
            results.samples.push(sample);
        }
    }
    summary_rows::print(&results, args.format)?;
    Ok(code)
}

/// A wrong block is exit code 1, any other failure 3.
fn exit_code(records: &[Record], interrupt: &Interrupt) -> u8 {
    if interrupt.requested() {
        return exit::INTERRUPTED;
    }
    let statuses: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Sample(sample) => Some(sample.status),
            _ => None,
        })
        .collect();
    if statuses.contains(&Status::Mismatch) {
        exit::REGRESSION
    } else if statuses.iter().any(|status| status.is_failure()) {
        exit::INCOMPLETE
    } else {
        exit::GOOD
    }
}
