//! The record of one run of a real program.

use serde::{Deserialize, Serialize};

use super::Status;

/// One run of a real program under one subject: the program's own process and, in the sums named
/// below, the processes that it started and waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Name of the program, unique in the file.
    pub program: String,
    /// Subject that served it.
    pub subject: String,
    /// What was run, as a reader would type it.
    pub command: String,
    /// Place in the order of measuring, from 0.
    pub seq: u64,
    /// Round of interleaving, from 0; ratios are taken within a round.
    pub round: u32,
    /// True when the run stands for the baseline under another name (the A/A floor).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// True when the dynamic linker was asked who serves `malloc`; such a run carries no figures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// How it ended. A program whose output differs from the baseline's is [`Status::Mismatch`].
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Exit code of a program that ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Signal of a program that ended with [`Status::Signal`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// File that `malloc` was found in by the dynamic linker, in a verified run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Time from before the start of the program to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// Processor time in user mode, processes it waited for included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ns: Option<u64>,
    /// Processor time in the kernel, processes it waited for included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_ns: Option<u64>,
    /// Largest resident set of the program's process, or of one that it waited for if that is
    /// larger; shared libraries included. Never a sum over processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_peak_bytes: Option<u64>,
    /// Page faults, minor and major, processes it waited for included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
    /// Bytes written to standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_bytes: Option<u64>,
    /// SHA-256 of standard output, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_sha256: Option<String>,
    /// Bytes written to standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_bytes: Option<u64>,
    /// SHA-256 of standard error, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_sha256: Option<String>,
}

impl Program {
    /// Processor time in user mode and in the kernel together.
    #[must_use]
    pub fn cpu_ns(&self) -> Option<u64> {
        Some(self.user_ns? + self.system_ns?)
    }
}
