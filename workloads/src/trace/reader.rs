//! Reads a trace, checking it as it goes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::block::{
    BlockHead, BlockReader, EVENTS, EVENTS_HEAD_BYTES, FLAG_TIMED, FOOTER, META, u32_at,
};
use super::codec::{Cursors, Decoder, MAX_STREAM_BYTES};
use super::error::{TraceError, TraceErrorKind};
use super::meta::{self, Meta, TOTALS_BYTES};
use super::writer::{PLAIN, ZSTD};
use crate::checker::{Checker, Limits};
use crate::event::Event;
use crate::totals::Totals;

/// Iterates over the events of a trace.
///
/// Every event has passed the checks of syntax and of the invariants. After an error the iterator
/// is at its end. The totals of the footer are compared when the last event has been read, so a
/// trace is known to be whole only when the iterator has returned `None`.
///
/// Memory: at most 2 MiB, 9 bytes per thread and the live set. Cost: some 30 ns per event.
pub struct Reader<R: Read = BufReader<File>> {
    blocks: BlockReader<R>,
    path: Option<PathBuf>,
    meta: Meta,
    /// As the meta block claims them.
    totals: Totals,
    decompressor: zstd::bulk::Decompressor<'static>,
    streams: Vec<u8>,
    cursors: Cursors,
    /// Events left in the block.
    left: u32,
    decoder: Decoder,
    checker: Checker,
    /// Blocks of events seen.
    event_blocks: u64,
    /// Blocks that may still be read, where the file is known to be broken behind them.
    readable: Option<u64>,
    is_done: bool,
}

impl Reader {
    /// Opens a trace file.
    ///
    /// # Errors
    /// [`TraceErrorKind::Io`], or what is wrong with the header or the meta block.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let read = || {
            let file = File::open(path).map_err(io_error)?;
            Reader::new(BufReader::new(file))
        };
        let mut reader = read().map_err(|error| error.in_file(path))?;
        reader.path = Some(path.to_owned());
        Ok(reader)
    }

    /// Opens a trace file that may be cut off or damaged behind its first blocks.
    ///
    /// The file is read once in advance. Where it is whole this is [`Reader::open`]; otherwise the
    /// reader stops after the last whole block before the first fault, without an error, and
    /// [`Meta::losses`] says `truncated`.
    ///
    /// # Errors
    /// As [`Reader::open`]: without a header and a meta block nothing can be recovered. Events
    /// that break an invariant are still errors.
    pub fn recover(path: &Path) -> Result<Self, TraceError> {
        let file = File::open(path).map_err(|error| io_error(error).in_file(path))?;
        let whole = whole_blocks(BufReader::new(file)).map_err(|error| error.in_file(path))?;
        let mut reader = Reader::open(path)?;
        reader.stop_after(whole);
        Ok(reader)
    }
}

