//! Runs a sample under Valgrind's memcheck and counts what it reports. `callgrind` does the same for
//! instructions, on top of `requests`.

pub(crate) mod callgrind;
pub(crate) mod requests;
mod xml;

use std::io;
use std::process::Command;

use reports::record::{Memcheck, Status};

use crate::child::outcome;
use crate::child::spawn::{self, Limits};
use crate::interrupt::Interrupt;
use crate::measure::{self, Request};

/// Arguments of every run. Errors beyond the first thousands are counted as well; a preloaded
/// subject stays in place instead of being replaced by memcheck's own malloc.
const ARGUMENTS: [&str; 7] = [
    "--tool=memcheck",
    "--xml=yes",
    "--error-limit=no",
    "--num-callers=30",
    "--leak-check=no",
    "--soname-synonyms=somalloc=nouserintercepts",
    "--child-silent-after-fork=yes",
];

/// Runs one cell under memcheck.
///
/// # Errors
/// When Valgrind cannot be started or its report cannot be kept.
pub(crate) fn memcheck(
    request: &Request<'_>,
    version: &str,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Memcheck> {
    let mut record = Memcheck {
        subject: request.subject.name.clone(),
        workload: request.workload.record.workload.clone(),
        status: Status::Ok,
        message: None,
        ownership: request.subject.ownership().map(str::to_owned),
        touch: request.touch.to_string(),
        operations: None,
        errors: None,
        errors_suppressed: None,
        contexts: None,
        errors_by_kind: Default::default(),
        errors_by_operation: Default::default(),
        valgrind: Some(version.to_owned()),
    };
    if let Some(why) = request.subject.without_valgrind {
        record.status = Status::Unsupported;
        record.message = Some(why.to_owned());
        return Ok(record);
    }
    if let Some(reason) = request.subject.missing() {
        (record.status, record.message) = (Status::Missing, Some(reason));
        return Ok(record);
    }
    let report =
        tempfile::Builder::new().prefix("arenabench-memcheck-").suffix(".xml").tempfile()?;
    let [program, argument, job] = measure::child_arguments(request)?;
    let mut command = Command::new("valgrind");
    command.args(ARGUMENTS).arg(format!("--xml-file={}", report.path().display()));
    command.arg(program).args([argument, job]);
    let _preload = measure::environment(&mut command, request.subject)?;
    let finished = spawn::run(command, limits, interrupt)?;
    let verdict = outcome::judge(&finished, request.workload.shape.calls);
    record.status = verdict.status;
    record.message = verdict.message;
    if verdict.found.is_none() {
        return Ok(record);
    }
    match xml::parse(&std::fs::read_to_string(report.path())?) {
        Ok(report) => {
            let shape = &request.workload.shape;
            record.operations = Some(shape.base_calls + shape.calls + shape.drain_calls);
            record.errors = Some(report.errors);
            record.errors_suppressed = Some(report.suppressed);
            record.contexts = Some(report.contexts);
            record.errors_by_kind = report.by_kind;
            record.errors_by_operation = report.by_operation;
        }
        Err(error) => {
            record.status = Status::Exit;
            record.message = Some(format!("Valgrind's report is unreadable: {error}"));
        }
    }
    Ok(record)
}
