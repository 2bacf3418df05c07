//! The chunks of one image: where they lie and which sequence numbers they hold.
//!
//! The index is made by reading everything once, so that the merge knows without guessing when a
//! chunk is needed, and so that a fault is found before the first event is emitted.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{ImportError, ImportErrorKind};
use super::images::{RawImage, log_path, read_header, tail_path, u32_of, u64_of};
use super::layout::{
    CHUNK_MAGIC, ChunkHeader, HEADER_BYTES, Record, Records, TAIL_BYTES, UNITS_PER_TAIL,
};

/// Bytes of a chunk's header.
const CHUNK_HEADER_BYTES: usize = size_of::<ChunkHeader>();

/// Where one chunk lies and what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) header: ChunkHeader,
    /// Whether it lies in the `.tail` file.
    is_tail: bool,
    /// Byte of the file at which its header lies.
    offset: u64,
    /// Units that are there, fewer than the header's where the log is cut off.
    units: usize,
    /// Lowest sequence number.
    pub(super) least: u64,
    /// Whether its records stand in order of their sequence numbers.
    is_sorted: bool,
    /// Whether the end of the log cuts it off.
    is_torn: bool,
}

/// All chunks of an image, by their lowest sequence numbers.
pub(super) struct Index {
    pub(super) chunks: Vec<Chunk>,
    pub(super) torn_bytes: u64,
    log: Option<(PathBuf, File)>,
    tail: (PathBuf, File),
}

impl Index {
    /// Reads both files of an image once.
    pub(super) fn read(
        folder: &Path,
        pid: u32,
        image: u32,
    ) -> Result<(Self, RawImage), ImportError> {
        let tail_path = tail_path(folder, pid, image);
        let fail = |error| ImportError::io(&tail_path, 0, error);
        let mut tail = File::open(&tail_path).map_err(fail)?;
        let raw = read_header(&mut tail, &tail_path, pid, image)?
            .ok_or_else(|| ImportError::new(&tail_path, 0, ImportErrorKind::NotARawLog))?;
        let log_path = log_path(folder, pid, image);
        let log = match File::open(&log_path) {
            Ok(file) => Some((log_path, file)),
            // Nothing was ever appended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(ImportError::io(&log_path, 0, error)),
        };
        let mut index = Index { chunks: Vec::new(), torn_bytes: 0, log, tail: (tail_path, tail) };
        index.scan_log()?;
        index.scan_tail()?;
        index.chunks.sort_by_key(|chunk| chunk.least);
        Ok((index, raw))
    }

    fn scan_log(&mut self) -> Result<(), ImportError> {
        let Some((path, file)) = &self.log else { return Ok(()) };
        let mut input = BufReader::with_capacity(4 * TAIL_BYTES, file);
        let mut offset = 0;
        let mut bytes = Vec::new();
        loop {
            let fail = |error| ImportError::io(path, offset, error);
            read_up_to(&mut input, CHUNK_HEADER_BYTES, &mut bytes).map_err(fail)?;
            if bytes.len() < CHUNK_HEADER_BYTES {
                self.torn_bytes += bytes.len() as u64;
                return Ok(());
            }
            let header = decode_header(&bytes);
            check_header(&header).map_err(|kind| ImportError::new(path, offset, kind))?;
            let length = 4 * header.units as usize;
            read_up_to(&mut input, length, &mut bytes).map_err(fail)?;
            let chunk = Chunk {
                header,
                is_tail: false,
                offset,
                units: bytes.len() / 4,
                least: 0,
                is_sorted: true,
                is_torn: bytes.len() < length,
            };
            if chunk.is_torn {
                self.torn_bytes += (CHUNK_HEADER_BYTES + bytes.len()) as u64;
            }
            self.chunks.extend(
                measured(chunk, &bytes).map_err(|kind| ImportError::new(path, offset, kind))?,
            );
            offset += (CHUNK_HEADER_BYTES + bytes.len()) as u64;
        }
    }

    fn scan_tail(&mut self) -> Result<(), ImportError> {
        let (path, file) = &self.tail;
        let mut offset = HEADER_BYTES as u64;
        let mut bytes = vec![0; TAIL_BYTES];
        loop {
            let there = read_at(file, offset, &mut bytes)
                .map_err(|error| ImportError::io(path, offset, error))?;
            if there < CHUNK_HEADER_BYTES {
                return Ok(());
            }
            let header = decode_header(&bytes);
            // A slot never used, or emptied.
            if header.magic != 0 && header.units > 0 {
                let fail = |kind| ImportError::new(path, offset, kind);
                check_header(&header).map_err(fail)?;
                let length = 4 * header.units as usize;
                let there = &bytes[CHUNK_HEADER_BYTES..there];
                let chunk = Chunk {
                    header,
                    is_tail: true,
                    offset,
                    units: length.min(there.len()) / 4,
                    least: 0,
                    is_sorted: true,
                    is_torn: there.len() < length,
                };
                self.chunks.extend(measured(chunk, &there[..4 * chunk.units]).map_err(fail)?);
            }
            offset += TAIL_BYTES as u64;
        }
    }

