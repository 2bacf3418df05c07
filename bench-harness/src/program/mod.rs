//! Real programs under subjects: the program itself is run, nothing is replayed.
//!
//! ```text
//! arenabench program            one launcher per run             the program
//!   session  --spawn::run-->  __launch JOB CMD  --fork, exec-->  CMD, LD_PRELOAD set here only
//!      ^                            | reads its output, waits, asks the kernel what it used
//!      +----- answer, descriptor 3 -+
//! ```
//!
//! * R1: `LD_PRELOAD` is set in the program's environment alone. Neither this process nor the
//!   launcher is served by a subject.
//! * R2: every cell begins with a verified run, in which the dynamic linker is asked to write down
//!   where it finds `malloc` (`bindings`), and the program's memory is searched for the library
//!   (`watch`). A cell that does not pass is never timed. Timed runs have the same command, library
//!   and environment, and nobody watches them.
//! * R3: a run's peak of resident memory is its own and not that of the process it was forked from,
//!   or it is left out (`launch`).
//! * R4: within a round the programs come in random order, and for each of them the subjects, in
//!   random order, one right after the other: what disturbs the computer for longer than that
//!   cancels in their ratio.

pub(crate) mod bindings;
pub(crate) mod launch;
pub(crate) mod proof;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod subject;
pub(crate) mod suite;

mod watch;

use std::ffi::OsString;

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Name in records.
    pub(crate) name: String,
    /// Command and arguments; at least the command.
    pub(crate) command: Vec<OsString>,
    /// The command line as records show it.
    pub(crate) shown: String,
}

impl Program {
    /// The program that a command line names. Its name is the command line.
    pub(crate) fn of(command: Vec<OsString>) -> Self {
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        let shown = words.join(" ");
        Self { name: shown.clone(), command, shown }
    }
}
