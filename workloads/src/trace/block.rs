//! The header and the framing of blocks: everything outside a block's payload.
//!
//! ```text
//! 0x00 magic 8 | 0x08 major u16 | 0x0a minor u16 | 0x0c header length u32 | 0x10 flags u32
//! 0x14 (header length - 4) CRC-32C u32 of everything before it
//!
//! 0x00 kind u8 | 0x01 length u32 | 0x05 count u32 | 0x09 CRC-32C u32 | 0x0d payload
//! ```
//! All integers are little-endian. A block's checksum covers kind, length, count and payload.
//!
//! * B1: a kind is an ASCII letter. A reader refuses an upper-case kind it does not know and skips a
//!   lower-case one.
//! * B2: a payload has at most as many bytes as [`limit_of`] its kind, and never more than
//!   [`MAX_BLOCK_BYTES`]. One that is skipped is not kept, so one buffer of fixed size does.
//! * B3: the first block is M, the last is F, neither occurs twice, and nothing follows F.

use std::io::{self, Read, Write};

use super::codec::MAX_STREAM_BYTES;
use super::error::{TraceError, TraceErrorKind};
use super::{MAGIC, MAJOR, MINOR};

/// Bytes of the header this version writes.
pub(super) const HEADER_BYTES: u32 = 24;

/// Most bytes a header of a later minor version may have.
pub(super) const MAX_HEADER_BYTES: u32 = 4096;

/// Bytes in front of a payload.
pub(super) const BLOCK_HEAD_BYTES: usize = 13;

/// B2.
pub(super) const MAX_BLOCK_BYTES: u32 = 1 << 20;

/// Bytes of an events block in front of its streams.
pub(super) const EVENTS_HEAD_BYTES: usize = 5;

/// Bytes of the longest payload that is kept.
const MAX_KEPT_BYTES: u32 = MAX_STREAM_BYTES + EVENTS_HEAD_BYTES as u32;

/// B2: most bytes of a payload of that kind.
const fn limit_of(kind: u8) -> u32 {
    match kind {
        EVENTS => MAX_KEPT_BYTES,
        META => 256 << 10,
        FOOTER => 4096,
        _ => MAX_BLOCK_BYTES,
    }
}

const _: () = assert!(limit_of(META) <= MAX_KEPT_BYTES && limit_of(FOOTER) <= MAX_KEPT_BYTES);
const _: () = assert!(MAX_KEPT_BYTES <= MAX_BLOCK_BYTES);

/// Flag: every event has its place in the stream of times.
pub(super) const FLAG_TIMED: u32 = 1;

/// Flags a reader must know; it ignores unknown ones outside this half.
const CRITICAL_FLAGS: u32 = 0xffff;

/// Kinds of blocks.
pub(super) const META: u8 = b'M';
pub(super) const EVENTS: u8 = b'E';
pub(super) const FOOTER: u8 = b'F';

/// Writes the header.
pub(super) fn write_header(out: &mut impl Write, flags: u32) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    header.extend(MAGIC);
    header.extend(MAJOR.to_le_bytes());
    header.extend(MINOR.to_le_bytes());
    header.extend(HEADER_BYTES.to_le_bytes());
    header.extend(flags.to_le_bytes());
    header.extend(crc32c::crc32c(&header).to_le_bytes());
    out.write_all(&header)
}

/// Writes one block.
pub(super) fn write_block(
    out: &mut impl Write,
    kind: u8,
    count: u32,
    payload: &[u8],
) -> io::Result<()> {
    debug_assert!(payload.len() <= limit_of(kind) as usize, "B2");
    let mut head = [0; BLOCK_HEAD_BYTES];
    head[0] = kind;
    head[1..5].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    head[5..9].copy_from_slice(&count.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&head[..9]), payload);
    head[9..].copy_from_slice(&checksum.to_le_bytes());
    out.write_all(&head)?;
    out.write_all(payload)
}

/// Reads a header and then block after block.
pub(super) struct BlockReader<R> {
    input: R,
    /// Bytes consumed.
    position: u64,
    /// Where the header or the block read last starts.
    start: u64,
    /// Blocks read, the one at `start` left out.
    blocks: u64,
    is_first: bool,
    /// The payload of the block read last.
    pub(super) payload: Vec<u8>,
}

/// What stands in front of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHead {
    pub(super) kind: u8,
    pub(super) count: u32,
}

impl<R: Read> BlockReader<R> {
    /// Reads the header; returns the flags with the reader of what follows.
    pub(super) fn open(input: R) -> Result<(Self, u32), TraceError> {
        let mut blocks = BlockReader {
            input,
            position: 0,
            start: 0,
            blocks: 0,
            is_first: true,
            payload: Vec::with_capacity(MAX_KEPT_BYTES as usize),
        };
        match blocks.read_header() {
            Ok(flags) => Ok((blocks, flags)),
            Err(kind) => Err(blocks.error(kind, 0)),
        }
    }

    /// An error at the part read last.
    pub(super) fn error(&self, kind: TraceErrorKind, event: u64) -> TraceError {
        TraceError { path: None, offset: self.start, block: self.blocks, event, kind }
    }

