//! What a parent tells a child, and what the child answers: one JSON object each way.
//!
//! The job is the child's only argument, so that a sample can be repeated by hand. The answer goes to
//! file descriptor [`ANSWER_FD`], since a subject under test may print to the standard streams.

use std::path::PathBuf;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counters::Event;
use crate::plan::Shape;
use crate::plan::streams::StreamsShape;
use crate::replay::calm::Calm;
use crate::replay::player::life::Life;
use crate::replay::probe::magnifier::Look;
use crate::replay::probe::stopwatch::Timed;
use crate::replay::touch::Touch;
use crate::subject::Identity;

/// First argument of a child; the job is the second.
pub(crate) const ARGUMENT: &str = "__sample";

/// Descriptor that the child writes its answer to.
pub(crate) const ANSWER_FD: i32 = 3;

/// One sample to take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Subject, as `Subject::parse` takes it.
    pub(crate) subject: String,
    /// Copy of the subject's library that is preloaded in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<PathBuf>,
    /// File of the replay plan.
    pub(crate) plan: PathBuf,
    /// What the workload holds; of `plan`, unless it is a plan for threads.
    pub(crate) shape: Shape,
    /// What `plan` holds when it is one for threads; the replay then runs on threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) streams: Option<StreamsShape>,
    /// Whether `plan` is one for turns: calls are made on the threads of the trace, one at a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) turns: bool,
    /// How blocks are touched.
    pub(crate) touch: Touch,
    /// What is done with the plan.
    pub(crate) task: Task,
    /// Whether a timed child may end as soon as it finds that the processor is shared: its parent takes
    /// another sample later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) breaks_off: bool,
    /// Calls of the measured region that [`Task::Look`] looks at, by their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) look: Vec<u64>,
}

/// What a child does with its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Task {
    /// One pass, in which memory is read unless several threads play it, then this many more; on one
    /// thread further ones while too little of them was calm.
    Measure { passes: u32 },
    /// One pass, everything checked.
    Verify,
    /// One pass and nothing else: for a tool that watches from outside.
    Once,
    /// One pass, every call of the region timed by itself.
    Tails,
    /// One pass on one thread, its region counted by the kernel and, under callgrind, by callgrind.
    Count,
    /// Passes on one thread, one per event of the processor that is counted.
    Counters,
    /// A pass in which memory is read; unless it is played in turns, more of them, to see whether what
    /// is left of each adds up.
    Footprint,
    /// One pass on one thread, a few calls of it looked at closely.
    Look,
    /// One pass on one thread, memory read over its whole life and, if told to wait, for seconds
    /// after it.
    Life { waits: bool },
}

/// What a child found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The replay went through to the end.
    Done(Box<Found>),
    /// The library that was to serve the child does not.
    NotLoaded(String),
    /// The subject returned null.
    Oom(String),
    /// Contents, alignment or overlap were wrong.
    Mismatch(String),
    /// The child itself could not go on.
    Failed(String),
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Who served.
    pub(crate) identity: Identity,
    /// Calls of the measured region in each pass.
    pub(crate) calls: u64,
    /// Wall time of every pass over the measured region; the first runs on a cold heap.
    pub(crate) pass_wall_ns: Vec<u64>,
    /// Peak growth of anonymous resident memory over the first pass, on one thread.
    pub(crate) rss_peak_bytes: Option<u64>,
    /// What is left of that growth once every block has been freed, on one thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rss_retained_bytes: Option<u64>,
    /// What later passes have added to it, on one thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rss_growth_bytes: Option<u64>,
    /// Page faults of the first pass on one thread, base heap included; of a footprint, those of the later
    /// passes.
    pub(crate) page_faults: Option<u64>,
    /// Events that were counted, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) events: BTreeMap<Event, u64>,
    /// Times of single calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timed: Option<Timed>,
    /// What was found at the calls that were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) looks: Vec<Look>,
    /// Memory over the life of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) life: Option<Life>,
    /// The time of one pass without what others do to the processors, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calm: Option<Calm>,
    /// On several threads, how far apart the processors were: `replay::distance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) distance_ns: Option<u64>,
}
