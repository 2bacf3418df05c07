//! `arenabench program`: its options.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Format, duration};
use crate::program::subject::Server;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench program -- gcc -O2 -c big.c -o /dev/null\n  \
    arenabench program --python -s arenite -- python3 program.py\n  \
    arenabench program --suite python -o out\n\n\
    The program gets no standard input. Variables that set allocators up are taken out of its \
    environment; `-- env NAME=VALUE CMD` puts one in.")]
pub(crate) struct Program {
    /// Subject: system, arenite (here libarenite.so, as arenite-preload is: linked functions cannot
    /// serve a program), arenite-checked, pymalloc (of a Python program), an installed library from
    /// `list`, or NAME=/path/lib.so
    /// [default: all of them that are found, but arenite-checked]
    #[arg(short, long = "subject", value_name = "S", value_parser = Server::parse)]
    pub(crate) subjects: Vec<Server>,
    /// The program is run by a Python interpreter: subject `pymalloc` joins and is the baseline,
    /// and all others run with PYTHONMALLOC=malloc
    #[arg(long)]
    pub(crate) python: bool,
    /// Run a built-in set of programs instead of a command
    #[arg(long, value_enum, value_name = "SUITE", conflicts_with = "command")]
    pub(crate) suite: Option<Suite>,
    /// Only this program of the suite; may be given several times
    #[arg(short, long = "program", value_name = "NAME", requires = "suite")]
    pub(crate) programs: Vec<String>,
    /// Amount of work of each program of the suite [default: its own, about half a second]
    #[arg(long, value_name = "N", requires = "suite", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) amount: Option<u32>,
    /// Python interpreter of the suite
    #[arg(long, value_name = "CMD", default_value = "python3", requires = "suite")]
    pub(crate) interpreter: OsString,
    /// Folder of the results: records and a report [default: none, figures are only printed]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with an earlier run in the same folder: same options, only what is missing
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// Also record each program, replay the recording under the same subjects, and report what the
    /// replay predicts beside what the program did; the default baseline is system then
    #[arg(long)]
    pub(crate) fidelity: bool,
    /// Subject that ratios are taken against and output is compared with
    /// [default: pymalloc for Python programs, else system]
    #[arg(long, value_name = "S", value_parser = Server::parse)]
    pub(crate) baseline: Option<Server>,
    /// Timed runs of each subject, interleaved
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// What of the output must be the same under every subject
    #[arg(long, value_enum, default_value_t)]
    pub(crate) compare: Compare,
    /// Time limit of one run
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Seed of the order of measuring
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Program and arguments
    #[arg(last = true, required_unless_present = "suite", value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Built-in sets of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Python programs, each with a checksum of its results as output
    Python,
}

/// What of a program's output is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compare {
    /// Standard output and standard error
    #[default]
    All,
    /// Standard output only
    Stdout,
    /// Nothing
    None,
}
