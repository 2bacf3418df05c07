//! The record of a replay whose instructions were counted.

use serde::{Deserialize, Serialize};

use super::{Call, Status};

/// One subject on one workload, counted: what it does and not how long it takes. All figures are of
/// the measured region alone, in one pass on a cold heap, on one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed.
    pub workload: String,
    /// How calls reached the subject.
    pub call: Call,
    /// Touch policy, see [`Sample::touch`](super::Sample::touch).
    pub touch: String,
    /// Threads of the trace that made the calls, one at a time in recorded order; left out where one
    /// thread made all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// How it ended.
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Allocator calls of the measured region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// Instructions, the replay's own included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// Reads of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_reads: Option<u64>,
    /// Writes of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_writes: Option<u64>,
    /// Misses of the simulated first-level instruction cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i1_misses: Option<u64>,
    /// Misses of the simulated first-level data cache, reads and writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d1_misses: Option<u64>,
    /// Misses of the simulated last-level cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ll_misses: Option<u64>,
    /// System calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<u64>,
    /// Page faults, minor and major, of a process without Valgrind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
    /// The simulated caches: size, ways, line, in bytes, of I1, D1 and LL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caches: Option<String>,
    /// Valgrind's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valgrind: Option<String>,
}

impl Counts {
    /// A count per allocation and free: twice the count over the calls.
    #[must_use]
    pub fn per_pair(&self, count: Option<u64>) -> Option<f64> {
        let operations = self.operations.filter(|operations| *operations > 0)?;
        Some(2.0 * count? as f64 / operations as f64)
    }
}
