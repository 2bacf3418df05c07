//! Result records: what a run leaves behind, one JSON object per line.
//!
//! The harness writes them as samples finish; everything a person reads is drawn from them and from
//! nothing else. Units stand in the key names. What was not measured is left out, never zero.
//! `reports/SCHEMA.md` describes every key; a test holds the two together.
//!
//! A results file is valid when its first record is a [`Host`] and every line carries [`SCHEMA`].
//! A file without an [`End`] record is the file of a run that is not over, or was killed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod contract;
mod counters;
mod counts;
mod footprint;
mod memcheck;
mod memory;
mod packing;
mod program;
mod tails;

pub use contract::{Contract, Verdict};
pub use memcheck::{FULL_SYMBOLS, Leak, Memcheck, Place, REQUESTS_ON};
mod ownership;
pub use ownership::{Metric, Ownership};
mod detection;
pub use counters::Counters;
pub use counts::Counts;
pub use detection::{Detection, Finding};
pub use footprint::Footprint;
pub use memory::{HeapMap, Memory, WasteRow, fragmentation};
pub use packing::Packing;
pub use program::Program;
pub use tails::{ALL as ALL_CALLS, Cause, TailRow, Tails, WorstCall};

/// Name and major version of the schema, on every line. A reader refuses another major version;
/// new optional keys and new kinds do not change it.
pub const SCHEMA: &str = "arenabench.results/1";

/// One line of a results file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The record itself; its `kind` key names the variant.
    #[serde(flatten)]
    pub record: Record,
}

/// A record of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// Where and how the run was made; first line of a file.
    Host(Host),
    /// A subject that took part.
    Subject(Subject),
    /// A workload that took part.
    Workload(Workload),
    /// What it cost to record a program, and what the trace takes to store.
    Recording(Recording),
    /// One child process: one subject on one workload.
    Sample(Sample),
    /// One subject on one workload under Valgrind's memcheck.
    Memcheck(Memcheck),
    /// One run of a real program under one subject.
    Program(Program),
    /// One row of the C contract, tried on one subject.
    Contract(Contract),
    /// One measurement of an ownership test.
    Ownership(Ownership),
    /// One seeded bug under one way of looking for it.
    Detection(Detection),
    /// One replay in which every call was timed by itself.
    Tails(Tails),
    /// One replay whose instructions were counted.
    Counts(Counts),
    /// One replay whose events the processor counted.
    Counters(Counters),
    /// One replay whose memory was read where nothing is left to chance.
    Footprint(Footprint),
    /// One replay whose memory was read over its whole life.
    Memory(Memory),
    /// How small a heap could have been for a workload.
    Packing(Packing),
    /// A part of the run that could not be measured on this computer.
    Unmeasured(Unmeasured),
    /// The run is over; last line of a file.
    End(End),
}

impl Record {
    /// Every kind of this version, as the `kind` key names it, in the order of the variants.
    pub const KINDS: [&'static str; 18] = [
        "host",
        "subject",
        "workload",
        "recording",
        "sample",
        "memcheck",
        "program",
        "contract",
        "ownership",
        "detection",
        "tails",
        "counts",
        "counters",
        "footprint",
        "memory",
        "packing",
        "unmeasured",
        "end",
    ];

    /// The value of the record's `kind` key.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        let index = match self {
            Self::Host(_) => 0,
            Self::Subject(_) => 1,
            Self::Workload(_) => 2,
            Self::Recording(_) => 3,
            Self::Sample(_) => 4,
            Self::Memcheck(_) => 5,
            Self::Program(_) => 6,
            Self::Contract(_) => 7,
            Self::Ownership(_) => 8,
            Self::Detection(_) => 9,
            Self::Tails(_) => 10,
            Self::Counts(_) => 11,
            Self::Counters(_) => 12,
            Self::Footprint(_) => 13,
            Self::Memory(_) => 14,
            Self::Packing(_) => 15,
            Self::Unmeasured(_) => 16,
            Self::End(_) => 17,
        };
        Self::KINDS[index]
    }
}

