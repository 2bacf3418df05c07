//! The record of a replay in which the processor's events were counted.

use serde::{Deserialize, Serialize};

use super::{Call, Status};

/// One subject on one workload, in a child that counts events in user mode: each in a pass of its own
/// over the measured region, on a warm heap and one thread. What the computer does not count, or did
/// not count all the time, is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed.
    pub workload: String,
    /// Round of interleaving, from 0.
    pub round: u32,
    /// How calls reached the subject.
    pub call: Call,
    /// Touch policy, see [`Sample::touch`](super::Sample::touch).
    pub touch: String,
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
    /// Cycles of the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
    /// Reads that missed the last-level cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llc_misses: Option<u64>,
    /// Reads that missed the first-level translation table for data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtlb_misses: Option<u64>,
    /// Branches that were predicted wrongly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_misses: Option<u64>,
    /// Page faults; on a warm heap, memory that the subject had given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
}

impl Counters {
    /// A count per allocation and free: twice the count over the calls.
    #[must_use]
    pub fn per_pair(&self, count: Option<u64>) -> Option<f64> {
        let operations = self.operations.filter(|operations| *operations > 0)?;
        Some(2.0 * count? as f64 / operations as f64)
    }
}