    fn read_header(&mut self) -> Result<u32, TraceErrorKind> {
        let mut magic = Vec::new();
        self.append(MAGIC.len(), &mut magic)?;
        if magic != MAGIC {
            return Err(if magic.starts_with(&MAGIC[..4]) && magic.len() == MAGIC.len() {
                TraceErrorKind::DamagedByTextTransfer
            } else if magic.starts_with(b"ABT") || magic.starts_with(b"\x09ABT") {
                // The high bit stripped, or the whole first byte.
                TraceErrorKind::DamagedByTextTransfer
            } else if !magic.is_empty() && MAGIC.starts_with(&magic) {
                TraceErrorKind::Truncated { expected: "a header" }
            } else {
                TraceErrorKind::NotATrace { found: magic }
            });
        }
        let mut header = magic;
        self.append_all(8, &mut header, "a header")?;
        let (major, minor) = (u16_at(&header, 8), u16_at(&header, 10));
        if major != MAJOR {
            return Err(TraceErrorKind::Version { major, minor });
        }
        let length = u32_at(&header, 12);
        // A later minor version may append fields; this one has none to append.
        let longest = if minor == MINOR { HEADER_BYTES } else { MAX_HEADER_BYTES };
        if !(HEADER_BYTES..=longest).contains(&length) {
            return Err(TraceErrorKind::HeaderLength { found: length });
        }
        let rest = length as usize - header.len();
        self.append_all(rest, &mut header, "a header")?;
        let (covered, checksum) = header.split_at(length as usize - 4);
        check("header", u32_at(checksum, 0), crc32c::crc32c(covered))?;
        let flags = u32_at(&header, 16);
        if flags & CRITICAL_FLAGS & !FLAG_TIMED != 0 {
            return Err(TraceErrorKind::UnknownFlags { found: flags });
        }
        Ok(flags)
    }

    /// Reads the next block of a kind this version knows into `payload`, passing over those it may
    /// (B1); `None` at the end of the file.
    pub(super) fn next_block(&mut self) -> Result<Option<BlockHead>, TraceErrorKind> {
        loop {
            if !self.is_first {
                self.blocks += 1;
            }
            self.is_first = false;
            self.start = self.position;
            let mut head = Vec::with_capacity(BLOCK_HEAD_BYTES);
            self.append(BLOCK_HEAD_BYTES, &mut head)?;
            let Some(&kind) = head.first() else { return Ok(None) };
            if !kind.is_ascii_alphabetic() {
                return Err(TraceErrorKind::BlockKind { kind });
            }
            if head.len() < BLOCK_HEAD_BYTES {
                return Err(TraceErrorKind::Truncated { expected: "the head of a block" });
            }
            let is_known = matches!(kind, META | EVENTS | FOOTER);
            if !is_known && kind.is_ascii_uppercase() {
                return Err(TraceErrorKind::UnknownBlock { kind: char::from(kind) });
            }
            let length = u32_at(&head, 1);
            if length > limit_of(kind) {
                return Err(TraceErrorKind::BlockLength { limit: limit_of(kind), found: length });
            }
            let checksum = self.read_payload(length, is_known, crc32c::crc32c(&head[..9]))?;
            check("block", u32_at(&head, 9), checksum)?;
            if is_known {
                return Ok(Some(BlockHead { kind, count: u32_at(&head, 5) }));
            }
        }
    }

    /// Reads a payload, kept or not; returns the checksum that began with `checksum`.
    fn read_payload(
        &mut self,
        length: u32,
        is_kept: bool,
        mut checksum: u32,
    ) -> Result<u32, TraceErrorKind> {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        let mut left = length as usize;
        let mut read = Ok(());
        // The buffer holds what is kept in one piece and passes on in pieces what is not.
        while left > 0 && read.is_ok() {
            let piece = left.min(payload.capacity());
            payload.clear();
            read = self.append_all(piece, &mut payload, "the payload of a block");
            checksum = crc32c::crc32c_append(checksum, &payload);
            left -= piece;
        }
        if !is_kept {
            payload.clear();
        }
        self.payload = payload;
        read.map(|()| checksum)
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool, TraceErrorKind> {
        let mut byte = Vec::new();
        self.append(1, &mut byte)?;
        Ok(byte.is_empty())
    }

    /// Appends up to `count` bytes, fewer only at the end of the file.
    fn append(&mut self, count: usize, to: &mut Vec<u8>) -> Result<(), TraceErrorKind> {
        let read = (&mut self.input).take(count as u64).read_to_end(to);
        self.position += read.map_err(TraceErrorKind::Io)? as u64;
        Ok(())
    }

    fn append_all(
        &mut self,
        count: usize,
        to: &mut Vec<u8>,
        expected: &'static str,
    ) -> Result<(), TraceErrorKind> {
        let wanted = to.len() + count;
        self.append(count, to)?;
        if to.len() < wanted { Err(TraceErrorKind::Truncated { expected }) } else { Ok(()) }
    }
}

/// Compares a checksum with the one stored.
fn check(part: &'static str, expected: u32, found: u32) -> Result<(), TraceErrorKind> {
    if found == expected { Ok(()) } else { Err(TraceErrorKind::Checksum { part, expected, found }) }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The little-endian integer at `bytes[at..at + 4]`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
