//! The record of a replay whose memory was read where nothing is left to chance.

use serde::{Deserialize, Serialize};

use super::{Call, Status};

/// One subject on one workload: one pass on one thread and a cold heap, without address randomisation
/// and without huge pages, so that the figures repeat to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Footprint {
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
    /// Growth of anonymous resident memory at its peak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_peak_bytes: Option<u64>,
    /// Growth that is left once every block has been freed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_retained_bytes: Option<u64>,
    /// What 18 more passes have added to it, each with everything freed in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_growth_bytes: Option<u64>,
    /// Page faults of these 18 passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
}
