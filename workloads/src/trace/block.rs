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
//! * B2: a payload has at most [`MAX_BLOCK_BYTES`] bytes.
//! * B3: the first block is M, the last is F, neither occurs twice, and nothing follows F.

use std::io::{self, Read, Write};

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
    debug_assert!(payload.len() <= MAX_BLOCK_BYTES as usize, "B2");
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
            payload: Vec::new(),
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
        check(covered, &[], u32_at(checksum, 0), "header")?;
        let flags = u32_at(&header, 16);
        if flags & CRITICAL_FLAGS & !FLAG_TIMED != 0 {
            return Err(TraceErrorKind::UnknownFlags { found: flags });
        }
        Ok(flags)
    }

    /// Reads the next block into `payload`; `None` at the end of the file.
    ///
    /// The buffer grows by what is there, not by the length the block claims.
    pub(super) fn next_block(&mut self) -> Result<Option<BlockHead>, TraceErrorKind> {
        if !self.is_first {
            self.blocks += 1;
        }
        self.is_first = false;
        self.start = self.position;
        let mut head = Vec::with_capacity(BLOCK_HEAD_BYTES);
        self.append(BLOCK_HEAD_BYTES, &mut head)?;
        if head.is_empty() {
            return Ok(None);
        }
        let kind = head[0];
        if !kind.is_ascii_alphabetic() {
            return Err(TraceErrorKind::BlockKind { kind });
        }
        if head.len() < BLOCK_HEAD_BYTES {
            return Err(TraceErrorKind::Truncated { expected: "the head of a block" });
        }
        let length = u32_at(&head, 1);
        if length > MAX_BLOCK_BYTES {
            return Err(TraceErrorKind::BlockLength { limit: MAX_BLOCK_BYTES, found: length });
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        let read = self.append_all(length as usize, &mut payload, "the payload of a block");
        self.payload = payload;
        read?;
        check(&head[..9], &self.payload, u32_at(&head, 9), "block")?;
        Ok(Some(BlockHead { kind, count: u32_at(&head, 5) }))
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

/// Compares the checksum of two pieces with the one stored.
fn check(
    first: &[u8],
    second: &[u8],
    expected: u32,
    part: &'static str,
) -> Result<(), TraceErrorKind> {
    let found = crc32c::crc32c_append(crc32c::crc32c(first), second);
    if found == expected { Ok(()) } else { Err(TraceErrorKind::Checksum { part, expected, found }) }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The little-endian integer at `bytes[at..at + 4]`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
