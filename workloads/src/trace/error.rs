//! What can be wrong with a trace, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{MAGIC, MAJOR, block, codec};
use crate::checker::Violation;

/// A fault of a trace file, with its place.
#[derive(Debug)]
pub struct TraceError {
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// Byte of the file at which the faulty part (header, block) starts.
    pub offset: u64,
    /// Number of the block, from 0 for the meta block.
    pub block: u64,
    /// Events read before the fault.
    pub event: u64,
    /// What is wrong.
    pub kind: TraceErrorKind,
}

impl TraceError {
    /// Adds the file's path.
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        write!(f, "{}", self.kind)?;
        write!(f, " (byte {}, block {}, event {})", self.offset, self.block, self.event)
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            TraceErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// What is wrong with a trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceErrorKind {
    /// The file could not be read or written.
    /// What the system said is the error's source, and not in its text.
    #[error("cannot be read or written")]
    Io(io::Error),
    /// The first bytes are not those of a trace.
    #[error("expected a trace (first bytes {:02x?}), found {found:02x?}", MAGIC)]
    NotATrace {
        /// The first bytes, at most eight.
        found: Vec<u8>,
    },
    /// The first bytes are those of a trace whose line ends were changed on the way.
    #[error("expected a trace, found one damaged by a transfer as text: copy it again as binary")]
    DamagedByTextTransfer,
    /// Another major version.
    #[error("expected version {MAJOR}.x, found version {major}.{minor}")]
    Version {
        /// Major version found.
        major: u16,
        /// Minor version found.
        minor: u16,
    },
    /// A header length out of bounds.
    #[error(
        "expected a header of {} to {} bytes, found {found}",
        block::HEADER_BYTES,
        block::MAX_HEADER_BYTES
    )]
    HeaderLength {
        /// Length in bytes.
        found: u32,
    },
    /// Flags in the critical half that this version does not know.
    #[error("expected no flags but those known, found {found:#010x}")]
    UnknownFlags {
        /// All flags.
        found: u32,
    },
    /// A header or block whose checksum does not match.
    #[error("expected checksum {expected:#010x} of the {part}, found {found:#010x}")]
    Checksum {
        /// Header or block.
        part: &'static str,
        /// As stored.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// The file ends too early.
    #[error("expected {expected}, found the end of the file")]
    Truncated {
        /// What should have followed.
        expected: &'static str,
    },
    /// A kind of block that is no ASCII letter.
    #[error("expected a block, found a block kind of {kind:#04x}, which is no letter")]
    BlockKind {
        /// The byte.
        kind: u8,
    },
    /// A critical kind of block that this version does not know.
    #[error("expected a block of a known kind, found the critical kind `{kind}`")]
    UnknownBlock {
        /// The letter.
        kind: char,
    },
    /// A block above the limit.
    #[error("expected a block of at most {limit} bytes, found {found}")]
    BlockLength {
        /// Limit in bytes for this kind.
        limit: u32,
        /// Length in bytes.
        found: u32,
    },
    /// A block where it must not be.
    #[error("expected {expected}, found a block `{kind}`")]
    BlockOutOfPlace {
        /// What could come here.
        expected: &'static str,
        /// The letter.
        kind: char,
    },
    /// Bytes behind the footer.
    #[error("expected the end of the file after the footer, found more")]
    AfterFooter,
    /// A count that a block of its kind cannot have.
    #[error("expected {expected} in the block's count, found {found}")]
    BlockCount {
        /// What the count should be.
        expected: &'static str,
        /// The count.
        found: u32,
    },
    /// An unknown way to store a block's streams.
    #[error("expected streams stored plainly (0) or by zstd (1), found encoding {found}")]
    Encoding {
        /// The byte.
        found: u8,
    },
    /// Streams above the limit.
    #[error("expected at most {} bytes of streams, found {found}", codec::MAX_STREAM_BYTES)]
    StreamsTooLong {
        /// Length in bytes.
        found: u32,
    },
    /// Streams that do not decompress to what they should.
    #[error("expected {expected} bytes of streams, found data that does not decompress to them")]
    Decompression {
        /// Length in bytes.
        expected: usize,
    },
    /// Stream lengths that do not add up.
    #[error("expected streams of {expected} bytes in all, found lengths that sum to {found}")]
    StreamLengths {
        /// Bytes there are.
        expected: u64,
        /// Sum of the lengths.
        found: u64,
    },
    /// A stream without the bytes an event needs.
    #[error("expected more bytes in the stream of {stream}, found its end")]
    StreamEnds {
        /// The stream.
        stream: &'static str,
    },
    /// A stream with bytes that no event needs.
    #[error("expected the end of the stream of {stream}, found {bytes} bytes more")]
    StreamLeftOver {
        /// The stream.
        stream: &'static str,
        /// Bytes left.
        bytes: usize,
    },
    /// An integer of more than 64 bits.
    #[error("expected an integer of at most 64 bits in the stream of {stream}, found a longer one")]
    VarintTooLong {
        /// The stream.
        stream: &'static str,
    },
    /// An integer with needless bytes.
    #[error(
        "expected the shortest form of an integer in the stream of {stream}, found a longer one"
    )]
    VarintOverlong {
        /// The stream.
        stream: &'static str,
    },
    /// A code that stands for no event.
    #[error("expected the code of an event, found {code:#04x}")]
    UnknownCode {
        /// The byte.
        code: u8,
    },
    /// A value outside its range.
    #[error("expected {expected}, found {found}")]
    Value {
        /// The range in words.
        expected: &'static str,
        /// The value.
        found: u64,
    },
    /// Text of the meta block that is not UTF-8.
    #[error("expected UTF-8 in the meta block's `{key}`, found something else")]
    Text {
        /// The key, or `key` when it is the key itself.
        key: String,
    },
    /// A key that the meta block holds twice.
    #[error("expected each key once in the meta block, found `{key}` twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// An event that breaks an invariant.
    #[error("{0}")]
    Invalid(Violation),
    /// Totals that differ from what the file holds.
    #[error("expected {expected} {what} by the totals, found {found}")]
    Totals {
        /// What was counted.
        what: &'static str,
        /// As stored.
        expected: u64,
        /// As counted.
        found: u64,
    },
}
