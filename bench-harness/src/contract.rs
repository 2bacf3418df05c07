//! The C contract: what the malloc family promises, tried on every subject row by row.
//!
//! ```text
//! row       what a row is: a call, a promise, who makes it     rows, rows/  the table
//! trial     makes one call and uses what comes back            child        one process per row
//! crowd     the same with more than one thread                 forks        in children of forks
//! late      in destructors of threads that have ended          mixed        the family in random order
//! resident  with a look at resident memory                     spanned      at what is mapped
//! locked    zeroed blocks where memory is locked               confined     in little address space
//! started   programs that start under it                       grown        what calls cost beside many blocks
//! extras    Arenite's functions beyond C's                  words        rows in words
//! ```
//! The promises are those of the C library's manual, and of Arenite's header for its own functions
//! (`rows.rs` says where they come from). A subject that does otherwise is not wrong by that: the record says
//! what it does, and whether the standards allow it.

pub(crate) mod child;
mod confined;
mod crowd;
mod extras;
mod forks;
mod grown;
mod late;
mod locked;
mod mixed;
mod resident;
pub(crate) mod row;
pub(crate) mod rows;
mod spanned;
mod started;
mod trial;
mod words;

use std::io;
use std::process::Command;

use reports::record::{Contract, Status};

#[cfg(test)]
pub(crate) use self::child::forked;
use self::child::{Answer, Finding};
use crate::child::outcome;
use crate::child::spawn::{self, Ending, Limits};
use crate::interrupt::Interrupt;
use crate::measure;
use crate::subject::Subject;

/// Tries every row on a subject: one record for each row, or a single one without a row when the
/// child left no findings.
///
/// # Errors
/// When no child can be started at all.
pub(crate) fn records(
    subject: &Subject,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<Vec<Contract>> {
    if let Some(reason) = subject.missing() {
        return Ok(vec![Contract { message: Some(reason), ..blank(subject, Status::Missing) }]);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args([child::ARGUMENT, &subject.spelling()]);
    let _preload = measure::environment(&mut command, subject)?;
    let finished = spawn::run(command, limits, interrupt)?;
    let failed = |status, message: String| {
        vec![Contract { message: Some(message), ..blank(subject, status) }]
    };
    let answer = serde_json::from_slice::<Answer>(&finished.answer);
    Ok(match (finished.ending, answer) {
        (Ending::Exit(0), Ok(Answer::Done(findings))) => of_findings(subject, findings),
        (Ending::Exit(0), Ok(Answer::NotLoaded(what))) => failed(Status::NotLoaded, what),
        (Ending::Exit(0), Ok(Answer::Unsupported(what))) => failed(Status::Unsupported, what),
        (Ending::Exit(_), Ok(Answer::Failed(what))) => failed(Status::Exit, what),
        (Ending::Exit(code), _) => {
            failed(Status::Exit, format!("ended with exit code {code} without an answer"))
        }
        (Ending::Signal(signal), _) => {
            failed(Status::Signal, format!("killed by {}", outcome::signal_name(signal)))
        }
        (Ending::Timeout, _) => failed(Status::Timeout, "killed at its time limit".to_owned()),
        (Ending::Oom, _) => failed(Status::Oom, "killed at its memory limit".to_owned()),
        (Ending::Interrupted, _) => failed(Status::Interrupted, "interrupted".to_owned()),
    })
}

fn of_findings(subject: &Subject, findings: Vec<Finding>) -> Vec<Contract> {
    let of_row = |(row, finding): (row::Row, Finding)| Contract {
        row: Some(row.name()),
        function: Some(row.ask.function().to_owned()),
        promise: Some(row.promise.to_string()),
        authority: Some(row.by.name().to_owned()),
        allowed: row.allowed.map(|allowed| allowed.to_string()),
        verdict: Some(finding.verdict),
        found: Some(finding.found),
        ..blank(subject, Status::Ok)
    };
    rows::all().into_iter().zip(findings).map(of_row).collect()
}

fn blank(subject: &Subject, status: Status) -> Contract {
    Contract {
        subject: subject.name.clone(),
        status,
        message: None,
        row: None,
        function: None,
        promise: None,
        authority: None,
        allowed: None,
        verdict: None,
        found: None,
    }
}
