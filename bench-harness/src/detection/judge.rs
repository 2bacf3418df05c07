//! From what a program left behind to a verdict.
//!
//! Whoever speaks first is believed: memcheck's errors, then words on standard error, then lost
//! blocks, which are looked for at the end. Only a program that said nothing is judged by how it
//! ended.

use reports::record::{Finding, Status};

use super::bug::Bug;
use super::errors::Errors;
use super::words;
use crate::child::spawn::{Ending, Finished};

/// Exit code of a program whose allocator lacks the function that its bug needs.
const NOT_HERE: i32 = 77;

/// What a cell came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) status: Status,
    pub(super) message: Option<String>,
    pub(super) verdict: Option<Finding>,
    pub(super) words: Option<String>,
}

impl Judgement {
    /// A cell without a verdict.
    pub(super) fn without(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: Some(message.into()), verdict: None, words: None }
    }

    fn found(verdict: Finding, words: Option<String>) -> Self {
        Self { status: Status::Ok, message: None, verdict: Some(verdict), words }
    }
}

/// Judges a program that has ended; `errors` are those of memcheck, where it watched.
pub(super) fn judge(bug: &Bug, finished: &Finished, errors: Option<&Errors>) -> Judgement {
    let stderr = String::from_utf8_lossy(&finished.stderr);
    match finished.ending {
        Ending::Interrupted => {
            return Judgement::without(Status::Interrupted, "the run was interrupted");
        }
        Ending::Oom => return Judgement::without(Status::Oom, "took more memory than its limit"),
        // No program does that to itself: the kernel was out of memory, or somebody was in a hurry.
        Ending::Signal(libc::SIGKILL) => {
            return Judgement::without(Status::Signal, "killed from outside by SIGKILL");
        }
        Ending::Exit(NOT_HERE) => {
            return Judgement::without(Status::Unsupported, "the allocator lacks the function");
        }
        _ => {}
    }
    if let Some(line) = words::not_loaded(&stderr) {
        return Judgement::without(Status::NotLoaded, line);
    }
    if let Some(line) = words::no_heap(&stderr) {
        return Judgement::without(Status::Missing, line);
    }
    if let Some(line) = words::cannot(&stderr) {
        return Judgement::without(Status::Unsupported, line);
    }
    let ended = how(finished.ending);
    if let Some(words) = spoken(bug, &stderr, errors) {
        let verdict = if bug.is_clean() { Finding::FalseAlarm } else { Finding::Caught };
        return Judgement::found(verdict, Some(words));
    }
    match (ended, errors) {
        (Some(how), _) => Judgement::found(Finding::Crashed, Some(how)),
        (None, Some(errors)) if !errors.complete => {
            Judgement::without(Status::Exit, "Valgrind's report is cut off")
        }
        (None, _) if bug.is_clean() => Judgement::found(Finding::Clean, None),
        (None, _) => Judgement::found(Finding::Missed, None),
    }
}

/// What anybody said of the program.
fn spoken(bug: &Bug, stderr: &str, errors: Option<&Errors>) -> Option<String> {
    if let Some(first) = errors.and_then(|errors| errors.first.as_deref()) {
        return Some(words::without_addresses(first));
    }
    if let Some(words) = words::diagnosis(stderr) {
        return Some(words);
    }
    // B2: a program with another bug is not held to its losses, one without any is.
    let at_least = bug.lost.or(bug.is_clean().then_some(1))?;
    match (errors, words::lost_blocks(stderr)) {
        (Some(errors), _) if errors.lost >= at_least => errors.loss.clone(),
        (_, Some(lost)) if lost >= at_least => {
            Some(format!("LeakSanitizer: detected memory leaks, {lost} of {at_least} blocks"))
        }
        _ => None,
    }
}

