//! Reads what a recorded child left behind, and holds it against the invariants of the raw log.

use crate::raw_log::{
    CHUNK_MAGIC, ChunkHeader, HEADER_BYTES, LogHeader, MAGIC, Record, Records, TAIL_BYTES, op,
};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

/// One image: its header and its records in order, each with its thread.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) header: LogHeader,
    pub(super) records: Vec<(u32, Record)>,
    /// Slots in the tail file.
    pub(super) slots: usize,
    /// Records that stand in the log.
    pub(super) appended: usize,
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn half(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The records of the chunk at the start of `bytes`, and the bytes it takes.
fn chunk(bytes: &[u8]) -> (Vec<(u32, Record)>, usize) {
    let header = ChunkHeader {
        magic: half(bytes, 0),
        thread: half(bytes, 4),
        units: word(bytes, 8),
        first: word(bytes, 16),
        base: word(bytes, 24),
    };
    assert_eq!(header.magic, CHUNK_MAGIC);
    let end = size_of::<ChunkHeader>() + header.units as usize * 4;
    let units = bytes[size_of::<ChunkHeader>()..end].chunks(4).map(|unit| half(unit, 0));
    let records = Records::new(units, &header).map(|record| (header.thread, record.unwrap()));
    (records.collect(), end)
}

impl Image {
    /// The image whose tail file is `tail`.
    fn read(tail: &Path) -> Self {
        let log = fs::read(tail.with_extension("log")).unwrap();
        let tail = fs::read(tail).unwrap();
        let header = LogHeader {
            magic: tail[..8].try_into().unwrap(),
            pid: half(&tail, 8),
            image: half(&tail, 12),
            parent: half(&tail, 16),
            forked: half(&tail, 20),
            ended: half(&tail, 24),
            stopped: half(&tail, 28),
            sequence: word(&tail, 32),
            marks: word(&tail, 40),
            failed: word(&tail, 48),
        };
        assert_eq!(header.magic, MAGIC);
        let mut records = Vec::new();
        let mut rest = &log[..];
        while !rest.is_empty() {
            let (more, len) = chunk(rest);
            records.extend(more);
            rest = &rest[len..];
        }
        let appended = records.len();
        let slots = tail[HEADER_BYTES..].chunks(TAIL_BYTES);
        for slot in slots.clone().filter(|slot| half(slot, 0) != 0) {
            records.extend(chunk(slot).0);
        }
        let mut last = HashMap::new();
        for (thread, record) in &records {
            let before = last.insert(*thread, record.seq);
            assert!(before < Some(record.seq), "thread {thread} out of order at {record:?}");
        }
        records.sort_by_key(|(_, record)| record.seq);
        Self { header, records, slots: slots.count(), appended }
    }

    /// Every record is there (R1), the counters are true, and the calls make sense: a block is born
    /// where none lives, and nothing that was never born dies, but for what a forked heap held.
    pub(super) fn check(&self) {
        let seqs = self.records.iter().map(|(_, record)| record.seq);
        assert!(seqs.eq(0..self.header.sequence), "a gap in {} records", self.records.len());
        let mut live = HashSet::new();
        let mut threads = HashMap::new();
        let mut entered = HashMap::new();
        let (mut marks, mut failed) = (0, 0);
        let die = |live: &mut HashSet<u64>, record: &Record| {
            let known = record.result == 0 || live.remove(&record.result);
            assert!(known || self.header.forked == 1, "{record:?} of no block");
        };
        for (thread, record) in &self.records {
            let started = threads.insert(*thread, record.op);
            assert_eq!(started.is_none(), record.op == op::THREAD_START, "{thread} {record:?}");
            assert_ne!(started, Some(op::THREAD_END), "{record:?} after the end of {thread}");
            marks += u64::from(record.op == op::REALLOC_EXIT || record.op >= op::THREAD_START);
            match record.op {
                op::MALLOC | op::CALLOC | op::ALIGNED => {
                    assert!(record.result == 0 || live.insert(record.result), "{record:?}");
                    failed += u64::from(record.result == 0);
                }
                op::FREE => die(&mut live, record),
                op::REALLOC_ENTER => {
                    die(&mut live, record);
                    entered.insert(record.seq, *record);
                }
                op::REALLOC_EXIT => {
                    let enter = entered.remove(&record.aux).unwrap();
                    if record.result != 0 {
                        assert!(live.insert(record.result), "{record:?}");
                    } else if enter.size > 0 {
                        failed += 1;
                        live.insert(enter.result);
                    }
                }
                _ => {}
            }
        }
        assert_eq!(marks, self.header.marks);
        assert_eq!(failed, self.header.failed);
        assert_eq!(self.header.calls(), self.records.len() as u64 - marks);
    }

    /// How many records are of kind `op`.
    pub(super) fn count(&self, op: u8) -> usize {
        self.records.iter().filter(|(_, record)| record.op == op).count()
    }
}

/// All images in `folder`, by process id and number.
pub(super) fn images(folder: &Path) -> Vec<Image> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tails = files.filter(|path| path.extension().is_some_and(|ending| ending == "tail"));
    let mut images: Vec<Image> = tails.map(|tail| Image::read(&tail)).collect();
    images.sort_by_key(|image| (image.header.pid, image.header.image));
    images
}
