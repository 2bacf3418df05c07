//! Runs cells under Valgrind's memcheck and counts what it reports.
//!
//! ```text
//! cells, side by side        a launcher per run                 the child
//!   count  --spawn::run-->  __launch JOB CHILD           -->  CHILD               wall, peak
//!          --spawn::run-->  __launch JOB valgrind CHILD  -->  CHILD, watched      XML, wall, peak
//! ```
//!
//! * V1: the two runs of a cell have the same command, library and environment; what is kept of
//!   their times and memory is their ratio.
//! * V2: only a complete XML report is counted. A run that was cut off has no counts, never zero.
//! * V3: records are written by one thread, in the order in which cells finish.

pub(crate) mod callgrind;
mod cell;
mod operation;
pub(crate) mod requests;
mod variant;
mod xml;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(crate) use cell::{Cell, Load, Tool};
pub(crate) use variant::{Requests, Stripped, Symbols, Variant};

/// How much more time a child is given under Valgrind.
pub(crate) const TIMES: u32 = 4;

/// Arguments of every run. Errors beyond the first thousands are counted as well; a preloaded
/// subject stays in place instead of being replaced by memcheck's own malloc; files and variables
/// with options of the user's own are not read, and no door for a debugger is opened.
const ARGUMENTS: [&str; 8] = [
    "--command-line-only=yes",
    "--tool=memcheck",
    "--xml=yes",
    "--error-limit=no",
    "--num-callers=30",
    "--soname-synonyms=somalloc=nouserintercepts",
    "--child-silent-after-fork=yes",
    "--vgdb=no",
];

/// What memcheck is told besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Valgrind's version, for the records.
    pub(crate) version: String,
    /// Whether blocks that nobody freed are looked for.
    pub(crate) leak_check: bool,
    /// Files of suppressions, beyond those that Valgrind brings.
    pub(crate) suppressions: Vec<PathBuf>,
    /// Whether not even Valgrind's own suppressions are used.
    pub(crate) no_suppressions: bool,
    /// Whether the same runs without Valgrind as well, for what watching costs.
    pub(crate) costs: bool,
}

impl Options {
    /// Valgrind's command line, up to the program.
    fn command(&self, variant: Variant, report: &Path) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec!["valgrind".into()];
        command.extend(ARGUMENTS.map(OsString::from));
        let leaks: &[&str] = match self.leak_check {
            true => &["--leak-check=full", "--show-leak-kinds=all"],
            false => &["--leak-check=no"],
        };
        command.extend(leaks.iter().map(OsString::from));
        if variant.symbols == Symbols::NoInline {
            command.push("--read-inline-info=no".into());
        }
        if self.no_suppressions {
            command.push("--default-suppressions=no".into());
        }
        let with_path = |option: &str, path: &Path| {
            let mut argument = OsString::from(option);
            argument.push(path);
            argument
        };
        let files = self.suppressions.iter();
        command.extend(files.map(|file| with_path("--suppressions=", file)));
        command.push(with_path("--xml-file=", report));
        command
    }
}
