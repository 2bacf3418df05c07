//! The trace format, version 1: how events are stored. Specified byte by byte in `FORMAT.md`.
//!
//! ```text
//! header  24 B   magic, version, flags, checksum
//! M block        what the trace is, what it lost, its totals
//! E blocks       events: four streams each, compressed
//! F block        the totals again: the proof that the file is whole
//! ```
//! [`Writer`] writes a file beside its place and renames it when it is finished. [`Reader`] checks
//! syntax and the invariants of [`crate::event`] as it streams, and allocates by what it has read,
//! never by what a file claims.
//!
//! * T1: a file that differs from a valid one in any byte is refused or equally valid; nothing in a
//!   file makes the reader panic.
//! * T2: reader after writer is the identity on valid streams of events.
//! * T3: the reader keeps at most 2 MiB, 9 bytes per thread and the live set.

mod block;
mod codec;
mod error;
mod meta;
mod reader;
mod varint;
mod writer;

pub use error::{TraceError, TraceErrorKind};
pub use meta::{Losses, Meta};
pub use reader::Reader;
pub use writer::Writer;

/// First bytes of every trace. As in PNG, the high bit, the line ends and the control character
/// show a file that was sent through a channel for text.
pub const MAGIC: [u8; 8] = *b"\x89ABT\r\n\x1a\n";

/// Version this crate writes and reads: a reader refuses another major and reads a later minor.
pub const MAJOR: u16 = 1;
/// See [`MAJOR`].
pub const MINOR: u16 = 0;

#[cfg(test)]
mod tests;
