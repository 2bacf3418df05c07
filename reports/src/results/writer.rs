//! The writing side: opened before the first sample, one line per record, flushed at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::record::{Line, Record, SCHEMA};

/// An open results file. Dropping it loses nothing: every record is with the operating system as
/// soon as [`append`](Self::append) returns.
#[derive(Debug)]
pub struct ResultsFile {
    file: File,
    path: PathBuf,
}

impl ResultsFile {
    /// Opens `path` for a new run. What the file held before is gone.
    ///
    /// # Errors
    /// When the file cannot be created or written; the error names the path.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        let file = options.open(&path).map_err(|error| name_path(&error, "create", &path))?;
        Ok(Self { file, path })
    }

    /// Opens an existing file to go on with an interrupted run. A torn last line is cut off, so that
    /// the next record starts on a line of its own.
    ///
    /// Read the file with [`Results::read`](super::Results::read) first: this call looks at nothing
    /// but the end of the file.
    ///
    /// # Errors
    /// When the file is missing or cannot be read and written; the error names the path.
    pub fn resume(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let whole = whole_lines(&bytes);
            file.set_len(whole as u64)?;
            file.seek(SeekFrom::Start(whole as u64))?;
            if whole > 0 && bytes.get(whole - 1) != Some(&b'\n') {
                file.write_all(b"\n")?;
            }
            Ok(file)
        };
        let file = open().map_err(|error| name_path(&error, "resume", &path))?;
        Ok(Self { file, path })
    }

    /// File that is written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one record as one line, by one write, and flushes it.
    ///
    /// # Errors
    /// When the record cannot be read back (a number that is not finite where one is required), in
    /// which case nothing is written, or when the operating system refuses (disk full); the error
    /// names the path.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut line = to_line(record).map_err(|error| name_path(&error, "write", &self.path))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .and_then(|()| self.file.flush())
            .map_err(|error| name_path(&error, "write", &self.path))
    }
}

/// One record as one line of JSON, without the newline, checked against I2.
fn to_line(record: &Record) -> io::Result<Vec<u8>> {
    let line = Line { schema: SCHEMA.to_owned(), record: record.clone() };
    let bytes = serde_json::to_vec(&line)?;
    // JSON has no word for NaN or infinity and writes null, which a reader refuses in a required key.
    serde_json::from_slice::<Line>(&bytes)?;
    Ok(bytes)
}

/// Length of the part of `bytes` that a new record can follow: everything, unless the last line has
/// no newline and is no JSON.
fn whole_lines(bytes: &[u8]) -> usize {
    let last_line = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let torn = serde_json::from_slice::<serde_json::Value>(&bytes[last_line..]).is_err();
    if torn { last_line } else { bytes.len() }
}

fn name_path(error: &io::Error, verb: &str, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {}: {error}", path.display()))
}
