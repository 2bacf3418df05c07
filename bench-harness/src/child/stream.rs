//! What a child writes: read without waiting, counted and hashed whole, kept in part.

use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use sha2::{Digest, Sha256};

use super::process::check;

/// One stream of a child and what is kept of it: the last bytes, at most so many.
pub(crate) struct Stream {
    reader: Option<OwnedFd>,
    kept: Vec<u8>,
    limit: usize,
    bytes: u64,
    hash: Sha256,
}

impl Stream {
    /// A stream that keeps the last `limit` bytes.
    ///
    /// # Errors
    /// When the descriptor cannot be made not to wait.
    pub(crate) fn new(reader: OwnedFd, limit: usize) -> io::Result<Self> {
        // SAFETY: plain system call on a descriptor this process owns.
        check(unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) })?;
        Ok(Self { reader: Some(reader), kept: Vec::new(), limit, bytes: 0, hash: Sha256::new() })
    }

    /// Descriptor to poll; negative once the stream has ended.
    pub(crate) fn fd(&self) -> i32 {
        self.reader.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Reads what there is, without waiting.
    pub(crate) fn read(&mut self) {
        let Some(reader) = &self.reader else { return };
        let Ok(copy) = reader.as_fd().try_clone_to_owned() else { return };
        let mut file = std::fs::File::from(copy);
        let mut buffer = [0; 16 << 10];
        // A bounded number of reads, so that a flooding child does not keep us from its deadline.
        for _ in 0..64 {
            match file.read(&mut buffer) {
                Ok(0) => {
                    self.reader = None;
                    return;
                }
                Ok(len) => self.take(&buffer[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        self.kept.extend_from_slice(bytes);
        if self.kept.len() > self.limit {
            self.kept.drain(..self.kept.len() - self.limit);
        }
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of everything read, hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The last bytes read.
    pub(crate) fn into_kept(self) -> Vec<u8> {
        self.kept
    }
}
