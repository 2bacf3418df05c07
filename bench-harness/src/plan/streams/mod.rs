//! A plan for several threads: one row of operations for each, and what they owe each other.
//!
//! ```text
//! thread 0   base | region ............................. | drain     the child's first thread
//! thread 1     ^--| ... publish 7 ....... | end          |           started by thread 0
//! thread 2        |            `-> wait 7 ...            | drain     started in the region
//!                gate                                   gate
//! ```
//! The trace's order is one of many that its program could have taken. A plan keeps of it what the
//! program relied on: each thread's own order, that a block is freed or resized after it was born,
//! and that a thread begins where another had come. For every such pair of operations on two
//! threads there is an edge, unless other edges imply it (`edges`). `slots` hands out places of the
//! pointer table so that they add few edges of their own; `compile` puts all together.
//!
//! Rows are cut into *epochs*: at the begin and the end of the measured region, and wherever a window
//! is full. Between two epochs all threads meet at a gate with the clock stopped.
//! ```text
//! plan file, words of 8 bytes, native byte order:
//! 0                    rows of epoch 0, one after another, then those of epoch 1 ...
//! 8 * words            for each slot, the largest size it ever holds, `Shape::slots` of them
//! then                 an `Index` as JSON, `Shape::index_bytes` of them
//! ```
//! Invariants, beside P1 to P3 of `op`:
//! * E1: every edge leads forward in the trace's order, so that a replay can always go on.
//! * E2: thread 0 is there from the first epoch to the last; any other thread is started once, by a
//!   thread that is there, in the first of its epochs.
//! * E3: progress of a thread only grows, over all epochs of a pass; its first value is 1.

pub(crate) mod compile;
mod edges;
mod slots;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

use super::WINDOW_WORDS;
use crate::os::Mapping;

/// What a child must know of a plan for threads before it reads a word of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamsShape {
    /// Words of operations in the file.
    pub(crate) words: u64,
    /// Words of the longest epoch.
    pub(crate) epoch_words: u64,
    /// Slots of the pointer table.
    pub(crate) slots: u32,
    /// Bytes of the index.
    pub(crate) index_bytes: u64,
    /// Whether operations wait for their recorded times.
    pub(crate) paced: bool,
}

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Epochs in order.
    pub(crate) epochs: Vec<Epoch>,
    /// For each thread, its first and its last epoch. A thread whose end is in the trace ends in its
    /// last epoch, any other with the last of all.
    pub(crate) spans: Vec<(u32, u32)>,
}

/// Part of a plan between two gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Epoch {
    /// What it is part of.
    pub(crate) phase: Phase,
    /// First word in the file.
    pub(crate) start: u64,
    /// Words.
    pub(crate) words: u64,
    /// Rows with operations, by thread.
    pub(crate) rows: Vec<Row>,
}

/// Which part of a pass an epoch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Builds the base heap.
    Base,
    /// Is measured.
    Region,
    /// Frees what is alive.
    Drain,
}

/// Operations of one thread in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) thread: u32,
    /// First word, counted from the epoch's.
    pub(crate) start: u64,
    /// Words.
    pub(crate) words: u64,
}

impl Index {
    /// Threads other than the first that are there in an epoch, and how many of them were there
    /// before it.
    pub(crate) fn crowd(&self, epoch: usize) -> (u32, u32) {
        let epoch = epoch as u32;
        let there = |&&(first, last): &&(u32, u32)| first <= epoch && epoch <= last;
        let all = self.spans.iter().skip(1).filter(there);
        let (mut present, mut waiting) = (0, 0);
        for &(first, _) in all {
            present += 1;
            waiting += u32::from(first < epoch);
        }
        (present, waiting)
    }
}

impl Epoch {
    /// The row of a thread: first word and words, counted from the epoch's first; none when empty.
    pub(crate) fn row(&self, thread: u32) -> std::ops::Range<usize> {
        match self.rows.binary_search_by_key(&thread, |row| row.thread) {
            Ok(at) => {
                let row = self.rows[at];
                row.start as usize..(row.start + row.words) as usize
            }
            Err(_) => 0..0,
        }
    }
}

/// A plan for threads in a child: its index, and the words of one epoch or of all.
pub(crate) struct Streams {
    file: File,
    pub(crate) index: Index,
    memory: Mapping,
    words: u64,
    /// What `memory` holds of the file: first word and words. Nothing at first.
    held: (u64, u64),
}

impl Streams {
    /// Opens the plan for reading.
    ///
    /// # Errors
    /// When the file is not as long as `shape` says, its index is unreadable, or memory for the words
    /// cannot be had.
    pub(crate) fn open(file: File, shape: &StreamsShape) -> io::Result<Self> {
        Self::with_window(file, shape, WINDOW_WORDS)
    }

    /// As [`Streams::open`], for a plan whose epochs have at most so many words.
    pub(crate) fn with_window(
        file: File,
        shape: &StreamsShape,
        window_words: u64,
    ) -> io::Result<Self> {
        let index_at = (shape.words + u64::from(shape.slots)) * 8;
        let expected = index_at + shape.index_bytes;
        let found = file.metadata()?.len();
        if found != expected {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the replay plan holds {found} bytes, expected {expected}"),
            ));
        }
        let mut text = vec![0; shape.index_bytes as usize];
        file.read_exact_at(&mut text, index_at)?;
        let index = serde_json::from_slice(&text)?;
        let whole = shape.words <= window_words;
        let words = if whole { shape.words } else { shape.epoch_words };
        let memory = Mapping::populated(words.max(1) as usize * 8)?;
        Ok(Self { file, index, memory, words: shape.words, held: (0, 0) })
    }

    /// Brings an epoch into memory and returns its first word, which stays where it is until the
    /// next call.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn load(&mut self, epoch: usize) -> io::Result<*const u64> {
        let Epoch { start, words, .. } = self.index.epochs[epoch];
        let whole = self.memory.len() as u64 >= self.words * 8;
        let (first, len) = if whole { (0, self.words) } else { (start, words) };
        if self.held != (first, len) {
            let bytes = (len * 8) as usize;
            self.file.read_exact_at(&mut self.memory.bytes_mut()[..bytes], first * 8)?;
            self.held = (first, len);
        }
        Ok(self.memory.words()[(start - first) as usize..].as_ptr())
    }

    /// The largest size of every slot, for subjects that hand out addresses beforehand.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn slot_sizes(&self, slots: u32) -> io::Result<Vec<u64>> {
        super::window::slot_sizes(&self.file, self.words, slots)
    }
}