/// Fingerprint of the computer and of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Seconds since 1970 at the start of the run.
    pub started_unix_s: u64,
    /// Version of arenabench.
    pub arenabench: String,
    /// Profile of the run: `quick`, `standard`, `full` or `custom`.
    pub profile: String,
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Subject that ratios are taken against.
    pub baseline: String,
    /// Model name of the processor.
    pub cpu_model: String,
    /// Logical processors the run may use.
    pub cpus: u32,
    /// The processors that the run, and each of its children, may be scheduled on, as the kernel
    /// writes a list: `0-1`. One of them: pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus_allowed: Option<String>,
    /// Size of one processor's second-level cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l2_bytes: Option<u64>,
    /// Size of the last-level cache that processor 0 sees, whoever shares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llc_bytes: Option<u64>,
    /// What tells one processor from another of the same model name, as the kernel says it:
    /// `family 6, model 207, stepping 2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_id: Option<String>,
    /// Whether the processor says that it is a virtual machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_machine: Option<bool>,
    /// Main memory.
    pub memory_bytes: u64,
    /// Kernel name and release.
    pub kernel: String,
    /// C library and version.
    pub libc: String,
    /// Rust compiler the harness was built with.
    pub rustc: String,
    /// Frequency governor of processor 0, where the kernel shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Transparent huge page setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transparent_hugepages: Option<String>,
    /// Whether children run with address randomisation.
    pub address_randomisation: bool,
    /// One-minute load average at the start.
    pub load_1m: f64,
    /// Valgrind's version, where it is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valgrind: Option<String>,
    /// C compiler that seeded bugs are compiled by, where there is one: the first line of its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc: Option<String>,
}

/// How calls reach a subject. Samples of different call kinds are never ranked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// An out-of-line C function through one table of function pointers, the same for all.
    C,
    /// Rust's `GlobalAlloc`, inlined into the replay loop, the size known at free.
    Inline,
    /// No call at all: addresses were assigned beforehand (`null`).
    None,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An allocator people can choose; ranked.
    Peer,
    /// The project's own allocator, in one of the ways it can be used; ranked, and set beside the
    /// best peer.
    Own,
    /// An interpreter's allocator rebuilt from the project's parts; ranked.
    Preset,
    /// A yardstick nobody would run: shown apart, never ranked.
    Reference,
}

/// A subject and the proof of what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Name, unique in the file.
    pub subject: String,
    /// What it is.
    pub role: Role,
    /// How it is called.
    pub call: Call,
    /// Version, as the library itself states it where it does.
    pub version: String,
    /// `linked`, or the file name of the preloaded library.
    pub library: String,
    /// SHA-256 of the preloaded library's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Alignment it promises for every block of at least that size, in bytes.
    pub alignment_bytes: u64,
    /// What a reader should know of this build before comparing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// Where a workload comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A seeded generator.
    Generated,
    /// A program recorded on this computer during this run.
    Recorded,
    /// A trace file.
    File,
}

/// A workload and its shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Name, unique in the file.
    pub workload: String,
    /// Where it comes from.
    pub source: Source,
    /// One sentence on what it does.
    pub description: String,
    /// Allocator calls in the measured region.
    pub operations: u64,
    /// Calls by kind in the measured region: `malloc calloc realloc aligned free`.
    pub operations_by_kind: BTreeMap<String, u64>,
    /// Threads that made them.
    pub threads: u32,
    /// Largest sum of request sizes alive at once, base heap included.
    pub live_peak_bytes: u64,
    /// Blocks alive when the measured region begins.
    pub base_blocks: u64,
    /// Share of requests of at most 512 bytes, by count, from 0 to 1.
    pub small_share: f64,
    /// What the trace does not know (`no-thread-ids` ...): no claim may rest on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
    /// Workload that the heap had been through before; its survivors are part of the base heap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged_by: Option<String>,
    /// SHA-256 of the sequence of events, so that two files can be known to hold the same workload.
    pub sha256: String,
}

