//! The record of a replay in which every call was timed by itself.
//!
//! Percentiles are read off histograms whose buckets grow by a thirty-second of a doubling: a
//! percentile is the upper end of its bucket, at most 3.2 % above the call it stands for. The largest
//! value is exact. The histograms of the finest rows are kept, so that rows and rounds can be added up.

use serde::{Deserialize, Serialize};

use super::{Call, Status};

/// One child process that timed every call of the measured region by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tails {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed.
    pub workload: String,
    /// Round of interleaving, from 0.
    pub round: u32,
    /// Replay mode, see [`Sample::mode`](super::Sample::mode).
    pub mode: String,
    /// How calls reached the subject.
    pub call: Call,
    /// Touch policy, see [`Sample::touch`](super::Sample::touch).
    pub touch: String,
    /// How it ended.
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Calls timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// What reading the clock twice costs; subtracted from every time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_ns: Option<f64>,
    /// Differences below this cannot be told from none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution_ns: Option<f64>,
    /// Times by operation and size: all calls first, then each operation, then its sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<TailRow>,
    /// The slowest calls, at most 4, by the shorter of the two times where there are two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<WorstCall>,
}

impl Tails {
    /// The row over all calls.
    #[must_use]
    pub fn overall(&self) -> Option<&TailRow> {
        self.rows.iter().find(|row| row.operation == ALL)
    }
}

/// Name of the row over all operations, and of the band over all sizes.
pub const ALL: &str = "all";

/// Times of calls that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailRow {
    /// `malloc`, `calloc`, `aligned`, `realloc-grow`, `realloc-grow-moved`, `realloc-shrink`,
    /// `realloc-shrink-moved`, `free`, `free-remote`, or [`ALL`].
    pub operation: String,
    /// Sizes by request: `up-to-64` ..., or [`ALL`].
    pub sizes: String,
    /// Calls.
    pub calls: u64,
    /// Half of the calls took no longer.
    pub p50_ns: f64,
    /// 90 % of the calls took no longer.
    pub p90_ns: f64,
    /// 99 % of the calls took no longer.
    pub p99_ns: f64,
    /// 99.9 % of the calls took no longer.
    pub p999_ns: f64,
    /// 99.99 % of the calls took no longer.
    pub p9999_ns: f64,
    /// The longest.
    pub max_ns: f64,
    /// Upper end of a bucket in nanoseconds and the calls in it; rows of one operation and one band.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<(f64, u64)>,
}

impl TailRow {
    /// Names of the percentiles, as people write them.
    pub const PERCENTILES: [&'static str; 6] = ["p50", "p90", "p99", "p99.9", "p99.99", "max"];
    /// Index of the time that one call in a hundred exceeds.
    pub const P99: usize = 2;
    /// Index of the time that one call in a thousand exceeds.
    pub const P99_9: usize = 3;

    /// The percentiles in the order of [`TailRow::PERCENTILES`].
    #[must_use]
    pub fn percentiles_ns(&self) -> [f64; 6] {
        [self.p50_ns, self.p90_ns, self.p99_ns, self.p999_ns, self.p9999_ns, self.max_ns]
    }
}

/// What was found at one of the slowest calls when it was looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Address space was mapped or unmapped.
    MappingCall,
    /// Memory became resident.
    PageFault,
    /// The thread lost the processor.
    ContextSwitch,
    /// It was slow again, with nothing of the above: the allocator's own work.
    OwnWork,
    /// It took no longer than 99.9 % of the calls do: something outside had disturbed it.
    NotRepeated,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 5] =
        [Self::MappingCall, Self::PageFault, Self::ContextSwitch, Self::OwnWork, Self::NotRepeated];

    /// The cause as records name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MappingCall => "mapping-call",
            Self::PageFault => "page-fault",
            Self::ContextSwitch => "context-switch",
            Self::OwnWork => "own-work",
            Self::NotRepeated => "not-repeated",
        }
    }
}

/// One of the slowest calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstCall {
    /// Its place among the calls of its thread in the measured region, from 0.
    pub index: u64,
    /// Its thread, in the order in which threads were started; the first is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub thread: u32,
    /// What was called, as in [`TailRow::operation`].
    pub operation: String,
    /// Request size; of a free the size of the block.
    pub size_bytes: u64,
    /// How long it took.
    pub ns: f64,
    /// How long it took when the replay was repeated in another process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_ns: Option<f64>,
    /// Page faults inside the repeated call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
    /// Context switches inside the repeated call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_switches: Option<u64>,
    /// Address space gained, or lost, by the repeated call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped_bytes: Option<i64>,
    /// What made it slow, as far as the repetition tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
