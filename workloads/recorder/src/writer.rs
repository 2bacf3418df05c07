//! A thread's way into its slot of the tail file: the hot path of the recorder.
//!
//! ```text
//! thread word -> Writer (private, reads as zeroes after fork) -> Chunk (slot of the .tail file)
//!                                                             -> LiveHeader (its first page)
//! ```
//! Invariants:
//! * W1: `chunk` and `header` are null, or mapped for as long as this process image lives; they are
//!   set whenever `room` is not 0.
//! * W2: `room` is the number of units of the chunk not claimed, at most [`UNITS_PER_TAIL`]; 0
//!   while unattached, so that the one test `room < MAX_UNITS` catches everything unusual.
//! * W3: `expected` is one more than the `seq` of the last record, or `chunk.first` when there is
//!   none; `base` is that record's next base, or `chunk.base`: what a reader will know at this
//!   point, so a record with another `seq` needs a jump.
//! * W4: only the thread whose word names the writer stores; the writer for late calls, which no
//!   word names, is used under the image's lock.
//!
//! Units are claimed first, stored next and counted last. A signal handler that allocates in
//! between thus gets units of its own; POSIX forbids it to allocate, and all that is promised is
//! that nothing outside the two records is harmed.

use crate::counter::Counter;
use crate::raw_log::{
    CHUNK_MAGIC, ChunkHeader, LogHeader, MAX_UNITS, PAD, Record, TAIL_BYTES, UNITS_PER_TAIL,
};
use core::mem::{offset_of, size_of};
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

/// [`LogHeader`] as it stands in the mapped file.
#[repr(C)]
pub(crate) struct LiveHeader {
    pub(crate) magic: AtomicU64,
    pub(crate) pid: AtomicU32,
    pub(crate) image: AtomicU32,
    pub(crate) parent: AtomicU32,
    pub(crate) forked: AtomicU32,
    pub(crate) ended: AtomicU32,
    pub(crate) stopped: AtomicU32,
    pub(crate) sequence: Counter,
    pub(crate) marks: Counter,
    pub(crate) failed: Counter,
}

impl LiveHeader {
    /// Whether the log is at its end, whoever said so. Relaxed: a few records more or less in a log
    /// that was cut off make no difference.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed) != 0
    }
}

const _: () = assert!(size_of::<LiveHeader>() == size_of::<LogHeader>());
const _: () = assert!(offset_of!(LiveHeader, pid) == offset_of!(LogHeader, pid));
const _: () = assert!(offset_of!(LiveHeader, image) == offset_of!(LogHeader, image));
const _: () = assert!(offset_of!(LiveHeader, parent) == offset_of!(LogHeader, parent));
const _: () = assert!(offset_of!(LiveHeader, forked) == offset_of!(LogHeader, forked));
const _: () = assert!(offset_of!(LiveHeader, ended) == offset_of!(LogHeader, ended));
const _: () = assert!(offset_of!(LiveHeader, stopped) == offset_of!(LogHeader, stopped));
const _: () = assert!(offset_of!(LiveHeader, sequence) == offset_of!(LogHeader, sequence));
const _: () = assert!(offset_of!(LiveHeader, marks) == offset_of!(LogHeader, marks));
const _: () = assert!(offset_of!(LiveHeader, failed) == offset_of!(LogHeader, failed));

/// One slot of the mapped file: a [`ChunkHeader`] and its units.
#[repr(C)]
pub(crate) struct Chunk {
    magic: AtomicU32,
    thread: AtomicU32,
    units: AtomicU64,
    first: AtomicU64,
    base: AtomicU64,
    body: [AtomicU32; UNITS_PER_TAIL],
}

const _: () = assert!(size_of::<Chunk>() == TAIL_BYTES);
const _: () = assert!(offset_of!(Chunk, thread) == offset_of!(ChunkHeader, thread));
const _: () = assert!(offset_of!(Chunk, units) == offset_of!(ChunkHeader, units));
const _: () = assert!(offset_of!(Chunk, first) == offset_of!(ChunkHeader, first));
const _: () = assert!(offset_of!(Chunk, base) == offset_of!(ChunkHeader, base));
const _: () = assert!(offset_of!(Chunk, body) == size_of::<ChunkHeader>());

/// A record that has no place in the order yet.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) op: u8,
    pub(crate) result: u64,
    pub(crate) size: u64,
    pub(crate) aux: u64,
}

/// One thread's hold on one slot; all zeroes when unattached.
#[repr(C, align(64))]
pub(crate) struct Writer {
    room: AtomicUsize,
    expected: AtomicU64,
    base: AtomicU64,
    chunk: AtomicPtr<Chunk>,
    header: AtomicPtr<LiveHeader>,
    /// Destructor rounds the ending thread has gone through.
    pub(crate) rounds: AtomicU32,
    /// Next writer of the free list, as its index plus one.
    pub(crate) next_free: AtomicU32,
}

const _: () = assert!(size_of::<Writer>() == 64);

impl Writer {
    /// A writer that is never attached.
    pub(crate) const fn without_room() -> Self {
        Self {
            room: AtomicUsize::new(0),
            expected: AtomicU64::new(0),
            base: AtomicU64::new(0),
            chunk: AtomicPtr::new(null_mut()),
            header: AtomicPtr::new(null_mut()),
            rounds: AtomicU32::new(0),
            next_free: AtomicU32::new(0),
        }
    }

