//! A plan's words in memory, one window at a time.
//!
//! The window is one anonymous mapping made before anything is measured and written in full, so it
//! counts in the baseline of every memory figure and never changes size. Filling it is system
//! calls only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::{Shape, WINDOW_WORDS};
use crate::os::Mapping;

/// Reads a plan file window by window.
pub(crate) struct Windows {
    file: File,
    words: u64,
    memory: Mapping,
    held: Option<(u64, u64)>,
}

impl Windows {
    /// Opens the plan for reading.
    ///
    /// # Errors
    /// When the file is not as long as `shape` says, or memory for the window cannot be had.
    pub(crate) fn open(file: File, shape: &Shape) -> io::Result<Self> {
        let expected = (shape.words + u64::from(shape.slots)) * 8;
        let found = file.metadata()?.len();
        if found != expected {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the replay plan holds {found} bytes, expected {expected}"),
            ));
        }
        let window = shape.words.clamp(1, WINDOW_WORDS);
        let memory = Mapping::populated((window * 8) as usize)?;
        Ok(Self { file, words: shape.words, memory, held: None })
    }

    /// Words of the window that holds word `at`, from `at` to the window's end or `end`.
    pub(crate) fn from(&mut self, at: u64, end: u64) -> io::Result<&[u64]> {
        let window = at / WINDOW_WORDS;
        let first = window * WINDOW_WORDS;
        let last = (first + WINDOW_WORDS).min(self.words);
        if self.held.is_none_or(|held| held != (first, last)) {
            let bytes = ((last - first) * 8) as usize;
            self.file.read_exact_at(&mut self.memory.bytes_mut()[..bytes], first * 8)?;
            self.held = Some((first, last));
        }
        let words = self.memory.words();
        Ok(&words[(at - first) as usize..(end.min(last) - first) as usize])
    }

    /// The largest size of every slot, for subjects that hand out addresses beforehand.
    pub(crate) fn slot_sizes(&self, slots: u32) -> io::Result<Vec<u64>> {
        slot_sizes(&self.file, self.words, slots)
    }
}

/// The largest size of every slot, which stand in the file behind `words` words.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn slot_sizes(file: &File, words: u64, slots: u32) -> io::Result<Vec<u64>> {
    let mut bytes = vec![0; slots as usize * 8];
    file.read_exact_at(&mut bytes, words * 8)?;
    Ok(bytes
        .chunks_exact(8)
        .map(|chunk| u64::from_ne_bytes(chunk.try_into().expect("chunks of eight bytes")))
        .collect())
}
