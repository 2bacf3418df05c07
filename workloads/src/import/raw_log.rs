//! The raw log of the recorder of this workspace.
//!
//! ```text
//! folder -- images: which process images left a log
//!   .log, .tail -- chunks: an index of all chunks, read once in advance
//!     merge: records in order of their sequence numbers, few chunks open at a time
//!       calls: addresses to ids, two-sided reallocs to one event, losses counted
//!         -> events
//! ```
//! Memory: the index (64 bytes per chunk of 64 KiB), 64 KiB per thread that is alive at the same
//! time, and the live set. A log is read twice, from start to end each time.

mod calls;
mod chunks;
mod error;
mod images;
#[path = "../../recorder/src/raw_log.rs"]
pub mod layout;
mod merge;

use std::path::Path;

pub use error::{ImportError, ImportErrorKind};
pub use images::{RawImage, RawImages, cut};

use crate::event::Event;
use crate::totals::CallCounts;
use crate::trace::Losses;
use calls::Calls;
use chunks::Index;
use merge::Merge;

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Request size, in bytes, by which the program marks its measured region: the first
    /// allocation of exactly this size becomes the start of the region, the second its end. Both
    /// calls, and the frees of both blocks, are left out.
    pub mark_size: Option<u64>,
}

/// What an import found, kept, left out and put in.
///
/// Every call found is either an event or counted as left out:
/// `found == counts.total() - lost_frees + failed + frees_of_unknown + mark_calls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Calls the recorder counted itself.
    pub calls: u64,
    /// Calls found in the log.
    pub found: u64,
    /// Events emitted, by kind of call.
    pub counts: CallCounts,
    /// Threads that appear.
    pub threads: u32,
    /// Calls that returned null and were left out.
    pub failed: u64,
    /// Frees of blocks the log does not know, left out. Expected after a fork.
    pub frees_of_unknown: u64,
    /// Reallocations of blocks the log does not know; they stand as allocations of new blocks.
    pub reallocs_of_unknown: u64,
    /// Frees put in where an address was handed out while its block was still alive.
    pub lost_frees: u64,
    /// Calls that marked the region, and the frees of their blocks.
    pub mark_calls: u64,
    /// Reallocations without a record of their return, because the process died in them; they
    /// are left out and not in `found`, and the block stands as it was.
    pub unfinished_reallocs: u64,
    /// Sequence numbers handed out of which the log holds no record.
    pub missing_records: u64,
    /// Bytes of a chunk that the end of the log cuts off; the records before the cut are used.
    pub torn_bytes: u64,
    /// Whether the image began by fork.
    pub forked: bool,
    /// Whether the recorder had to stop before the program ended.
    pub stopped: bool,
}

impl ImportSummary {
    /// What the trace lacks of what the program did.
    #[must_use]
    pub fn losses(&self) -> Losses {
        Losses {
            truncated: self.stopped || self.torn_bytes > 0 || self.missing_records > 0,
            late_start: self.forked,
            frees_of_unknown: self.frees_of_unknown + self.reallocs_of_unknown,
            failed_calls: self.failed,
            lost_frees: self.lost_frees,
            ..Losses::default()
        }
    }
}

/// Emits the events of one process image.
///
/// Calls stand in the order of their sequence numbers, which is the order in which they took
/// effect: a block's allocation before its free, whatever threads they are of. Events carry no
/// times.
///
/// # Errors
/// When a file cannot be read, or holds what no recorder writes. A log cut off at its end is no
/// error. Events emitted before an error are valid.
pub fn import(
    folder: &Path,
    pid: u32,
    image: u32,
    options: &Options,
    sink: &mut dyn FnMut(Event),
) -> Result<ImportSummary, ImportError> {
    let (index, raw) = Index::read(folder, pid, image)?;
    let mut calls = Calls::new(options, sink);
    let mut merge = Merge::new(&index);
    let mut records = 0;
    while let Some((thread, record)) = merge.next()? {
        records += 1;
        calls.take(thread, &record).map_err(|fault| merge.fault(&record, fault))?;
    }
    let mut summary = calls.finish();
    summary.calls = raw.calls;
    summary.missing_records = raw.sequence.saturating_sub(records);
    summary.torn_bytes = index.torn_bytes;
    summary.forked = raw.forked;
    summary.stopped = raw.stopped;
    Ok(summary)
}

#[cfg(test)]
mod tests;
