//! `arenabench doctor`: what can be measured on this computer, and how to get what is missing.

use super::print;
use crate::cli::Format;
use crate::counters::{self, Counter, Event};
use crate::exit::{self, Outcome};
use crate::host::{self, Settings};
use crate::recording;
use crate::subject::{self, Subject};

/// One thing that was looked at.
struct Finding {
    what: String,
    state: State,
    detail: String,
}

#[derive(PartialEq, Eq)]
enum State {
    Good,
    /// Works, but results may be noisier or poorer.
    Note,
    /// A part of the suite cannot run.
    Missing,
}

/// Runs the command.
pub(crate) fn run() -> Outcome {
    let host = host::fingerprint(&Settings { profile: "custom", seed: 0, baseline: "system" });
    let mut findings = vec![
        Finding {
            what: "processor".to_owned(),
            state: if host.cpus >= 2 { State::Good } else { State::Note },
            detail: format!("{}, {} processors", host.cpu_model, host.cpus),
        },
        Finding {
            what: "system".to_owned(),
            state: State::Good,
            detail: format!("{}, {}", host.kernel, host.libc),
        },
        tool(
            "valgrind",
            host.valgrind.clone(),
            "memcheck and error counts need it: install the package `valgrind`",
        ),
        tool(
            "strip",
            host::first_line("strip", &["--version"]),
            "`memcheck --symbols stripped` needs it: install the package `binutils`",
        ),
        tool(
            "python3",
            host::first_line("python3", &["--version"]),
            "the workload `python-here` needs it: install the package `python3`",
        ),
        recorder(),
    ];
    findings.extend(subject::registry().iter().filter_map(peer));
    findings.push(match host.governor.as_deref() {
        None => Finding {
            what: "governor".to_owned(),
            state: State::Note,
            detail: "not shown by this kernel; clock changes go unnoticed".to_owned(),
        },
        Some("performance") => Finding {
            what: "governor".to_owned(),
            state: State::Good,
            detail: "performance".to_owned(),
        },
        Some(other) => Finding {
            what: "governor".to_owned(),
            state: State::Note,
            detail: format!("{other}; times are steadier under `performance`"),
        },
    });
    findings.push(match counters::unavailable() {
        None => Finding {
            what: "counters".to_owned(),
            state: State::Good,
            detail: counted().join(", "),
        },
        Some((reason, remedy)) => Finding {
            what: "counters".to_owned(),
            state: State::Note,
            detail: format!("{reason}; {remedy}"),
        },
    });
    findings.push(Finding {
        what: "load".to_owned(),
        state: if host.load_1m < 0.5 * f64::from(host.cpus) { State::Good } else { State::Note },
        detail: format!(
            "{:.2} over the last minute; close other programs to measure",
            host.load_1m
        ),
    });
    let missing = findings.iter().any(|finding| finding.state == State::Missing);
    let rows = findings
        .into_iter()
        .map(|finding| {
            let state = match finding.state {
                State::Good => "ok",
                State::Note => "note",
                State::Missing => "missing",
            };
            vec![finding.what, state.to_owned(), finding.detail]
        })
        .collect();
    print::table(&print::table_of(&["what", "state", "detail"], 3, rows), Format::Table)?;
    Ok(if missing { exit::INCOMPLETE } else { exit::GOOD })
}

/// Events that the processor counts here.
fn counted() -> Vec<&'static str> {
    let hardware = Event::ALL.into_iter().filter(|event| event.is_hardware());
    hardware.filter(|event| Counter::open(*event).is_ok()).map(Event::words).collect()
}

fn tool(what: &str, version: Option<String>, remedy: &str) -> Finding {
    match version {
        Some(version) => Finding { what: what.to_owned(), state: State::Good, detail: version },
        None => Finding { what: what.to_owned(), state: State::Missing, detail: remedy.to_owned() },
    }
}

/// A peer that has a package of its own, or is built better by some compilers than by others.
fn peer(subject: &Subject) -> Option<Finding> {
    let what = subject.name.clone();
    if let Some(reason) = subject.missing() {
        return Some(Finding { what, state: State::Missing, detail: reason });
    }
    let path = subject.preload()?;
    let detail = format!("{}, {}", subject.version(), path.display());
    Some(Finding { what, state: State::Good, detail })
}

fn recorder() -> Finding {
    let (state, detail) = match recording::library() {
        Ok(path) => (State::Good, path.display().to_string()),
        Err(failure) => (State::Missing, failure.error.to_string()),
    };
    Finding { what: "recorder".to_owned(), state, detail }
}
