//! One cell under Valgrind's memcheck: a subject on a workload, or serving a whole program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Status;

/// What [`Memcheck::symbols`] says when nothing was taken away; records leave it out.
pub const FULL_SYMBOLS: &str = "full";
/// What [`Memcheck::requests`] says when client requests were on; records leave it out.
pub const REQUESTS_ON: &str = "on";

/// One run under memcheck. It carries no times, only ratios to a run without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memcheck {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed, or the command line of the program that was run.
    pub workload: String,
    /// What Valgrind could know of functions: `full`, `stripped` (this project's executable and
    /// libraries without symbols) or `no-inline` (`--read-inline-info=no`).
    #[serde(default = "full_symbols", skip_serializing_if = "is_full_symbols")]
    pub symbols: String,
    /// Whether the subject was let tell Valgrind of its blocks: `on` or `off`.
    #[serde(default = "requests_on", skip_serializing_if = "is_requests_on")]
    pub requests: String,
    /// How it ended; errors that were counted are a result, not a failure.
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Ownership strategy of the subject, where it is the project's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership: Option<String>,
    /// Touch policy, see [`super::Sample::touch`]; `none` for a program, which does as it likes.
    pub touch: String,
    /// Whether a program was run and nothing replayed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub program: bool,
    /// Exit code of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// File that served the program's `malloc` when it ran without Valgrind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Allocator calls replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// Errors reported, every occurrence counted, leaks left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Errors silenced by suppressions, every occurrence counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_suppressed: Option<u64>,
    /// Distinct places that errors came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contexts: Option<u64>,
    /// Occurrences by kind, as Valgrind's XML names them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors_by_kind: BTreeMap<String, u64>,
    /// Occurrences by the operation they came from: `free`, `realloc`, `malloc`, `other` ...
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors_by_operation: BTreeMap<String, u64>,
    /// Occurrences that each suppression silenced, by the entry's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed_by_entry: BTreeMap<String, u64>,
    /// What was still allocated at the end, by kind as Valgrind's XML names it; left out when it was
    /// not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaks: Option<BTreeMap<String, Leak>>,
    /// The distinct errors, most frequent first, leaks left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Processor time under Valgrind over that of the same child without it, starts included; of several runs
    /// without it the least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ratio: Option<f64>,
    /// Peak resident memory under Valgrind over that of the same child without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_ratio: Option<f64>,
    /// Valgrind's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valgrind: Option<String>,
}

/// Blocks that nobody freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Their bytes together.
    pub bytes: u64,
    /// Their number.
    pub blocks: u64,
}

/// One distinct error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its kind, as Valgrind's XML names it.
    pub kind: String,
    /// How often it occurred.
    pub count: u64,
    /// Operation of the allocator that was under way.
    pub operation: String,
    /// Functions from the innermost outwards; `?` and the file where none is known.
    pub frames: Vec<String>,
}

impl Memcheck {
    /// What tells this run from others of the same cell, in words; empty for the plain one.
    #[must_use]
    pub fn variant(&self) -> String {
        let symbols = (self.symbols != FULL_SYMBOLS).then_some(self.symbols.as_str());
        let requests = (self.requests != REQUESTS_ON).then_some("no requests");
        symbols.into_iter().chain(requests).collect::<Vec<_>>().join(", ")
    }

    /// The subject, with the variant in brackets where there is one.
    #[must_use]
    pub fn label(&self) -> String {
        match self.variant() {
            variant if variant.is_empty() => self.subject.clone(),
            variant => format!("{} ({variant})", self.subject),
        }
    }
}

fn full_symbols() -> String {
    FULL_SYMBOLS.to_owned()
}

fn is_full_symbols(symbols: &str) -> bool {
    symbols == FULL_SYMBOLS
}

fn requests_on() -> String {
    REQUESTS_ON.to_owned()
}

fn is_requests_on(requests: &str) -> bool {
    requests == REQUESTS_ON
}