    /// Path of the file a chunk lies in, and its place there; without a chunk, the image's start.
    pub(super) fn place(&self, chunk: Option<&Chunk>) -> (&Path, u64) {
        match (&self.log, chunk) {
            (Some((path, _)), Some(chunk)) if !chunk.is_tail => (path, chunk.offset),
            (_, chunk) => (&self.tail.0, chunk.map_or(0, |chunk| chunk.offset)),
        }
    }

    /// The records of a chunk in order of their sequence numbers.
    pub(super) fn open(&self, chunk: &Chunk) -> Result<OpenChunk, ImportError> {
        let file = match &self.log {
            Some((_, file)) if !chunk.is_tail => file,
            _ => &self.tail.1,
        };
        let (path, offset) = self.place(Some(chunk));
        let mut bytes = vec![0; 4 * chunk.units];
        file.read_exact_at(&mut bytes, offset + CHUNK_HEADER_BYTES as u64)
            .map_err(|error| ImportError::io(path, offset, error))?;
        let records = Records::new(Units { bytes, at: 0 }, &chunk.header);
        if chunk.is_sorted {
            return Ok(OpenChunk::AsStored(records));
        }
        // A record that is no record was accepted by `measured` only as the cut end of the log.
        let mut sorted: Vec<_> = records.map_while(Result::ok).collect();
        sorted.sort_by_key(|record| record.seq);
        Ok(OpenChunk::Sorted(sorted.into_iter()))
    }
}

/// A chunk being read.
pub(super) enum OpenChunk {
    /// The usual case: 64 KiB of units, unpacked on the way.
    AsStored(Records<Units>),
    /// A signal handler's calls stand between those it interrupted.
    Sorted(std::vec::IntoIter<Record>),
}

impl Iterator for OpenChunk {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        match self {
            // As in `Index::open`.
            OpenChunk::AsStored(records) => records.next()?.ok(),
            OpenChunk::Sorted(records) => records.next(),
        }
    }
}

/// The units of a chunk.
pub(super) struct Units {
    bytes: Vec<u8>,
    at: usize,
}

impl Iterator for Units {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let unit = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        Some(u32_of(unit))
    }
}

/// Goes through a chunk's records: its lowest sequence number and order, or `None` where it holds
/// no record.
fn measured(mut chunk: Chunk, units: &[u8]) -> Result<Option<Chunk>, ImportErrorKind> {
    let mut least = None;
    let mut previous = 0;
    let words = units.chunks_exact(4).map(u32_of);
    for record in Records::new(words, &chunk.header) {
        match record {
            Ok(record) => {
                chunk.is_sorted &= previous <= record.seq;
                previous = record.seq;
                least = Some(least.map_or(record.seq, |least: u64| least.min(record.seq)));
            }
            Err(_) if chunk.is_torn => break,
            Err(unit) => return Err(ImportErrorKind::BadUnit { found: unit.0 }),
        }
    }
    Ok(least.map(|least| Chunk { least, ..chunk }))
}

fn check_header(header: &ChunkHeader) -> Result<(), ImportErrorKind> {
    if header.magic != CHUNK_MAGIC {
        return Err(ImportErrorKind::NotAChunk { found: header.magic });
    }
    if header.units > UNITS_PER_TAIL as u64 {
        return Err(ImportErrorKind::ChunkTooLong { found: header.units });
    }
    Ok(())
}

/// The struct from its bytes.
fn decode_header(bytes: &[u8]) -> ChunkHeader {
    ChunkHeader {
        magic: u32_of(bytes),
        thread: u32_of(&bytes[4..]),
        units: u64_of(&bytes[8..]),
        first: u64_of(&bytes[16..]),
        base: u64_of(&bytes[24..]),
    }
}

const _: () = assert!(std::mem::offset_of!(ChunkHeader, thread) == 4);
const _: () = assert!(std::mem::offset_of!(ChunkHeader, base) == 24);

/// Fills `bytes` with up to `count` bytes, fewer only at the end.
fn read_up_to(input: &mut impl Read, count: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    input.take(count as u64).read_to_end(bytes)?;
    Ok(())
}

/// Reads as much of `bytes` as the file has at `offset`.
fn read_at(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut there = 0;
    while there < bytes.len() {
        match file.read_at(&mut bytes[there..], offset + there as u64) {
            Ok(0) => break,
            Ok(more) => there += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}