/// Cost of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Workload it produced.
    pub workload: String,
    /// Program that was run, as a reader would name it.
    pub program: String,
    /// Allocator calls the recorder counted.
    pub calls: u64,
    /// Size of the stored trace.
    pub trace_bytes: u64,
    /// `trace_bytes` over the operations in the trace.
    pub bytes_per_operation: f64,
    /// Wall times of the program under the recorder, one per run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded_wall_ns: Vec<u64>,
    /// Wall times of the program alone, one per run, interleaved with the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plain_wall_ns: Vec<u64>,
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Finished, and proven to be what it claims.
    Ok,
    /// The child ended early or without a result.
    Exit,
    /// The child was killed by a signal of its own making.
    Signal,
    /// The child ran past its time limit and was killed.
    Timeout,
    /// The subject could not get the memory, or took more than the limit.
    Oom,
    /// Contents, alignment, overlap or the operation count were wrong.
    Mismatch,
    /// The library that was to be preloaded did not serve the child.
    NotLoaded,
    /// The subject cannot do this; no failure.
    Unsupported,
    /// A tool or library needed for the cell is not on this computer.
    Missing,
    /// The run was interrupted while the cell was running.
    Interrupted,
}

impl Status {
    /// Whether the cell failed, so that the run as a whole ends with exit code 3.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Status::Ok | Status::Unsupported)
    }

    /// The status as records name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Oom => "oom",
            Self::Mismatch => "mismatch",
            Self::NotLoaded => "not-loaded",
            Self::Unsupported => "unsupported",
            Self::Missing => "missing",
            Self::Interrupted => "interrupted",
        }
    }

    /// What the status means, for a reader who does not know the words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "finished",
            Self::Exit => "ended early or without a result",
            Self::Signal => "killed by a signal",
            Self::Timeout => "ran past its time limit",
            Self::Oom => "could not get the memory, or took more than the limit",
            Self::Mismatch => "wrong contents, alignment, overlap or operation count",
            Self::NotLoaded => "the library did not serve the process",
            Self::Unsupported => "the subject cannot do this",
            Self::Missing => "a tool or library it needs is not on this computer",
            Self::Interrupted => "the run was interrupted",
        }
    }
}

/// One child process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed.
    pub workload: String,
    /// Place in the order of measuring, from 0.
    pub seq: u64,
    /// Round of interleaving, from 0.
    pub round: u32,
    /// True when the sample stands for the baseline under another name (the A/A floor).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Replay mode: `serial` (recorded order, threads flattened into one), `parallel` (on the
    /// threads of the trace), `paced` (as `parallel`, no call before its recorded time).
    pub mode: String,
    /// How calls reached the subject.
    pub call: Call,
    /// Touch policy: `none`, `header`, `page`, `all`.
    pub touch: String,
    /// True when every block was checked; such a sample carries no times.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// How it ended.
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Exit code of a child that ended with [`Status::Exit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Signal of a child that ended with [`Status::Signal`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Allocator calls replayed in the measured region, per pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// Wall time of one pass over the measured region, the final drain left out: made of the moments
    /// in which nobody shared the processor; on several threads that of the fastest of the passes
    /// behind the first, once the fastest quarter of them is set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// Share of the region that was played in such a moment at least twice; on several threads share of
    /// the passes that count whose processors were near one another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calm_share: Option<f64>,
    /// Calm shares of the other children that were taken in its place: of this one most was calm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retaken_calm_shares: Vec<f64>,
    /// On several threads, how far apart the two processors were: the round trip of a cache line,
    /// median over the passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_ns: Option<u64>,
    /// Wall times of all passes in order; the first runs on a cold heap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_wall_ns: Vec<u64>,
    /// `2 * wall_ns / operations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_per_pair: Option<f64>,
    /// Largest sum of request sizes alive at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_peak_bytes: Option<u64>,
    /// Growth of the resident set over the first pass at its peak, the harness's own memory left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_peak_bytes: Option<u64>,
    /// Page faults (minor and major) of the first pass, base heap included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
}

/// A part of the run that is missing, and how to get it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unmeasured {
    /// What is missing: `memcheck`, `recorded-program` ...
    pub measure: String,
    /// Why.
    pub reason: String,
    /// What a reader can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// End of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// `complete` or `interrupted`.
    pub outcome: String,
    /// Whole run, set-up included.
    pub run_wall_ns: u64,
    /// Time spent inside sampled children.
    pub measuring_wall_ns: u64,
}