impl<R: Read> Reader<R> {
    /// Reads a trace from anything; wrap files in a `BufReader`.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(input: R) -> Result<Self, TraceError> {
        Self::with_limits(input, Limits::default())
    }

    /// As [`Reader::new`], refusing traces that go beyond `limits`.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn with_limits(input: R, limits: Limits) -> Result<Self, TraceError> {
        let (mut blocks, flags) = BlockReader::open(input)?;
        let timed = flags & FLAG_TIMED != 0;
        let (meta, totals) = read_meta(&mut blocks, timed).map_err(|kind| blocks.error(kind, 0))?;
        let decompressor = zstd::bulk::Decompressor::new().map_err(io_error)?;
        Ok(Reader {
            blocks,
            path: None,
            meta,
            totals,
            decompressor,
            streams: Vec::new(),
            cursors: Cursors::default(),
            left: 0,
            decoder: Decoder::new(timed),
            checker: Checker::with_limits(limits),
            event_blocks: 0,
            readable: None,
            is_done: false,
        })
    }

    /// What the trace says about itself.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The totals the meta block claims: what the whole trace holds, even where only a part can
    /// be recovered. They are proven once the iterator has returned `None` without an error and
    /// the trace is not truncated.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Counts of the events read so far.
    #[must_use]
    pub fn counted(&self) -> &Totals {
        self.checker.totals()
    }

    /// Stops after that many blocks behind the meta block, unless the file is whole.
    fn stop_after(&mut self, whole: Option<u64>) {
        if whole.is_some() {
            self.readable = whole;
            self.meta.losses.truncated = true;
        }
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceErrorKind> {
        while self.left == 0 {
            if self.readable == Some(0) {
                return Ok(None);
            }
            let Some(head) = self.blocks.next_block()? else {
                return Err(TraceErrorKind::Truncated { expected: "a block or the footer" });
            };
            if let Some(readable) = &mut self.readable {
                *readable -= 1;
            }
            match head.kind {
                EVENTS => self.open_events(head)?,
                FOOTER => {
                    self.check_footer(head)?;
                    return Ok(None);
                }
                kind => {
                    return Err(TraceErrorKind::BlockOutOfPlace {
                        expected: "events or the footer",
                        kind: char::from(kind),
                    });
                }
            }
        }
        let event = self.decoder.next(&self.streams, &mut self.cursors)?;
        self.checker.check(&event).map_err(TraceErrorKind::Invalid)?;
        self.left -= 1;
        if self.left == 0 {
            self.cursors.finish()?;
        }
        Ok(Some(event))
    }

    /// Unpacks the events block just read.
    fn open_events(&mut self, head: BlockHead) -> Result<(), TraceErrorKind> {
        if head.count == 0 {
            return Err(TraceErrorKind::BlockCount { expected: "at least one event", found: 0 });
        }
        let payload = &self.blocks.payload;
        let Some((fixed, stored)) = payload.split_at_checked(EVENTS_HEAD_BYTES) else {
            return Err(TraceErrorKind::StreamEnds { stream: "events" });
        };
        let length = u32_at(fixed, 1);
        if length > MAX_STREAM_BYTES {
            return Err(TraceErrorKind::StreamsTooLong { found: length });
        }
        if stored.len() > length as usize {
            let limit = length + EVENTS_HEAD_BYTES as u32;
            return Err(TraceErrorKind::BlockLength { limit, found: payload.len() as u32 });
        }
        let expected = length as usize;
        self.streams.clear();
        match fixed[0] {
            PLAIN => self.streams.extend(stored),
            ZSTD => {
                self.streams.resize(expected, 0);
                let unpacked =
                    self.decompressor.decompress_to_buffer(stored, &mut self.streams[..]);
                self.streams.truncate(unpacked.unwrap_or(0));
            }
            found => return Err(TraceErrorKind::Encoding { found }),
        }
        if self.streams.len() != expected {
            return Err(TraceErrorKind::Decompression { expected });
        }
        self.cursors = Cursors::split(&self.streams)?;
        self.left = head.count;
        self.event_blocks += 1;
        Ok(())
    }

    fn check_footer(&mut self, head: BlockHead) -> Result<(), TraceErrorKind> {
        let payload = &self.blocks.payload;
        // A later minor version may append to the totals.
        if payload.len() < TOTALS_BYTES {
            return Err(TraceErrorKind::StreamEnds { stream: "totals" });
        }
        let stored = meta::decode_totals(payload);
        let counted = self.checker.totals();
        meta::compare_totals(&stored, counted)?;
        meta::compare_totals(&self.totals, counted)?;
        if u64::from(head.count) != self.event_blocks.min(u64::from(u32::MAX)) {
            return Err(TraceErrorKind::BlockCount {
                expected: "the number of events blocks",
                found: head.count,
            });
        }
        if !self.blocks.is_at_end()? {
            return Err(TraceErrorKind::AfterFooter);
        }
        Ok(())
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Event, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.next_event().map_err(|kind| {
            let error = self.blocks.error(kind, self.checker.totals().events);
            match &self.path {
                Some(path) => error.in_file(path),
                None => error,
            }
        });
        self.is_done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

fn read_meta(
    blocks: &mut BlockReader<impl Read>,
    timed: bool,
) -> Result<(Meta, Totals), TraceErrorKind> {
    let Some(head) = blocks.next_block()? else {
        return Err(TraceErrorKind::Truncated { expected: "the meta block" });
    };
    if head.kind != META {
        return Err(TraceErrorKind::BlockOutOfPlace {
            expected: "the meta block",
            kind: char::from(head.kind),
        });
    }
    Meta::decode(&blocks.payload, head.count, timed)
}

/// Blocks behind the meta block that are whole, or `None` when the file is.
fn whole_blocks(input: impl Read) -> Result<Option<u64>, TraceError> {
    let (mut blocks, flags) = BlockReader::open(input)?;
    read_meta(&mut blocks, flags & FLAG_TIMED != 0).map_err(|kind| blocks.error(kind, 0))?;
    let mut whole = 0;
    loop {
        match blocks.next_block() {
            Ok(Some(BlockHead { kind: FOOTER, .. })) => return Ok(None),
            Ok(Some(_)) => whole += 1,
            Err(kind @ TraceErrorKind::Io(_)) => return Err(blocks.error(kind, 0)),
            Ok(None) | Err(_) => return Ok(Some(whole)),
        }
    }
}

fn io_error(error: std::io::Error) -> TraceError {
    TraceError { path: None, offset: 0, block: 0, event: 0, kind: TraceErrorKind::Io(error) }
}
