//! `arenabench contract`: which promises of C's malloc family each subject keeps.

use std::path::Path;
use std::time::Instant;

use reports::record::{Call, Contract as Tried, End, Record, Role, Verdict};
use reports::results::{Results, ResultsFile};
use reports::summary::Table;

use super::print;
use crate::child::spawn::Limits;
use crate::cli::{Contract, Format};
use crate::contract;
use crate::exit::{self, Failure, Outcome};
use crate::host::{self, Settings};
use crate::interrupt::Interrupt;
use crate::session::{self, Sink};
use crate::subject::{self, Subject};
use crate::talk::Voice;

/// Runs the command.
pub(crate) fn run(args: &Contract, voice: &Voice, interrupt: &Interrupt) -> Outcome {
    let begin = Instant::now();
    let subjects = chosen(args)?;
    super::run::unique(subjects.iter().map(|subject| subject.name.as_str()), "subject")?;
    let mut sink = match &args.output {
        Some(folder) => Sink::File(open(folder)?),
        None => Sink::Memory(Vec::new()),
    };
    let settings = Settings { profile: "custom", seed: 0, baseline: &subjects[0].name };
    let mut results = Results::new(host::fingerprint(&settings));
    sink.put(Record::Host(results.host.clone()))?;
    let limits = Limits { timeout: args.timeout, memory_bytes: host::memory_limit() };
    for subject in &subjects {
        if interrupt.requested() {
            break;
        }
        sink.put(Record::Subject(session::subject_record(subject)))?;
        let records = contract::records(subject, limits, interrupt)
            .map_err(|error| Failure::io("cannot start a child", error))?;
        voice.say(format!("{}: {}", subject.name, sentence(&records)));
        for record in records {
            sink.put(Record::Contract(record.clone()))?;
            results.contracts.push(record);
        }
    }
    let run_wall_ns = begin.elapsed().as_nanos() as u64;
    let outcome = if interrupt.requested() { "interrupted" } else { "complete" }.to_owned();
    sink.put(Record::End(End { outcome, run_wall_ns, measuring_wall_ns: run_wall_ns }))?;
    if let Some(folder) = &args.output {
        let results = super::run::read_results(&folder.join(super::run::RESULTS))?;
        reports::write_report(&results, folder)
            .map_err(|error| Failure { code: exit::IO, error: error.into() })?;
    }
    match args.format {
        Format::Json => {
            print::records(results.contracts.iter().cloned().map(Record::Contract).collect())?;
        }
        Format::Csv => print::table(&every_row(&results.contracts), args.format)?,
        Format::Table | Format::Md => {
            print::table(&counts(&subjects, &results.contracts), args.format)?;
            let told = differences(&results.contracts);
            if !told.rows.is_empty() {
                print::out("\n")?;
                print::table(&told, args.format)?;
            }
        }
    }
    let failed = results.contracts.iter().any(|record| record.status.is_failure());
    Ok(match (interrupt.requested(), failed) {
        (true, _) => exit::INTERRUPTED,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::GOOD,
    })
}

/// The subjects that were named, or everything that is called through C functions.
fn chosen(args: &Contract) -> Result<Vec<Subject>, Failure> {
    if !args.subjects.is_empty() {
        return Ok(args.subjects.clone());
    }
    Ok(subject::registry()
        .into_iter()
        .filter(|one| one.role != Role::Reference && one.call == Call::C)
        .filter(|one| one.missing().is_none())
        .collect())
}

fn open(folder: &Path) -> Result<ResultsFile, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder.display(), error))?;
    let path = folder.join(super::run::RESULTS);
    ResultsFile::create(&path).map_err(|error| Failure::io(path.display(), error))
}

fn count(records: &[Tried], verdict: Verdict) -> usize {
    records.iter().filter(|record| record.verdict == Some(verdict)).count()
}

/// One line for standard error.
fn sentence(records: &[Tried]) -> String {
    match records {
        [Tried { row: None, status, message, .. }] => {
            format!("{}: {}", status.word(), message.as_deref().unwrap_or(status.meaning()))
        }
        _ => {
            let words = Verdict::ALL.map(|one| format!("{} {}", count(records, one), one.word()));
            words.join(", ")
        }
    }
}

/// Verdicts by subject.
fn counts(subjects: &[Subject], records: &[Tried]) -> Table {
    let line = |subject: &Subject| {
        let own: Vec<_> =
            records.iter().filter(|record| record.subject == subject.name).cloned().collect();
        let mut line = vec![subject.name.clone()];
        match own.first() {
            Some(Tried { row: None, status, .. }) => line.push(status.word().to_owned()),
            _ => line.push(own.len().to_string()),
        }
        line.extend(Verdict::ALL.map(|verdict| count(&own, verdict).to_string()));
        line
    };
    let head = ["subject", "rows", "ok", "allowed", "differs", "crashed", "absent", "untried"];
    print::table_of(&head, 1, subjects.iter().map(line).collect())
}

const HEAD: [&str; 7] = ["call", "subject", "verdict", "found", "promise", "by", "allowed"];

fn line(record: &Tried) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let verdict = record.verdict.map_or(record.status.word(), Verdict::word);
    vec![
        text(&record.row),
        record.subject.clone(),
        verdict.to_owned(),
        record.found.clone().or_else(|| record.message.clone()).unwrap_or_default(),
        text(&record.promise),
        text(&record.authority),
        text(&record.allowed),
    ]
}

fn every_row(records: &[Tried]) -> Table {
    print::table_of(&HEAD, HEAD.len(), records.iter().map(line).collect())
}

/// Rows that are not as promised, those of one call together; functions that are lacking are
/// counted only, and so is what this computer does not let anyone try.
fn differences(records: &[Tried]) -> Table {
    let mut telling: Vec<&Tried> = records
        .iter()
        .filter(|record| {
            !matches!(record.verdict, Some(Verdict::Ok | Verdict::Absent | Verdict::Untried))
        })
        .collect();
    let place = |record: &Tried| records.iter().position(|other| other.row == record.row);
    telling.sort_by_key(|record| place(record));
    print::table_of(&HEAD, HEAD.len(), telling.into_iter().map(line).collect())
}
