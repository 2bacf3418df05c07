//! Writes raw logs as the recorder does.

use std::fs;
use std::path::Path;

use crate::import::raw_log::images::{log_path, tail_path};
use crate::import::raw_log::layout::{
    CHUNK_MAGIC, ChunkHeader, HEADER_BYTES, LogHeader, MAGIC, Record, TAIL_BYTES, op,
};

pub(super) fn plain(seq: u64, op: u8) -> Record {
    Record { op, seq, result: 0, size: 0, aux: 0 }
}

pub(super) fn malloc(seq: u64, result: u64, size: u64) -> Record {
    Record { result, size, ..plain(seq, op::MALLOC) }
}

pub(super) fn calloc(seq: u64, result: u64, count: u64, size: u64) -> Record {
    Record { result, size, aux: count, ..plain(seq, op::CALLOC) }
}

pub(super) fn aligned(seq: u64, result: u64, align: u64, size: u64) -> Record {
    Record { result, size, aux: align, ..plain(seq, op::ALIGNED) }
}

pub(super) fn enter(seq: u64, old: u64, size: u64) -> Record {
    Record { result: old, size, ..plain(seq, op::REALLOC_ENTER) }
}

pub(super) fn exit(seq: u64, result: u64, enter: u64) -> Record {
    Record { result, aux: enter, ..plain(seq, op::REALLOC_EXIT) }
}

pub(super) fn free(seq: u64, address: u64) -> Record {
    Record { result: address, ..plain(seq, op::FREE) }
}

/// What one process image leaves: chunks of records by thread, in the log and in tail slots.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) pid: u32,
    pub(super) image: u32,
    pub(super) forked: bool,
    pub(super) log: Vec<(u32, Vec<Record>)>,
    pub(super) tail: Vec<(u32, Vec<Record>)>,
    /// Sequence numbers handed out; by the records when absent.
    pub(super) sequence: Option<u64>,
}

impl Image {
    pub(super) fn of_one_thread(records: &[Record]) -> Self {
        Self::of_threads(&[(0, records)])
    }

    /// The first half of each thread's records in the log, the rest in its tail slot.
    pub(super) fn of_threads(threads: &[(u32, &[Record])]) -> Self {
        let (mut log, mut tail) = (Vec::new(), Vec::new());
        for &(thread, records) in threads {
            let (appended, rest) = records.split_at(records.len() / 2);
            log.push((thread, appended.to_vec()));
            tail.push((thread, rest.to_vec()));
        }
        Image { pid: 7, image: 0, forked: false, log, tail, sequence: None }
    }

    pub(super) fn write(&self, folder: &Path) {
        let log: Vec<u8> =
            self.log.iter().flat_map(|(thread, records)| chunk(*thread, records)).collect();
        if !log.is_empty() {
            fs::write(log_path(folder, self.pid, self.image), log).unwrap();
        }
        let mut tail = self.header();
        for (thread, records) in &self.tail {
            let mut slot = chunk(*thread, records);
            slot.resize(TAIL_BYTES, 0);
            tail.extend(slot);
        }
        // A slot that was never used.
        tail.resize(tail.len() + TAIL_BYTES, 0);
        fs::write(tail_path(folder, self.pid, self.image), tail).unwrap();
    }

    fn header(&self) -> Vec<u8> {
        let records = || self.log.iter().chain(&self.tail).flat_map(|(_, records)| records);
        let sequence = self
            .sequence
            .unwrap_or_else(|| records().map(|record| record.seq + 1).max().unwrap_or(0));
        let is_mark = |record: &&Record| {
            matches!(record.op, op::REALLOC_EXIT | op::THREAD_START | op::THREAD_END)
        };
        let marks = records().filter(is_mark).count() as u64;
        let mut bytes = MAGIC.to_vec();
        for word in [self.pid, self.image, 1, u32::from(self.forked), 1, 0] {
            bytes.extend(word.to_ne_bytes());
        }
        for long in [sequence, marks, 0] {
            bytes.extend(long.to_ne_bytes());
        }
        assert_eq!(bytes.len(), size_of::<LogHeader>());
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }
}

/// One chunk: its header, and its records in the shortest forms.
pub(super) fn chunk(thread: u32, records: &[Record]) -> Vec<u8> {
    let first = records.first().map_or(0, |record| record.seq);
    let base = 0x1000;
    let (mut expected, mut at) = (first, base);
    let mut units: Vec<u32> = Vec::new();
    for record in records {
        if record.seq != expected {
            units.extend(Record::jump(record.seq));
        }
        expected = record.seq + 1;
        if let Some(unit) = record.small(at) {
            units.push(unit);
            at = record.result;
            continue;
        }
        match record.wide() {
            Some(pair) => units.extend(pair),
            None => units.extend(record.full()),
        }
        at = record.next_base(at);
    }
    let header = ChunkHeader { magic: CHUNK_MAGIC, thread, units: units.len() as u64, first, base };
    let mut bytes = Vec::new();
    bytes.extend(header.magic.to_ne_bytes());
    bytes.extend(header.thread.to_ne_bytes());
    for long in [header.units, header.first, header.base] {
        bytes.extend(long.to_ne_bytes());
    }
    units.iter().for_each(|unit| bytes.extend(unit.to_ne_bytes()));
    bytes
}