/// How a program ended, unless it was as if nothing were wrong.
fn how(ending: Ending) -> Option<String> {
    match ending {
        Ending::Exit(0) => None,
        Ending::Exit(code) => Some(format!("ended with {code}")),
        Ending::Signal(libc::SIGSEGV) => Some("killed by SIGSEGV".to_owned()),
        Ending::Signal(libc::SIGBUS) => Some("killed by SIGBUS".to_owned()),
        Ending::Signal(libc::SIGABRT) => Some("killed by SIGABRT".to_owned()),
        Ending::Signal(signal) => Some(format!("killed by signal {signal}")),
        Ending::Timeout => Some("did not end".to_owned()),
        Ending::Oom | Ending::Interrupted => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(name: &str, lost: Option<u64>) -> Bug {
        Bug { name: name.to_owned(), title: name.to_owned(), lost, source: "".into() }
    }

    fn ended(ending: Ending, stderr: &str) -> Finished {
        Finished { ending, answer: Vec::new(), stderr: stderr.into() }
    }

    fn verdict(name: &str, ending: Ending, stderr: &str) -> Option<Finding> {
        judge(&bug(name, None), &ended(ending, stderr), None).verdict
    }

    #[test]
    fn silence_words_and_death_are_told_apart() {
        assert_eq!(verdict("b", Ending::Exit(0), "chatter"), Some(Finding::Missed));
        let words = "free(): invalid pointer\n";
        assert_eq!(verdict("b", Ending::Signal(6), words), Some(Finding::Caught));
        assert_eq!(verdict("b", Ending::Signal(11), ""), Some(Finding::Crashed));
        assert_eq!(verdict("b", Ending::Timeout, ""), Some(Finding::Crashed));
    }

    #[test]
    fn a_checker_that_reports_everything_is_exposed_by_the_clean_programs() {
        let everything = "arenite: fatal: double free of 0x1000\n";
        assert_eq!(verdict("b", Ending::Signal(6), everything), Some(Finding::Caught));
        let alarm = verdict("clean-b", Ending::Signal(6), everything);
        assert_eq!(alarm, Some(Finding::FalseAlarm));
        assert_eq!(verdict("clean-b", Ending::Exit(0), ""), Some(Finding::Clean));
        let lost =
            Errors { lost: 1, loss: Some("lost".to_owned()), complete: true, ..Errors::default() };
        let quiet = ended(Ending::Exit(0), "");
        assert_eq!(
            judge(&bug("clean-b", None), &quiet, Some(&lost)).verdict,
            Some(Finding::FalseAlarm)
        );
        assert_eq!(judge(&bug("b", None), &quiet, Some(&lost)).verdict, Some(Finding::Missed));
    }

    #[test]
    fn half_a_chain_is_not_a_chain() {
        let quiet = ended(Ending::Exit(0), "");
        let of = |lost| Errors {
            lost,
            loss: Some("lost".to_owned()),
            complete: true,
            ..Errors::default()
        };
        let chain = bug("lost-chain", Some(2));
        assert_eq!(judge(&chain, &quiet, Some(&of(1))).verdict, Some(Finding::Missed));
        assert_eq!(judge(&chain, &quiet, Some(&of(2))).verdict, Some(Finding::Caught));
    }

    #[test]
    fn cells_that_could_not_be_run_have_no_verdict() {
        for (ending, stderr, status) in [
            (Ending::Exit(77), "", Status::Unsupported),
            (Ending::Signal(9), "", Status::Signal),
            (Ending::Interrupted, "", Status::Interrupted),
            (Ending::Exit(0), "ERROR: ld.so: object 'x.so' cannot be preloaded", Status::NotLoaded),
            (Ending::Signal(6), "arenite: fatal: no heap classic-x; there are a", Status::Missing),
        ] {
            let judged = judge(&bug("b", None), &ended(ending, stderr), None);
            assert_eq!((judged.status, judged.verdict), (status, None), "{stderr}");
        }
        let cut = Errors::default();
        let judged = judge(&bug("b", None), &ended(Ending::Exit(0), ""), Some(&cut));
        assert_eq!((judged.status, judged.verdict), (Status::Exit, None));
    }
}
