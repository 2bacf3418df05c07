//! Writes a trace: beside its place first, then renamed into it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::block::{self, EVENTS, FLAG_TIMED, FOOTER, META};
use super::codec::{Encoder, MAX_STREAM_BYTES};
use super::error::{TraceError, TraceErrorKind};
use super::meta::{self, Losses, Meta};
use crate::checker::Checker;
use crate::event::Event;
use crate::totals::Totals;

/// Bytes of streams at which a block is closed: the reader's buffers are twice this at most.
const BLOCK_STREAM_BYTES: usize = 256 << 10;

/// How hard the compressor tries: levels above gain a few per cent and take several times longer.
const ZSTD_LEVEL: i32 = 6;

/// How a block's streams are stored.
pub(super) const PLAIN: u8 = 0;
/// See [`PLAIN`].
pub(super) const ZSTD: u8 = 1;

/// Writes one trace.
///
/// [`Writer::create`] writes a hidden file beside the one asked for, and [`Writer::finish`] makes
/// it durable and renames it; a writer dropped before leaves nothing behind and an older file
/// untouched. [`Writer::new`] writes into anything that can seek, for tests.
///
/// Memory: the live set, and two block buffers of some 256 KiB.
///
/// ```
/// use std::io::Cursor;
/// use workloads::event::{BlockId, Event, Op};
/// use workloads::trace::{Meta, Reader, Writer};
///
/// let mut writer = Writer::new(Cursor::new(Vec::new()), &Meta::default())?;
/// let event = Event::of_first_thread(Op::Malloc { block: BlockId(0), size: 24 });
/// writer.write(&event)?;
/// let (totals, file) = writer.finish_into()?;
/// assert_eq!(totals.births, 1);
///
/// let events: Result<Vec<_>, _> = Reader::new(&file.get_ref()[..])?.collect();
/// assert_eq!(events?, [event]);
/// # Ok::<(), workloads::trace::TraceError>(())
/// ```
pub struct Writer<W: Write + Seek = BufWriter<File>> {
    out: W,
    meta: Meta,
    checker: Checker,
    encoder: Encoder,
    /// Blocks of events written.
    blocks: u64,
    target: Option<Target>,
}

/// Where a trace is to stand.
struct Target {
    path: PathBuf,
    file: File,
    /// Name under which it is written, unless that is its place.
    temporary: Option<PathBuf>,
}

/// Opens what a trace for `path` is written into.
fn open_target(path: &Path) -> io::Result<(File, Target)> {
    let kind = fs::metadata(path).map(|meta| meta.file_type());
    if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
        // Renaming onto it would fail as well, but only when everything is written.
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let is_special = kind.is_ok_and(|kind| !kind.is_file());
    let (file, temporary) = if is_special {
        (File::options().write(true).open(path)?, None)
    } else {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(hidden);
        (File::create(&temporary)?, Some(temporary))
    };
    let target = Target { path: path.to_owned(), file: file.try_clone()?, temporary };
    Ok((file, target))
}

impl Target {
    /// Makes the file durable and gives it its name.
    fn put_in_place(self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            self.file.sync_all()?;
            fs::rename(temporary, &self.path)?;
        }
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Renamed, there is nothing to remove; otherwise nobody could use the rest.
            let _ = fs::remove_file(temporary);
        }
    }
}

impl Writer {
    /// Begins a trace at `path`.
    ///
    /// Where `path` is a device it is written to directly: renaming a file onto it would replace
    /// the device itself. It must be able to seek, which a pipe is not.
    ///
    /// # Errors
    /// [`TraceErrorKind::Io`] when the folder or the device cannot be written to.
    pub fn create(path: &Path, meta: &Meta) -> Result<Self, TraceError> {
        let in_file = |error: TraceError| error.in_file(path);
        let (file, target) = open_target(path).map_err(|error| in_file(io_error(error)))?;
        let mut writer = Writer::new(BufWriter::new(file), meta).map_err(in_file)?;
        writer.target = Some(target);
        Ok(writer)
    }

