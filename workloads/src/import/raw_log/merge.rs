//! All records of an image in order of their sequence numbers (R1).
//!
//! * Q1: a chunk is opened when the lowest sequence number that may still come is its own, so at any
//!   time those chunks are open whose ranges overlap: one per thread that is alive, or two.
//! * Q2: of records with one sequence number, the first is returned and equal ones are dropped (R3).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chunks::{Chunk, Index, OpenChunk};
use super::error::{ImportError, ImportErrorKind};
use super::layout::Record;

pub(super) struct Merge<'a> {
    index: &'a Index,
    /// Chunks not opened yet.
    unopened: &'a [Chunk],
    open: Vec<Option<Source<'a>>>,
    /// Places in `open` that are free.
    vacant: Vec<usize>,
    /// Sequence number of each open chunk's next record, with its place.
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    previous: Option<Record>,
    /// Chunk of the record returned last.
    current: Option<&'a Chunk>,
}

/// An open chunk and its next record.
struct Source<'a> {
    chunk: &'a Chunk,
    records: OpenChunk,
    next: Record,
}

impl<'a> Merge<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        Merge {
            index,
            unopened: &index.chunks,
            open: Vec::new(),
            vacant: Vec::new(),
            queue: BinaryHeap::new(),
            previous: None,
            current: None,
        }
    }

    /// The next record with the index of its thread in the log.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Record)>, ImportError> {
        loop {
            self.open_due()?;
            let Some(Reverse((_, place))) = self.queue.pop() else { return Ok(None) };
            let Some(source) = &mut self.open[place] else { continue };
            let (record, chunk) = (source.next, source.chunk);
            match source.records.next() {
                Some(next) => {
                    source.next = next;
                    self.queue.push(Reverse((next.seq, place)));
                }
                None => {
                    self.open[place] = None;
                    self.vacant.push(place);
                }
            }
            self.current = Some(chunk);
            match self.previous.replace(record) {
                Some(previous) if previous.seq == record.seq => {
                    if previous != record {
                        let seq = record.seq;
                        return Err(self.error(ImportErrorKind::DuplicateSequence { seq }));
                    }
                }
                _ => return Ok(Some((chunk.header.thread, record))),
            }
        }
    }

    /// Q1.
    fn open_due(&mut self) -> Result<(), ImportError> {
        while let Some((chunk, rest)) = self.unopened.split_first()
            && self.queue.peek().is_none_or(|&Reverse((seq, _))| chunk.least <= seq)
        {
            self.unopened = rest;
            let mut records = self.index.open(chunk)?;
            let Some(next) = records.next() else { continue };
            let source = Some(Source { chunk, records, next });
            let place = match self.vacant.pop() {
                Some(place) => {
                    self.open[place] = source;
                    place
                }
                None => {
                    self.open.push(source);
                    self.open.len() - 1
                }
            };
            self.queue.push(Reverse((next.seq, place)));
        }
        Ok(())
    }

    /// An error in the chunk of the record returned last.
    pub(super) fn fault(
        &self,
        record: &Record,
        (expected, found): (&'static str, u64),
    ) -> ImportError {
        self.error(ImportErrorKind::Record { seq: record.seq, expected, found })
    }

    fn error(&self, kind: ImportErrorKind) -> ImportError {
        let (path, offset) = self.index.place(self.current);
        ImportError::new(path, offset, kind)
    }
}
