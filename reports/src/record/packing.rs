//! The record of how small a heap could have been with all lifetimes known beforehand.

use serde::{Deserialize, Serialize};

/// One workload, its blocks placed offline. Sizes are rounded up to 16 bytes, and a resized block may
/// move; nothing else is lost to any rule of an allocator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packing {
    /// Workload whose lifetimes were packed, base heap included.
    pub workload: String,
    /// Why there is no packing, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Stays of a block at one size: one per birth, and one per resize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetimes: Option<u64>,
    /// Most bytes alive at once, which no placement beats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_bytes: Option<u64>,
    /// Height of the best packing found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_bytes: Option<u64>,
    /// Which heuristic found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}
