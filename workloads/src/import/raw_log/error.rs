//! What can be wrong with a raw log, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::layout;

/// A fault of a raw log, with its place.
#[derive(Debug)]
pub struct ImportError {
    /// The file or folder.
    pub path: PathBuf,
    /// Byte of the file at which the faulty part starts.
    pub offset: u64,
    /// What is wrong.
    pub kind: ImportErrorKind,
}

/// What is wrong with a raw log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportErrorKind {
    /// The file could not be read or written.
    /// What the system said is the error's source, and not in its text.
    #[error("cannot be read or written")]
    Io(io::Error),
    /// The `.tail` file does not begin like one.
    #[error("expected the header of a raw log, found something else")]
    NotARawLog,
    /// The header belongs to another image than the file's name says.
    #[error("expected the log of process {}, image {}, found that of {}, {}", .expected.0, .expected.1, .found.0, .found.1)]
    WrongImage {
        /// Process id and image by the name.
        expected: (u32, u32),
        /// Process id and image by the header.
        found: (u32, u32),
    },
    /// A chunk does not begin like one.
    #[error("expected a chunk ({:#010x}), found {found:#010x}", layout::CHUNK_MAGIC)]
    NotAChunk {
        /// The first word.
        found: u32,
    },
    /// A chunk that is larger than the recorder's buffers.
    #[error("expected a chunk of at most {} units, found {found}", layout::UNITS_PER_TAIL)]
    ChunkTooLong {
        /// The length in units.
        found: u64,
    },
    /// A unit inside a chunk that begins no record, or a record that the chunk's end cuts off.
    #[error("expected a record, found the unit {found:#010x}")]
    BadUnit {
        /// The unit.
        found: u32,
    },
    /// Two different records with one sequence number.
    #[error("expected one record with the sequence number {seq}, found two")]
    DuplicateSequence {
        /// The sequence number.
        seq: u64,
    },
    /// A record that no allocator call can have left.
    #[error("expected {expected} in the record {seq}, found {found}")]
    Record {
        /// Sequence number of the record.
        seq: u64,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: u64,
    },
}

impl ImportError {
    pub(super) fn new(path: &Path, offset: u64, kind: ImportErrorKind) -> Self {
        ImportError { path: path.to_owned(), offset, kind }
    }

    pub(super) fn io(path: &Path, offset: u64, error: io::Error) -> Self {
        Self::new(path, offset, ImportErrorKind::Io(error))
    }

    /// Whether the file could not be read, rather than being wrong.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self.kind, ImportErrorKind::Io(_))
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (byte {})", self.path.display(), self.kind, self.offset)
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ImportErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}