    /// Completes the trace and puts it in its place.
    ///
    /// # Errors
    /// [`TraceErrorKind::Io`]; the place then holds what it held before.
    pub fn finish(mut self) -> Result<Totals, TraceError> {
        let target = self.target.take();
        let path = target.as_ref().map(|target| target.path.clone());
        let finish = || {
            let (totals, mut out) = self.finish_into()?;
            out.flush().map_err(io_error)?;
            if let Some(target) = target {
                target.put_in_place().map_err(io_error)?;
            }
            Ok(totals)
        };
        finish().map_err(|error: TraceError| match path {
            Some(path) => error.in_file(&path),
            None => error,
        })
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a trace at the start of `out`.
    ///
    /// # Errors
    /// [`TraceErrorKind::Io`].
    pub fn new(mut out: W, meta: &Meta) -> Result<Self, TraceError> {
        let flags = if meta.timed { FLAG_TIMED } else { 0 };
        block::write_header(&mut out, flags).map_err(io_error)?;
        let mut writer = Writer {
            out,
            meta: meta.clone(),
            checker: Checker::new(),
            encoder: Encoder::new(meta.timed),
            blocks: 0,
            target: None,
        };
        writer.write_meta()?;
        Ok(writer)
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`TraceErrorKind::Invalid`] when the event breaks an invariant; it is then left out and
    /// the writer goes on. [`TraceErrorKind::Io`] when a block cannot be written.
    pub fn write(&mut self, event: &Event) -> Result<(), TraceError> {
        self.checker
            .check(event)
            .map_err(|violation| self.error(TraceErrorKind::Invalid(violation)))?;
        self.encoder.push(event);
        if self.encoder.len() >= BLOCK_STREAM_BYTES {
            self.write_events()?;
        }
        Ok(())
    }

    /// What the trace lacks: may be filled in until the trace is finished.
    pub fn losses_mut(&mut self) -> &mut Losses {
        &mut self.meta.losses
    }

    /// Counts so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        self.checker.totals()
    }

    /// Completes the trace and hands back what it was written into, not flushed.
    ///
    /// # Errors
    /// [`TraceErrorKind::Io`].
    pub fn finish_into(mut self) -> Result<(Totals, W), TraceError> {
        if self.encoder.events() > 0 {
            self.write_events()?;
        }
        let totals = *self.checker.totals();
        let count = u32::try_from(self.blocks).unwrap_or(u32::MAX);
        let footer = meta::encode_totals(&totals);
        block::write_block(&mut self.out, FOOTER, count, &footer)
            .map_err(|error| self.error(TraceErrorKind::Io(error)))?;
        // M1: the meta block has the same length as at the start.
        self.out
            .seek(SeekFrom::Start(u64::from(block::HEADER_BYTES)))
            .map_err(|error| self.error(TraceErrorKind::Io(error)))?;
        self.write_meta()?;
        Ok((totals, self.out))
    }

    fn write_meta(&mut self) -> Result<(), TraceError> {
        let (payload, count) = self.meta.encode(self.checker.totals());
        block::write_block(&mut self.out, META, count, &payload)
            .map_err(|error| self.error(TraceErrorKind::Io(error)))
    }

    fn write_events(&mut self) -> Result<(), TraceError> {
        let count = self.encoder.events();
        let mut streams = Vec::with_capacity(BLOCK_STREAM_BYTES + 1024);
        self.encoder.take(&mut streams);
        debug_assert!(streams.len() <= MAX_STREAM_BYTES as usize);
        let mut payload = vec![ZSTD];
        payload.extend((streams.len() as u32).to_le_bytes());
        let compressed = zstd::bulk::compress(&streams, ZSTD_LEVEL)
            .map_err(|error| self.error(TraceErrorKind::Io(error)))?;
        if compressed.len() < streams.len() {
            payload.extend(compressed);
        } else {
            payload[0] = PLAIN;
            payload.extend(streams);
        }
        block::write_block(&mut self.out, EVENTS, count, &payload)
            .map_err(|error| self.error(TraceErrorKind::Io(error)))?;
        self.blocks += 1;
        Ok(())
    }

    /// An error at the event that comes next.
    fn error(&self, kind: TraceErrorKind) -> TraceError {
        let path = self.target.as_ref().map(|target| target.path.clone());
        TraceError {
            path,
            offset: 0,
            block: self.blocks + 1,
            event: self.checker.totals().events,
            kind,
        }
    }
}

fn io_error(error: io::Error) -> TraceError {
    TraceError { path: None, offset: 0, block: 0, event: 0, kind: TraceErrorKind::Io(error) }
}
