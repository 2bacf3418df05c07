//! The record of one measurement of an ownership test.

use serde::{Deserialize, Serialize};

use super::Status;

/// How queries follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Queries independent of each other.
    Throughput,
    /// The address of a query hangs on the answer to the one before.
    Latency,
}

impl Metric {
    /// Both, in the order of a report.
    pub const ALL: [Self; 2] = [Self::Throughput, Self::Latency];

    /// The metric as records name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Latency => "latency",
        }
    }
}

/// One loop over prepared addresses, in a child of its own with others on the same arenas. A child
/// that left no figures has one record, without a share of misses and without a metric. A record
/// with instructions comes from callgrind and carries no times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ownership {
    /// Ownership strategy that answered.
    pub strategy: String,
    /// Live arenas.
    pub arenas: u64,
    /// Order of the addresses: `sequential`, `random`, `clustered`.
    pub pattern: String,
    /// Place in the order of measuring, from 0.
    pub seq: u64,
    /// Round of interleaving, from 0; ratios are taken within a round.
    pub round: u32,
    /// True when the arenas are addresses without memory behind them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
    /// How it ended. A wrong answer is [`Status::Mismatch`].
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Share of foreign addresses, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miss_share: Option<f64>,
    /// How queries follow each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Queries of one pass; every answer was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<u64>,
    /// Time per query of the fastest pass, the loop around it included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_per_query: Option<f64>,
    /// The same of a loop over the same addresses that asks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_per_query_floor: Option<f64>,
    /// Instructions per query, the loop around it included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions_per_query: Option<f64>,
    /// The same of a loop over the same addresses that asks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions_per_query_floor: Option<f64>,
}
