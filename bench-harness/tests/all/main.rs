//! Runs the command as a user would and looks at what comes back: exit codes, output, files.
//!
//! The libraries these tests load (the recorder, the controls) are not dependencies of this package:
//! they export malloc. `scripts/test` builds them beside the binary beforehand.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests may fail and say why they skip"
)]

mod aged;
mod agreement;
mod bad_input;
mod check;
mod command;
mod compare;
mod contract;
mod controls;
mod counters;
mod counts;
mod detection;
mod doors;
mod fidelity;
mod installed;
mod interrupted;
mod kills;
mod long;
mod memcheck;
mod memory;
mod ownership;
mod predicted;
mod program;
mod real_programs;
mod recorder;
mod recording;
mod reduce;
mod run;
mod sanity;
mod shell;
mod suppressions;
mod threads;
mod watched;