    /// Room for one record, if there is: everything unusual is told by its absence.
    #[inline(always)]
    pub(crate) fn room(&self) -> Option<Room<'_>> {
        if self.room.load(Relaxed) < MAX_UNITS {
            return None;
        }
        // SAFETY: W1, as there is room.
        let slot = unsafe { &*self.chunk.load(Relaxed) };
        // SAFETY: W1, as there is room.
        let header = unsafe { &*self.header.load(Relaxed) };
        Some(Room { writer: self, slot, header })
    }

    /// The slot, if the writer is attached.
    #[inline(always)]
    pub(crate) fn chunk(&self) -> Option<&'static Chunk> {
        // SAFETY: W1.
        unsafe { self.chunk.load(Relaxed).as_ref() }
    }

    /// Takes hold of `slot` for the thread with index `thread`.
    pub(crate) fn attach(&self, slot: &'static Chunk, header: &'static LiveHeader, thread: u32) {
        slot.units.store(0, Relaxed);
        slot.magic.store(CHUNK_MAGIC, Relaxed);
        slot.thread.store(thread, Relaxed);
        self.chunk.store(core::ptr::from_ref(slot).cast_mut(), Relaxed);
        self.header.store(core::ptr::from_ref(header).cast_mut(), Relaxed);
        self.expected.store(header.sequence.read(), Relaxed);
        self.base.store(0, Relaxed);
        self.rounds.store(0, Relaxed);
        self.empty();
    }

    /// Lets go of the slot, whose units stand in the log; keeps it at hand for the next thread.
    pub(crate) fn detach(&self) {
        self.room.store(0, Relaxed);
    }

    /// Drops the units of the slot, which stand in the log.
    pub(crate) fn empty(&self) {
        let Some(slot) = self.chunk() else { return };
        // `units` goes first: with another `first`, units still counted would change their meaning.
        slot.units.store(0, Relaxed);
        slot.first.store(self.expected.load(Relaxed), Release);
        slot.base.store(self.base.load(Relaxed), Release);
        self.room.store(UNITS_PER_TAIL, Relaxed);
    }

    /// Fills the units left over with padding.
    pub(crate) fn pad(&self) {
        let Some(slot) = self.chunk() else { return };
        let room = self.room.swap(0, Relaxed).min(UNITS_PER_TAIL);
        for unit in &slot.body[UNITS_PER_TAIL - room..] {
            unit.store(PAD, Relaxed);
        }
        slot.units.store(UNITS_PER_TAIL as u64, Release);
    }

    /// Address and length in bytes of what the log still lacks of the slot.
    pub(crate) fn unsaved(&self) -> Option<(*const Chunk, usize)> {
        let slot = self.chunk()?;
        let units = slot.units.load(Relaxed) as usize;
        (units > 0).then(|| (core::ptr::from_ref(slot), size_of::<ChunkHeader>() + units * 4))
    }
}

/// A writer that has room for at least one record, of whatever form.
pub(crate) struct Room<'a> {
    writer: &'a Writer,
    slot: &'static Chunk,
    header: &'static LiveHeader,
}

impl Room<'_> {
    /// Records `call` and returns its `seq`.
    #[inline(always)]
    pub(crate) fn push(self, call: Call) -> u64 {
        let Call { op, result, size, aux } = call;
        let seq = self.header.sequence.take();
        let record = Record { op, seq, result, size, aux };
        match record.small(self.writer.base.load(Relaxed)) {
            Some(unit) if seq == self.writer.expected.load(Relaxed) => {
                self.store([unit]);
                self.count(seq, result)
            }
            _ => push_large(self.writer, op, seq, result, size, aux),
        }
    }

    /// Records a mark: a record that is no call of its own.
    pub(crate) fn push_mark(self, call: Call) -> u64 {
        self.header.marks.take();
        self.push(call)
    }

    /// Counts what was stored for the record `seq`.
    #[inline(always)]
    fn count(&self, seq: u64, base: u64) -> u64 {
        self.writer.base.store(base, Relaxed);
        self.writer.expected.store(seq + 1, Relaxed);
        // Pairs with the reader, who looks when the process is dead (R2). Not computed from what
        // was claimed: a signal handler may have claimed and counted more since.
        let units = UNITS_PER_TAIL - self.writer.room.load(Relaxed);
        self.slot.units.store(units as u64, Release);
        seq
    }

    /// Claims units of the slot and stores them.
    #[inline(always)]
    fn store<const N: usize>(&self, units: [u32; N]) {
        const { assert!(N <= MAX_UNITS) };
        let room = self.writer.room.load(Relaxed);
        self.writer.room.store(room - N, Relaxed);
        for (i, unit) in units.into_iter().enumerate() {
            // SAFETY: `room` was at least MAX_UNITS when this value was made, at most
            // UNITS_PER_TAIL (W2), and only this thread changes it (W4).
            let place = unsafe { self.slot.body.get_unchecked(UNITS_PER_TAIL - room + i) };
            place.store(unit, Relaxed);
        }
    }
}

/// Records what does not go into one unit. Out of line and with its arguments in registers, so that
/// the hot path saves nothing for its sake. The writer has room.
#[inline(never)]
fn push_large(writer: &Writer, op: u8, seq: u64, result: u64, size: u64, aux: u64) -> u64 {
    let Some(room) = writer.room() else { return seq };
    let record = Record { op, seq, result, size, aux };
    let base = writer.base.load(Relaxed);
    if let Some(unit) = record.small(base) {
        let [a, b] = Record::jump(seq);
        room.store([a, b, unit]);
        return room.count(seq, result);
    }
    match record.wide() {
        Some(units) if seq == writer.expected.load(Relaxed) => room.store(units),
        Some([c, d]) => {
            let [a, b] = Record::jump(seq);
            room.store([a, b, c, d]);
        }
        None => room.store(record.full()),
    }
    room.count(seq, record.next_base(base))
}
