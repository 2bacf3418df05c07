//! `arenabench check`: its options.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Generation, duration, workload_name};
use crate::subject::Subject;
use crate::workload::Name;

/// Where the repository keeps its baseline.
pub(crate) const BASELINE: &str = "scripts/gate.baseline.jsonl";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench check\n  \
    arenabench check --record\n  \
    arenabench check --against main -o out\n  \
    arenabench check -s mine=/new/libmine.so --against /old/libmine.so\n\n\
    Exit codes: 0 no worse, 1 a regression or a failed verification, 3 a cell failed or a tool is \
    missing, 4 undecided: noise is larger than the threshold, or the baseline was recorded with \
    another compiler, C library or Valgrind.\n\n\
    On two processors it takes a minute and a half, with --against five to six; --no-time leaves the longer part out.")]
pub(crate) struct Check {
    /// Subject: a name from `list`, or NAME=/path/lib.so [default: arenite-preload]
    #[arg(short, long = "subject", value_name = "S", value_parser = Subject::parse)]
    pub(crate) subjects: Vec<Subject>,
    /// Workload: a name from `list`, or a trace file [default: fourteen short ones]
    #[arg(short, long = "workload", value_name = "W", value_parser = workload_name())]
    pub(crate) workloads: Vec<Name>,
    /// What is compared with, run side by side: a revision of this repository, whose libarenite.so is
    /// built, or a library's path. Also watches time and tails
    #[arg(long, value_name = "REV|LIB", conflicts_with_all = ["record", "baseline"])]
    pub(crate) against: Option<String>,
    /// Recorded baseline, compared with when there is no --against
    #[arg(long, value_name = "FILE", default_value = BASELINE)]
    pub(crate) baseline: PathBuf,
    /// Record the baseline instead of comparing with it
    #[arg(long)]
    pub(crate) record: bool,
    /// Leave out time and tails
    #[arg(long, requires = "against")]
    pub(crate) no_time: bool,
    /// Leave the C contract out
    #[arg(long)]
    pub(crate) no_contract: bool,
    /// Leave the seeded bugs out
    #[arg(long)]
    pub(crate) no_bugs: bool,
    /// Run this seeded bug only; may be given several times [default: all]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_bugs", "record"])]
    pub(crate) bug: Vec<String>,
    /// Rounds of paired times; as many again where the first ones leave a doubt
    #[arg(long, value_name = "N", default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(6..=1000))]
    pub(crate) rounds: u32,
    #[command(flatten)]
    pub(crate) generation: Generation,
    /// Time limit of one child process
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Folder of the records, with summary.md and junit.xml [default: none]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print rulings as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CheckFormat,
    /// List what is good as well, in the table
    #[arg(long)]
    pub(crate) all: bool,
}

/// How rulings are printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// A table of what moved
    #[default]
    Table,
    /// An object with every ruling
    Json,
    /// One line per ruling
    Csv,
    /// What moved, as Markdown
    Md,
    /// JUnit XML, a case per ruling
    Junit,
}
