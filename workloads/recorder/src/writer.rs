//! A thread's way into its slot of the tail file: the hot path of the recorder.
//!
//! ```text
//! thread word -> Writer (private, reads as zeroes after fork) -> Chunk (slot of the .tail file)
//!                                                             -> LiveHeader (its first page)
//! ```
//! Invariants:
//! * W1: `chunk` and `header` are null, or mapped for as long as this process image lives; they are
//!   set whenever `room` is not 0.
//! * W2: `room` is the number of words of the chunk not claimed, at most [`WORDS_PER_TAIL`]; 0
//!   while unattached, so that the one test `room < MAX_WORDS` catches everything unusual.
//! * W3: `expected` is one more than the `seq` of the last record, and of `chunk.first` when there
//!   is none: a short record with another `seq` needs a jump.
//! * W4: only the owning thread stores, except to [`tls::LATE`](crate::tls::LATE)'s stand-in, which
//!   is used under the lock.
//!
//! Words are claimed first, stored next and counted last. A signal handler that allocates in
//! between thus gets words of its own; POSIX forbids it to allocate, and all that is promised is
//! that nothing outside the two records is harmed.

use crate::counter::Counter;
use crate::raw_log::{
    CHUNK_MAGIC, ChunkHeader, LogHeader, MAX_WORDS, PAD, Record, TAIL_BYTES, WORDS_PER_TAIL,
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

/// One slot of the mapped file: a [`ChunkHeader`] and its words.
#[repr(C)]
pub(crate) struct Chunk {
    magic: AtomicU32,
    thread: AtomicU32,
    words: AtomicU64,
    first: AtomicU64,
    reserved: AtomicU64,
    body: [AtomicU64; WORDS_PER_TAIL],
}

const _: () = assert!(size_of::<Chunk>() == TAIL_BYTES);
const _: () = assert!(offset_of!(Chunk, thread) == offset_of!(ChunkHeader, thread));
const _: () = assert!(offset_of!(Chunk, words) == offset_of!(ChunkHeader, words));
const _: () = assert!(offset_of!(Chunk, first) == offset_of!(ChunkHeader, first));
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
            chunk: AtomicPtr::new(null_mut()),
            header: AtomicPtr::new(null_mut()),
            rounds: AtomicU32::new(0),
            next_free: AtomicU32::new(0),
        }
    }

    /// Room for one record, if there is: everything unusual is told by its absence.
    #[inline(always)]
    pub(crate) fn room(&self) -> Option<Room<'_>> {
        if self.room.load(Relaxed) < MAX_WORDS {
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
        slot.words.store(0, Relaxed);
        slot.magic.store(CHUNK_MAGIC, Relaxed);
        slot.thread.store(thread, Relaxed);
        self.chunk.store(core::ptr::from_ref(slot).cast_mut(), Relaxed);
        self.header.store(core::ptr::from_ref(header).cast_mut(), Relaxed);
        self.expected.store(header.sequence.read(), Relaxed);
        self.rounds.store(0, Relaxed);
        self.empty();
    }

    /// Lets go of the slot, whose words stand in the log; keeps it at hand for the next thread.
    pub(crate) fn detach(&self) {
        self.room.store(0, Relaxed);
    }

    /// Drops the words of the slot, which stand in the log.
    pub(crate) fn empty(&self) {
        let Some(slot) = self.chunk() else { return };
        // `words` goes first: with another `first`, words still counted would change their meaning.
        slot.words.store(0, Relaxed);
        slot.first.store(self.expected.load(Relaxed), Release);
        self.room.store(WORDS_PER_TAIL, Relaxed);
    }

    /// Fills the words left over with padding.
    pub(crate) fn pad(&self) {
        let Some(slot) = self.chunk() else { return };
        let room = self.room.swap(0, Relaxed).min(WORDS_PER_TAIL);
        for word in &slot.body[WORDS_PER_TAIL - room..] {
            word.store(PAD, Relaxed);
        }
        slot.words.store(WORDS_PER_TAIL as u64, Release);
    }

    /// Address and length in bytes of what the log still lacks of the slot.
    pub(crate) fn unsaved(&self) -> Option<(*const Chunk, usize)> {
        let slot = self.chunk()?;
        let words = slot.words.load(Relaxed) as usize;
        (words > 0).then(|| (core::ptr::from_ref(slot), size_of::<ChunkHeader>() + words * 8))
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
        match record.short() {
            Some(word) if seq == self.writer.expected.load(Relaxed) => self.store([word]),
            Some(word) => self.store_jump(seq, word),
            None => self.store_full(record),
        }
        self.writer.expected.store(seq + 1, Relaxed);
        // Pairs with the reader, who looks when the process is dead (R2). Not computed from what
        // was claimed above: a signal handler may have claimed and counted more since.
        let words = WORDS_PER_TAIL - self.writer.room.load(Relaxed);
        self.slot.words.store(words as u64, Release);
        seq
    }

    /// Records a mark: a record that is no call of its own.
    pub(crate) fn push_mark(self, call: Call) -> u64 {
        self.header.marks.take();
        self.push(call)
    }

    #[cold]
    fn store_jump(&self, seq: u64, word: u64) {
        self.store([Record::jump(seq), word]);
    }

    #[cold]
    fn store_full(&self, record: Record) {
        self.store(record.full());
    }

    /// Claims words of the slot and stores them.
    #[inline(always)]
    fn store<const N: usize>(&self, words: [u64; N]) {
        const { assert!(N <= MAX_WORDS) };
        let room = self.writer.room.load(Relaxed);
        self.writer.room.store(room - N, Relaxed);
        for (i, word) in words.into_iter().enumerate() {
            // SAFETY: `room` was at least MAX_WORDS when this value was made, at most
            // WORDS_PER_TAIL (W2), and only this thread changes it (W4).
            let place = unsafe { self.slot.body.get_unchecked(WORDS_PER_TAIL - room + i) };
            place.store(word, Relaxed);
        }
    }
}
