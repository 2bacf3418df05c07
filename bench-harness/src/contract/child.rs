//! The child that a subject serves: tries every row in a process of its own.
//!
//! The child proves who serves it, as every child does, and forks once for each row. A row that
//! crashes, hangs or corrupts the heap ends its own process and takes no other row with it; every
//! row begins with the same fresh heap.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::thread;
use std::time::{Duration, Instant};

use reports::record::Verdict;
use serde::{Deserialize, Serialize};

use super::row::{Ask, Row};
use super::trial::{self, Seen, Stage};
use super::{locked, rows, spanned};
use crate::child::job::ANSWER_FD;
use crate::child::outcome::signal_name;
use crate::os;
use crate::subject::{Family, Subject};

/// First argument of a child; the subject's spelling is the second.
pub(crate) const ARGUMENT: &str = "__contract";

/// Time that a fork may be refused for want of processes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds that one row may take.
const SECONDS: u32 = 20;

/// What a child answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// One finding for every row, in the order of the table.
    Done(Vec<Finding>),
    /// The library that was to serve the child does not.
    NotLoaded(String),
    /// The subject has no C functions.
    Unsupported(String),
    /// The child itself could not go on.
    Failed(String),
}

/// What came of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// What was found, in a few words.
    pub(crate) found: String,
}

/// Tries all rows on the subject of this spelling and writes the answer. Returns the exit code of
/// the child.
pub(crate) fn main(subject: &str) -> u8 {
    let answer = findings(subject);
    let failed = matches!(answer, Answer::Failed(_));
    let Ok(text) = serde_json::to_string(&answer) else { return 70 };
    // SAFETY: the parent has opened this descriptor for the answer, and nothing else here uses it.
    let mut out = unsafe { File::from_raw_fd(ANSWER_FD) };
    if out.write_all(text.as_bytes()).is_err() || failed { 70 } else { 0 }
}

fn findings(subject: &str) -> Answer {
    let subject = match Subject::parse(subject) {
        Ok(subject) => subject,
        Err(error) => return Answer::Failed(error),
    };
    if let Err(error) = subject.prove() {
        return Answer::NotLoaded(error);
    }
    let family = match Family::of(&subject) {
        Ok(Some(family)) => family,
        Ok(None) => return Answer::Unsupported("not called through C functions".to_owned()),
        Err(error) => return Answer::Failed(error.to_string()),
    };
    // As a program's start does: an allocator makes itself ready for forks in its first call, which must not
    // meet one.
    // SAFETY: malloc takes any size.
    let first = unsafe { (family.malloc)(1) };
    // SAFETY: null, or a live block that is not used again.
    unsafe { (family.free)(first) };
    let found: io::Result<_> = rows::all().iter().map(|row| apart(row, &family)).collect();
    found.map_or_else(|error| Answer::Failed(error.to_string()), Answer::Done)
}

/// Tries a row in a process of its own, which writes one byte for each stage and then its finding.
fn apart(row: &Row, family: &Family) -> io::Result<Finding> {
    if let Some(why) = family.threads.err().filter(|_| row.ask.takes_threads()) {
        return Ok(Finding { verdict: Verdict::Absent, found: why.to_owned() });
    }
    if row.ask.reads_memory() && os::anonymous_resident_bytes().is_err() {
        let found = "resident memory cannot be read here".to_owned();
        return Ok(Finding { verdict: Verdict::Untried, found });
    }
    if matches!(row.ask, Ask::Starts { .. } | Ask::Alike | Ask::Odd) && !family.serves_process {
        let found = "linked into the harness: no program is served by it".to_owned();
        return Ok(Finding { verdict: Verdict::Absent, found });
    }
    if matches!(row.ask, Ask::Sparse { .. }) && os::are_huge_pages_given_unasked() {
        let found = "the kernel gives huge pages to everybody".to_owned();
        return Ok(Finding { verdict: Verdict::Untried, found });
    }
    if row.ask == Ask::Vast && !spanned::is_vast_allowed() {
        let found = "the kernel refuses a block of this size".to_owned();
        return Ok(Finding { verdict: Verdict::Untried, found });
    }
    if let Ask::Locked { size } = row.ask
        && !locked::is_allowed(size)
    {
        let found = "this process may not lock so much memory".to_owned();
        return Ok(Finding { verdict: Verdict::Untried, found });
    }
    let (text, status) = forked(|writer| {
        let seen = trial::attempt(row, family, |stage| {
            // A stage that cannot be told only makes a message poorer.
            let _ = writer.write_all(&[stage as u8]);
        });
        let text = serde_json::to_vec(&judge(row, seen.as_ref())).unwrap_or_default();
        writer.write_all(&text)
    })?;
    let stages = text.iter().take_while(|&&byte| usize::from(byte) < Stage::ALL.len()).count();
    Ok(serde_json::from_slice(&text[stages..]).unwrap_or_else(|_| {
        let last = text[..stages].last().map_or(0, |&stage| usize::from(stage));
        let found = format!("{} {}", end(status), Stage::ALL[last].words());
        Finding { verdict: Verdict::Crashed, found }
    }))
}

