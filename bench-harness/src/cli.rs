//! The command line: what can be said, and what every part of it means.

mod check;
mod program;
mod trace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::detection::Bugs;
use crate::ownership::strategy::{self, Strategy};
use crate::ownership::terrain::Pattern;
use crate::replay::mode::Mode;
use crate::replay::touch::Touch;
use crate::subject::Subject;
use crate::valgrind::{Requests, Symbols};
use crate::workload::Name;

pub(crate) use check::{Check, CheckFormat};
pub(crate) use program::{Compare, Program};
pub(crate) use trace::{Trace, TraceGenerate, TraceImport, TraceInfo, TraceReduce, TraceValidate};

/// Records, generates and replays allocation traces against memory allocators.
#[derive(Debug, Parser)]
#[command(
    name = "arenabench",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 good, 1 regression or failed verification, 2 bad usage, \
                  3 some cells failed or a tool is missing, 4 undecided, 65 bad input data, 74 I/O error, \
                  130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Talk {
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Draw no progress bar (none is drawn where standard error is no terminal)
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare subjects on workloads; writes records and a report
    Run(Run),
    /// List subjects, workloads and measures
    List(List),
    /// Say what can be measured on this computer and how to get what is missing
    Doctor,
    /// Record a live program's allocations as a trace
    Record(Record),
    /// Look at, make, check and shrink trace files
    #[command(subcommand)]
    Trace(Trace),
    /// Replay one trace on one or more subjects
    Replay(Replay),
    /// Run a real program under each subject: time, peak memory, output compared
    Program(Program),
    /// Count what Valgrind's memcheck reports of each subject, replaying or serving a program
    Memcheck(Memcheck),
    /// Measure ownership tests: is this address ours?
    Ownership(Ownership),
    /// Try every promise of C's malloc family on each subject
    Contract(Contract),
    /// Set two results files side by side: B over A, cell by cell and over all
    Compare(CompareFiles),
    /// Gate: is it worse than a recorded baseline, another revision or another library?
    Check(Check),
    /// Redraw charts and pages from records
    Report(Report),
    /// Print a shell's completion script
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// How results are printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    #[default]
    Table,
    /// The records, as one JSON array
    Json,
    /// One line per sample
    Csv,
    /// A Markdown table
    Md,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Five minutes on two cores
    #[default]
    Quick,
    /// About half an hour
    Standard,
    /// Hours: more rounds, eras and sizes
    Full,
}

impl Profile {
    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }
}

/// Which subjects, and how their blocks are touched.
#[derive(Clone, Debug, Args)]
pub(crate) struct Subjects {
    /// Subject: a name from `list`, or NAME=/path/lib.so for any library that replaces malloc
    /// [default: for `replay` system, for `run` all]
    #[arg(short, long = "subject", value_name = "S", value_parser = Subject::parse)]
    pub(crate) subjects: Vec<Subject>,
    /// What is done to a block besides allocating it: none, header (first 16 bytes), page, all
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(crate) touch: Touch,
    /// Time limit of one child process
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Seed and length of generated workloads.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Generation {
    /// Seed of everything random: generators, and the order of measuring
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Calls in the measured region of generated workloads [default: the profile's, or the command's]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) operations: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  arenabench run\n  \
    arenabench run -s system -s mimalloc -w int-churn -w dict-resize@3.9 -o out\n  \
    arenabench run -s system -s mine=/usr/lib/libmine.so -w program.trace")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) subjects: Subjects,
    /// Workload: a name from `list`, or a trace file [default: by profile]
    #[arg(short, long = "workload", value_name = "W", value_parser = workload_name())]
    pub(crate) workloads: Vec<Name>,
    /// Start on a heap that another workload has aged: a name from `list`, or a trace file
    #[arg(long, value_name = "W", value_parser = workload_name())]
    pub(crate) aged: Option<Name>,
    /// Folder of the results [default: a new one under arenabench-results]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// How much is measured
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: Profile,
    #[command(flatten)]
    pub(crate) generation: Generation,
    /// Subject that ratios are taken against
    #[arg(long, value_name = "S", default_value = "system")]
    pub(crate) baseline: String,
    /// How threads are replayed [default: parallel where a workload has several, else serial]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// Rounds of interleaved samples [default: by profile]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Leave out the replays that check every block
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Leave out Valgrind
    #[arg(long)]
    pub(crate) no_memcheck: bool,
    /// Also count instructions, simulated cache misses and system calls under Valgrind; the standard
    /// and full profiles do so anyway
    #[arg(long)]
    pub(crate) counts: bool,
    /// Also have the processor count instructions, cycles, cache, TLB and branch misses, where it
    /// does; the standard and full profiles do so anyway
    #[arg(long)]
    pub(crate) counters: bool,
    /// Also time every call by itself, for percentiles and the slowest calls; the standard and full
    /// profiles do so anyway
    #[arg(long)]
    pub(crate) tails: bool,
    /// Also read memory over the life of every workload, for fragmentation, what is left after the
    /// end, and maps of the heap; the standard and full profiles do so anyway
    #[arg(long)]
    pub(crate) memory: bool,
    /// Go on with the interrupted run in the output folder
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench record -o day.trace -- env PYTHONMALLOC=malloc python3 program.py\n  \
    arenabench record -o log.trace -- git log --oneline\n\n\
    The exit code is the program's own, or 128 + n when signal n ended it.")]
pub(crate) struct Record {
    /// Trace of the program's own process; other processes go to FILE.PID.N
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The first request of exactly N bytes begins the measured region, the second ends it
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) mark_size: Option<u64>,
    /// Also run the program N times with and N times without the recorder, and say what it costs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) measure_slowdown: Option<u32>,
    /// Wait this long for processes that outlive CMD (daemons); their traces are cut off then
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) linger: Duration,
    /// Program and arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench replay day.trace -s mimalloc\n  \
    arenabench replay int-churn:100k -s pymalloc-3.11 --verify")]
