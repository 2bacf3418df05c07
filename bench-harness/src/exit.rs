//! Exit codes, and errors that carry one.

use std::io;

use workloads::trace::{TraceError, TraceErrorKind};

/// Finished, nothing to report.
pub(crate) const GOOD: u8 = 0;
/// A regression, or a verification that failed.
pub(crate) const REGRESSION: u8 = 1;
/// Bad usage; checked before any file is opened.
pub(crate) const USAGE: u8 = 2;
/// Finished, but some cells failed or a needed tool is missing.
pub(crate) const INCOMPLETE: u8 = 3;
/// Undecided: noise is larger than the threshold, or the baseline is of another tool chain.
pub(crate) const UNDECIDED: u8 = 4;
/// Bad input data.
pub(crate) const DATA: u8 = 65;
/// An I/O error, a missing file among them.
pub(crate) const IO: u8 = 74;
/// Interrupted; what was finished is on disk.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error with the exit code it ends the program with.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One of the constants above.
    pub(crate) code: u8,
    /// The chain that is printed.
    pub(crate) error: anyhow::Error,
}

/// Result of a command: the exit code when it ran to its end.
pub(crate) type Outcome = Result<u8, Failure>;

impl Failure {
    /// Bad usage, in one sentence.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, error: anyhow::Error::msg(message.into()) }
    }

    /// Bad data.
    pub(crate) fn data(error: impl Into<anyhow::Error>) -> Self {
        Self { code: DATA, error: error.into() }
    }

    /// An I/O error with what it happened to.
    pub(crate) fn io(what: impl std::fmt::Display, error: io::Error) -> Self {
        Self { code: IO, error: anyhow::Error::from(error).context(what.to_string()) }
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        let code = match error.kind {
            TraceErrorKind::Io(_) => IO,
            _ => DATA,
        };
        Self { code, error: error.into() }
    }
}
