//! `arenabench doctor`: what can be measured on this computer, and how to get what is missing.

use super::print;
use crate::cli::Format;
use crate::exit::{self, Outcome};
use crate::host::{self, Settings};
use crate::recording;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
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
            what: "processor",
            state: if host.cpus >= 2 { State::Good } else { State::Note },
            detail: format!("{}, {} processors", host.cpu_model, host.cpus),
        },
        Finding {
            what: "system",
            state: State::Good,
            detail: format!("{}, {}", host.kernel, host.libc),
        },
        tool(
            "valgrind",
            host.valgrind.clone(),
            "memcheck and error counts need it: install the package `valgrind`",
        ),
        tool(
            "python3",
            host::first_line("python3", &["--version"]),
            "the workload `python-here` needs it: install the package `python3`",
        ),
        recorder(),
    ];
    findings.push(match host.governor.as_deref() {
        None => Finding {
            what: "governor",
            state: State::Note,
            detail: "not shown by this kernel; clock changes go unnoticed".to_owned(),
        },
        Some("performance") => {
            Finding { what: "governor", state: State::Good, detail: "performance".to_owned() }
        }
        Some(other) => Finding {
            what: "governor",
            state: State::Note,
            detail: format!("{other}; times are steadier under `performance`"),
        },
    });
    findings.push(Finding {
        what: "load",
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
            vec![finding.what.to_owned(), state.to_owned(), finding.detail]
        })
        .collect();
    print::table(&print::table_of(&["what", "state", "detail"], 3, rows), Format::Table)?;
    Ok(if missing { exit::INCOMPLETE } else { exit::GOOD })
}

fn tool(what: &'static str, version: Option<String>, remedy: &str) -> Finding {
    match version {
        Some(version) => Finding { what, state: State::Good, detail: version },
        None => Finding { what, state: State::Missing, detail: remedy.to_owned() },
    }
}

fn recorder() -> Finding {
    let (state, detail) = match recording::library() {
        Ok(path) => (State::Good, path.display().to_string()),
        Err(failure) => (State::Missing, failure.error.to_string()),
    };
    Finding { what: "recorder", state, detail }
}
