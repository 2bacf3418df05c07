//! `arenabench trace`: the options of its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Generation, count};

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