pub(crate) struct Replay {
    /// Trace file, or a workload from `list`
    #[arg(value_name = "TRACE", value_parser = workload_name())]
    pub(crate) workload: Name,
    /// Start on a heap that another workload has aged: a name from `list`, or a trace file
    #[arg(long, value_name = "W", value_parser = workload_name())]
    pub(crate) aged: Option<Name>,
    #[command(flatten)]
    pub(crate) subjects: Subjects,
    #[command(flatten)]
    pub(crate) generation: Generation,
    /// Check every block instead of measuring; a failed check is exit code 1
    #[arg(long)]
    pub(crate) verify: bool,
    /// How threads are replayed [default: parallel where the trace has several, else serial]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<Mode>,
    /// Samples of each subject, interleaved
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench memcheck\n  \
    arenabench memcheck -s pymalloc-3.9 -w day.trace --symbols full --symbols stripped\n  \
    arenabench memcheck -s system -s pymalloc -s arenite -- python3 program.py\n\n\
    Errors that were counted are results: exit code 0. A program's output is dropped; processes that \
    it starts, and programs that it turns itself into, are not followed.")]
pub(crate) struct Memcheck {
    /// Subject: a name from `list`, or NAME=/path/lib.so; for a program one that `program` takes
    /// [default: all that can be used]
    #[arg(short, long = "subject", value_name = "S")]
    pub(crate) subjects: Vec<String>,
    /// Workload: a name from `list`, or a trace file [default: the three generators]
    #[arg(short, long = "workload", value_name = "W", value_parser = workload_name(),
          conflicts_with = "command")]
    pub(crate) workloads: Vec<Name>,
    /// What is done to a block besides allocating it: none, header (first 16 bytes), page, all
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(crate) touch: Touch,
    /// Time limit of one child process; four times as much under Valgrind
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) generation: Generation,
    #[command(flatten)]
    pub(crate) bugs: Bugs,
    /// What Valgrind can know of functions; may be given several times [default: full]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) symbols: Vec<Symbols>,
    /// Whether subjects may tell Valgrind of their blocks; may be given several times [default: on]
    #[arg(long, value_enum, value_name = "WHETHER")]
    pub(crate) requests: Vec<Requests>,
    /// Look for blocks that nobody freed as well
    #[arg(long)]
    pub(crate) leak_check: bool,
    /// File of suppressions; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Vec<PathBuf>,
    /// Not even the suppressions that Valgrind brings
    #[arg(long, conflicts_with = "suppressions")]
    pub(crate) no_suppressions: bool,
    /// Cells that run side by side [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Folder of the results: records and a report [default: none, counts are only printed]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with the interrupted run in the output folder
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Program and arguments, run instead of replaying workloads
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench contract\n  \
    arenabench contract -s system -s mine=/usr/lib/libmine.so -o out\n\n\
    A promise that is not kept is a result: exit code 0.")]
