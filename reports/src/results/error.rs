//! What can go wrong with a results file, told apart by exit code.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Process exit codes of the two ways in which a file can fail.
pub mod exit_code {
    /// The file could be read and does not hold what it should.
    pub const BAD_DATA: u8 = 65;
    /// The file is missing, or the operating system refused to read or write it.
    pub const IO: u8 = 74;
}

/// Why a results file could not be read. Its text is one line that names the file;
/// what the operating system said is its source.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused, or there is no such file.
    #[error("cannot read {}", path.display())]
    Io {
        /// File that was to be read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not a results file of this schema.
    #[error("{}:{line}: {reason}", path.display())]
    Data {
        /// File that was read.
        path: PathBuf,
        /// Line of the offence, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl ReadError {
    /// Code a process that gives up over this error ends with: 65 for bad data, 74 for I/O.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Io { .. } => exit_code::IO,
            Self::Data { .. } => exit_code::BAD_DATA,
        }
    }

    pub(super) fn data(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Data { path: path.to_owned(), line, reason: reason.into() }
    }
}
