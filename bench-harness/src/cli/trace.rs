//! `arenabench trace`: the options of its commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Format, Generation, count, duration, workload_name};
use crate::replay::mode::Mode;
use crate::subject::Subject;
use crate::workload::Name;

#[derive(Debug, Subcommand)]
pub(crate) enum Trace {
    /// Sizes, lifetimes, peaks and losses of a trace
    Info(TraceInfo),
    /// Write a generated workload to a trace file
    Generate(TraceGenerate),
    /// Convert the raw logs that a recording has kept
    Import(TraceImport),
    /// Check a trace to its last byte
    Validate(TraceValidate),
    /// Cut a workload that a subject fails on down to the calls that make it fail
    Reduce(TraceReduce),
}

#[derive(Debug, Args)]
pub(crate) struct TraceInfo {
    /// Trace file
    pub(crate) trace: PathBuf,
    /// Print as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct TraceGenerate {
    /// Workload: a generator's name from `list`
    pub(crate) workload: String,
    /// Trace file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) generation: Generation,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arenabench trace import day.trace.raw-Xk3PqZ -o day.trace")]
pub(crate) struct TraceImport {
    /// Folder of raw logs, as `record` names it when it could not convert them
    pub(crate) folder: PathBuf,
    /// Trace of the program's own process; other processes go to FILE.PID.N
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The first request of exactly N bytes begins the measured region, the second ends it
    /// [default: what the recording was begun with]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) mark_size: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceValidate {
    /// Trace files
    #[arg(required = true)]
    pub(crate) traces: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    arenabench trace reduce day.trace -s mine=/usr/lib/libmine.so -o small.trace\n\n\
    Every trial is a replay with everything checked, as by `replay --verify`. It counts when it ends as \
    the first one did: a wrong block in the same words, the same signal, exit code or limit. Ctrl-C ends \
    the search; the trace then holds the least that was found.")]
pub(crate) struct TraceReduce {
    /// Trace file, or a workload from `list`, of at most 8 million events (some 2 GB of memory)
    #[arg(value_name = "TRACE", value_parser = workload_name())]
    pub(crate) workload: Name,
    /// Subject that fails: a name from `list`, or NAME=/path/lib.so
    #[arg(short, long, value_name = "S", value_parser = Subject::parse)]
    pub(crate) subject: Subject,
    /// Trace file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) generation: Generation,
    /// How threads are replayed [default: parallel where the trace has several, else serial]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// Most replays of one trial, the first that fails ends it: for failures that come and go
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) tries: u32,
    /// Time limit of one replay
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Print the calls that are left as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}