pub(crate) struct Contract {
    /// Subject: a name from `list`, or NAME=/path/lib.so for any library that replaces malloc
    /// [default: all that are called through C functions]
    #[arg(short, long = "subject", value_name = "S", value_parser = Subject::parse)]
    pub(crate) subjects: Vec<Subject>,
    /// Folder of the results: records and a report [default: none, findings are only printed]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Time limit of one subject
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench ownership -o out\n  \
    arenabench ownership --strategy radix-tree --arenas 1 --arenas 10k --no-in-place")]
pub(crate) struct Ownership {
    /// Ownership strategy: arena-index, radix-tree ... or arenite, for its own [default: all]
    #[arg(short, long = "strategy", value_name = "S", value_parser = strategy::parse)]
    pub(crate) strategies: Vec<Strategy>,
    /// Live arenas; beyond 10k they are made up [default: 1, 10, 100, 1k, 10k and 100k]
    #[arg(short, long = "arenas", value_name = "N", value_parser = count)]
    pub(crate) arenas: Vec<u64>,
    /// Order of the addresses: sequential, random or clustered [default: all three]
    #[arg(long = "pattern", value_name = "P")]
    pub(crate) patterns: Vec<Pattern>,
    /// Folder of the results: records and a report [default: none, figures are only printed]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// How much is measured
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: Profile,
    /// Rounds of interleaved samples [default: by profile]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Leave out what each strategy costs in a heap
    #[arg(long)]
    pub(crate) no_in_place: bool,
    /// Leave out the counting of instructions under Valgrind
    #[arg(long)]
    pub(crate) no_instructions: bool,
    /// Seed of the addresses and of the order of measuring
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Time limit of one child process
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Print results as
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench compare before after\n  \
    arenabench compare before/results.jsonl after/results.jsonl --format md -o summary.md\n\n\
    Differences are results: exit code 0 whatever they are.")]
pub(crate) struct CompareFiles {
    /// Results file, or the folder it stands in, that is compared with
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// Results file, or the folder it stands in, whose figures are put over those of A
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    /// Print as; json is one array of objects of every kind, csv the ratios only
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// File to write to instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    arenabench report results -o pages\n  \
    arenabench report results --format junit -o junit.xml")]
pub(crate) struct Report {
    /// Results file, or the folder it stands in
    pub(crate) results: PathBuf,
    /// Folder of the pages, or file of any other format; `-` is standard output
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// What is made
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    /// Folder of another report, seen from that of RESULTS, to link with its first findings (repeatable)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) beside: Vec<String>,
}

/// What is made of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A folder: page, charts, Markdown, CSV and a copy of the records
    #[default]
    Pages,
    /// JUnit XML: a failed cell is a failure
    Junit,
    /// Bencher Metric Format, JSON
    Bmf,
    /// JSON of github-action-benchmark, customSmallerIsBetter
    BenchmarkAction,
    /// The Markdown summary
    Markdown,
    /// One line per sample
    Csv,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    arenabench completions bash > ~/.local/share/bash-completion/completions/arenabench")]
pub(crate) struct Completions {
    /// Shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// A workload's name; paths of trace files may hold bytes that are no text.
fn workload_name() -> impl TypedValueParser<Value = Name> {
    OsStringValueParser::new().try_map(|text| Name::of(&text))
}

/// A duration such as `30s`, `2m` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let expected = || format!("`{text}`: expected a duration such as 500ms, 30s, 2m or 1h");
    let number: u64 = number.parse().map_err(|_| expected())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    match milliseconds {
        Some(1..) => milliseconds.map(Duration::from_millis).ok_or_else(expected),
        _ => Err(expected()),
    }
}

/// A count such as `5000`, `100k` or `2m`, at least 1.
fn count(text: &str) -> Result<u64, String> {
    let expected = || format!("`{text}`: expected a count such as 5000, 100k or 2m");
    let (number, unit) = match text.to_ascii_lowercase() {
        lower if lower.ends_with('k') => (text[..text.len() - 1].to_owned(), 1_000),
        lower if lower.ends_with('m') => (text[..text.len() - 1].to_owned(), 1_000_000),
        _ => (text.to_owned(), 1),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    match number.checked_mul(unit) {
        Some(count @ 1..) => Ok(count),
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "5", "s", "0s", "-1s", "1d", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_take_thousands_and_millions() {
        assert_eq!(count("5000"), Ok(5000));
        assert_eq!(count("100k"), Ok(100_000));
        assert_eq!(count("2M"), Ok(2_000_000));
        for bad in ["", "k", "0", "-1", "1.5k", "99999999999999999999", "1ü"] {
            assert!(count(bad).is_err(), "{bad}");
        }
    }
}
