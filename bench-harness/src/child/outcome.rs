//! From a child's end to a record's status: what counts as proof, and what voids a sample.

use reports::record::Status;

use super::job::{Answer, Found};
use super::spawn::{Ending, Finished};

/// What a sample came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    /// What went wrong, in one line.
    pub(crate) message: Option<String>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// What was measured; present iff the status is [`Status::Ok`].
    pub(crate) found: Option<Found>,
}

impl Verdict {
    fn failed(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: Some(message.into()), exit_code: None, signal: None, found: None }
    }

    /// No child was started: something it needs is not on this computer.
    pub(crate) fn missing(reason: String) -> Self {
        Self::failed(Status::Missing, reason)
    }
}

/// Judges a finished child that was to make `calls` calls. A good answer counts only from a child
/// that also ended well, made all its calls and says who served it.
pub(crate) fn judge(finished: &Finished, calls: u64) -> Verdict {
    match finished.ending {
        Ending::Timeout => Verdict::failed(Status::Timeout, "killed at its time limit"),
        Ending::Oom => Verdict::failed(Status::Oom, "killed at its memory limit"),
        Ending::Interrupted => Verdict::failed(Status::Interrupted, "interrupted"),
        Ending::Signal(signal) => Verdict {
            signal: Some(signal),
            ..Verdict::failed(
                Status::Signal,
                with_stderr(format!("killed by {}", signal_name(signal)), finished),
            )
        },
        Ending::Exit(code) => judge_answer(finished, code, calls),
    }
}

fn judge_answer(finished: &Finished, code: i32, calls: u64) -> Verdict {
    let exited = |what: String| Verdict {
        exit_code: Some(code),
        ..Verdict::failed(Status::Exit, with_stderr(what, finished))
    };
    let Ok(answer) = serde_json::from_slice::<Answer>(&finished.answer) else {
        let what = if finished.answer.is_empty() { "without an answer" } else { "with garbage" };
        return exited(format!("ended with exit code {code} {what}"));
    };
    match answer {
        Answer::NotLoaded(what) => Verdict::failed(Status::NotLoaded, what),
        Answer::Oom(what) => Verdict::failed(Status::Oom, what),
        Answer::Mismatch(what) => Verdict::failed(Status::Mismatch, what),
        Answer::Failed(what) => exited(what),
        Answer::Done(_) if code != 0 => exited(format!("ended with exit code {code}")),
        Answer::Done(found) if found.calls != calls => Verdict::failed(
            Status::Mismatch,
            format!("{} calls were reported, {calls} were asked for", found.calls),
        ),
        Answer::Done(found) => Verdict {
            status: Status::Ok,
            message: None,
            exit_code: None,
            signal: None,
            found: Some(*found),
        },
    }
}

/// Adds the last line of standard error, which often holds the reason.
fn with_stderr(what: String, finished: &Finished) -> String {
    with_last_words(what, &String::from_utf8_lossy(&finished.stderr))
}

/// Adds the last line of `text` that says anything, shortened to one that can be printed.
pub(crate) fn with_last_words(what: String, text: &str) -> String {
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => {
            let line: String = line.chars().filter(|char| !char.is_control()).take(200).collect();
            format!("{what}: {line}")
        }
        None => what,
    }
}

/// Name of a signal as people know it.
pub(crate) fn signal_name(signal: i32) -> String {
    match signal_hook::low_level::signal_name(signal) {
        Some(name) => name.to_owned(),
        None => format!("signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Identity;

    fn finished(ending: Ending, answer: &str) -> Finished {
        Finished {
            ending,
            answer: answer.as_bytes().to_vec(),
            stderr: b"first\nthe reason\n\n".to_vec(),
        }
    }

    fn done(calls: u64) -> String {
        let identity = Identity { library: "linked".to_owned(), version: "1".to_owned() };
        serde_json::to_string(&Answer::Done(Box::new(Found {
            identity,
            calls,
            pass_wall_ns: vec![1],
            rss_peak_bytes: None,
            rss_retained_bytes: None,
            rss_growth_bytes: None,
            page_faults: None,
            events: std::collections::BTreeMap::new(),
            timed: None,
            looks: Vec::new(),
            life: None,
            calm: None,
            distance_ns: None,
        })))
        .unwrap()
    }

    #[test]
    fn a_good_answer_counts_only_with_a_good_end_and_all_calls() {
        assert_eq!(judge(&finished(Ending::Exit(0), &done(7)), 7).status, Status::Ok);
        assert_eq!(judge(&finished(Ending::Exit(3), &done(7)), 7).status, Status::Exit);
        assert_eq!(judge(&finished(Ending::Exit(0), &done(6)), 7).status, Status::Mismatch);
        assert_eq!(judge(&finished(Ending::Signal(11), &done(7)), 7).status, Status::Signal);
        assert_eq!(judge(&finished(Ending::Timeout, &done(7)), 7).status, Status::Timeout);
    }

    #[test]
    fn silence_and_garbage_are_an_exit_with_the_last_words() {
        let silent = judge(&finished(Ending::Exit(0), ""), 7);
        assert_eq!(silent.status, Status::Exit);
        assert_eq!(silent.exit_code, Some(0));
        assert_eq!(
            silent.message.as_deref(),
            Some("ended with exit code 0 without an answer: the reason")
        );
        let garbage = judge(&finished(Ending::Exit(0), "{\"done\":{\"calls\":7"), 7);
        assert_eq!(garbage.status, Status::Exit);
        assert!(garbage.message.unwrap().contains("garbage"));
    }

    #[test]
    fn signals_are_named() {
        let verdict = judge(&finished(Ending::Signal(libc::SIGSEGV), ""), 7);
        assert_eq!(verdict.signal, Some(libc::SIGSEGV));
        assert!(verdict.message.unwrap().starts_with("killed by SIGSEGV"));
    }
}