/// What `work` writes in the child of a fork, and the child's status; it is killed after [`SECONDS`]. The
/// child may do what the C library lets one do: everything, where the caller has one thread.
///
/// # Errors
/// When there is no child.
pub(crate) fn forked(
    work: impl FnOnce(&mut io::PipeWriter) -> io::Result<()>,
) -> io::Result<(Vec<u8>, i32)> {
    let (mut reader, mut writer) = io::pipe()?;
    let begun = Instant::now();
    let pid = loop {
        // SAFETY: the child calls the subject's functions, which is what is tried, and ends itself.
        let pid = unsafe { libc::fork() };
        let error = io::Error::last_os_error();
        if pid >= 0 {
            break pid;
        }
        // Others may have as many threads as there can be, for a moment.
        if error.raw_os_error() != Some(libc::EAGAIN) || begun.elapsed() > PATIENCE {
            return Err(error);
        }
        thread::sleep(PATIENCE / 100);
    };
    if pid == 0 {
        // SAFETY: has no obligations.
        unsafe { libc::alarm(SECONDS) };
        let code = i32::from(work(&mut writer).is_err());
        // SAFETY: ends this process without running what the parent's exit would run.
        unsafe { libc::_exit(code) };
    }
    drop(writer);
    let mut text = Vec::new();
    reader.read_to_end(&mut text)?;
    Ok((text, wait(pid, 0)?.unwrap_or(0)))
}

/// What `words` says in a process of its own, which takes what it has done to itself with it.
#[cfg(test)]
pub(super) fn told_apart(words: impl FnOnce() -> String) -> String {
    let (text, status) = forked(|out| out.write_all(words().as_bytes())).unwrap();
    assert!(libc::WIFEXITED(status), "{}", end(status));
    String::from_utf8(text).unwrap()
}

/// Status of a child of this process that has ended; `None` where `options` say not to wait and it has
/// not.
pub(super) fn wait(pid: libc::pid_t, options: i32) -> io::Result<Option<i32>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a place for the result.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, options) };
        if waited >= 0 {
            return Ok((waited == pid).then_some(status));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// How a process ended that left no finding.
pub(super) fn end(status: i32) -> String {
    if !libc::WIFSIGNALED(status) {
        return format!("exit code {}", libc::WEXITSTATUS(status));
    }
    match libc::WTERMSIG(status) {
        libc::SIGALRM => format!("hung for {SECONDS} s"),
        signal => signal_name(signal),
    }
}

/// Compares what was seen with the row; nothing was seen of a function that does not exist.
fn judge(row: &Row, seen: Option<&Seen>) -> Finding {
    let Some(seen) = seen else {
        return Finding { verdict: Verdict::Absent, found: "no such function".to_owned() };
    };
    let wrong = seen.against(row.promise);
    let (verdict, found) = if wrong.is_empty() {
        (Verdict::Ok, seen.describe())
    } else {
        let allowed = row.allowed.is_some_and(|allowed| seen.against(allowed).is_empty());
        (if allowed { Verdict::Allowed } else { Verdict::Differs }, wrong.join("; "))
    };
    Finding { verdict, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::row::{Authority, Promise};

    #[test]
    fn what_the_computer_refuses_is_untried_and_no_fault_of_the_subject() {
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let row = Row::new(Ask::Locked { size: 1 << 44 }, Promise::Served, Authority::C);
        assert_eq!(apart(&row, &system).unwrap().verdict, Verdict::Untried);
    }
}
