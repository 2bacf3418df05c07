//! Layout of the raw log: what the recorder writes and `workloads` reads.
//!
//! Both crates compile this one file, so that the two sides cannot drift apart. The recorder knows
//! nothing of traces and the reader nothing of the recorder's threads; this file is all they share.
//!
//! One process image writes two files into the recording folder:
//! ```text
//! <pid>.<n>.log    chunks, appended with one write() each:
//!                  0x00 ChunkHeader (32 B) | 0x20 words (8 B) x header.words
//! <pid>.<n>.tail   one LogHeader (4096 B), then one TAIL_BYTES slot per thread buffer, mapped
//!                  shared: a ChunkHeader and the words not yet appended to the log. What stands
//!                  here when the process dies, however it dies, is still read.
//! ```
//! `n` counts the images (exec, or fork into a reused process id) of one process id, from 0.
//!
//! A [`Record`] is stored in one of two forms, told apart by the low four bits of its first word,
//! because the price of recording is the price of the bytes written:
//! ```text
//! short  bits 0..4 kind (an op) | 4..48 address bits 4..48 | 48..64 detail     1 word
//! full   bits 0..4 FULL | 4..8 op | 8..64 seq; then result, size, aux          4 words
//! jump   bits 0..4 JUMP | 8..64 seq of the record that follows                 1 word
//! pad    PAD: nothing, to be skipped                                           1 word
//! ```
//! A short record's `seq` is one more than that of the record before it, or what the jump before it
//! says, or `ChunkHeader::first` when it opens the chunk. `detail` is the request size, or for
//! [`op::REALLOC_EXIT`] the distance back to the `seq` of its enter record. Words are in the byte
//! order of the machine that recorded. A full slot is padded to `TAIL_BYTES`: kernels append whole
//! aligned pieces about twice as fast as odd ones.
//!
//! Invariants:
//! * R1: `seq` values are unique within one image and order the calls: taken before a free, after a
//!   malloc, and on both sides of a realloc. They are dense: `LogHeader::sequence` of them were
//!   handed out.
//! * R2: a slot's `words` is stored after the words it counts (release) and never ends inside a
//!   record, so a reader of a dead process never sees a half-written record counted.
//! * R3: a record stands in the log or in a tail slot, or, when the process died between append and
//!   reset, in both: the reader drops the second record with the same `seq`.
//! * R4: `unpack(pack(record)) == record` for every record whose unused fields are zero.

/// First bytes of every `.tail` file.
pub const MAGIC: [u8; 8] = *b"ABRAW\x00\x01\n";

/// Bytes before the first slot of a `.tail` file: one OS page.
pub const HEADER_BYTES: usize = 4096;

/// Bytes of one thread buffer, header included.
pub const TAIL_BYTES: usize = 64 * 1024;

/// First word of every chunk, so that a torn append is recognised.
pub const CHUNK_MAGIC: u32 = 0x4b48_4352;

/// Kinds of records.
pub mod op {
    /// `malloc(size)`; `result` is the block, `aux` unused. A failed call has `result` 0.
    pub const MALLOC: u8 = 1;
    /// `calloc(aux, size)`; the log keeps both factors.
    pub const CALLOC: u8 = 2;
    /// `realloc`, before the call: `result` holds the OLD address, `size` the new size.
    pub const REALLOC_ENTER: u8 = 3;
    /// `realloc`, after the call: `result` the new address, `aux` the `seq` of its enter record.
    pub const REALLOC_EXIT: u8 = 4;
    /// Aligned allocation of any kind; `aux` holds the alignment.
    pub const ALIGNED: u8 = 5;
    /// `free(result)`.
    pub const FREE: u8 = 6;
    /// First record of a thread.
    pub const THREAD_START: u8 = 7;
    /// Last record of a thread.
    pub const THREAD_END: u8 = 8;
}

/// A word between records that means nothing.
pub const PAD: u64 = 13;

/// Low four bits of a word that sets the `seq` of the record after it.
const JUMP: u64 = 14;

/// Low four bits of a record stored in four words.
const FULL: u64 = 15;

/// Address bits a short record can hold; the others are zero.
const ADDRESS_BITS: u64 = 0x0000_ffff_ffff_fff0;

/// Bit at which the detail of a short record begins.
const DETAIL_SHIFT: u32 = 48;

/// Words of the longest record.
pub const MAX_WORDS: usize = 4;

/// Start of a `.tail` file.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct LogHeader {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// Process id of the image.
    pub pid: u32,
    /// Which image of that process, from 0.
    pub image: u32,
    /// Process id of the parent.
    pub parent: u32,
    /// 1 when the image began by fork without exec: its heap held blocks the log does not know.
    pub forked: u32,
    /// 1 once the process has ended by `exit` or `_exit` seen by the library; 0 after a crash or exec.
    pub ended: u32,
    /// 1 when the recorder had to stop (a full disk, no buffer to be had): the log is truncated.
    pub stopped: u32,
    /// Sequence numbers handed out: the `seq` of the next record. Exact at every moment, however
    /// the process ended: whoever finds fewer records knows how many were lost.
    pub sequence: u64,
    /// How many of them went to records that are no calls of their own: realloc exits and the
    /// starts and ends of threads.
    pub marks: u64,
    /// Calls that returned null for a size above 0; part of [`LogHeader::calls`].
    pub failed: u64,
}

impl LogHeader {
    /// Allocator calls the library itself counted, failed ones and `free(NULL)` among them.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.sequence.saturating_sub(self.marks)
    }
}

/// Start of a chunk, in the log and in a tail slot.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ChunkHeader {
    /// [`CHUNK_MAGIC`]; 0 in a slot that was never used.
    pub magic: u32,
    /// Thread of all records in the chunk: index in order of first call, from 0.
    pub thread: u32,
    /// Words that follow.
    pub words: u64,
    /// `seq` of the first record, unless that record states its own.
    pub first: u64,
    /// Zero.
    pub reserved: u64,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Kind of the record, see [`op`].
    pub op: u8,
    /// Place of the record in the order of the image's calls (R1); below 2^56.
    pub seq: u64,
    /// Address, as the record's kind says; 0 is NULL.
    pub result: u64,
    /// Request size in bytes.
    pub size: u64,
    /// Alignment, count or sequence number, as the record's kind says.
    pub aux: u64,
}

impl Record {
    /// The record as one word, if its values are small enough for the short form.
    #[inline(always)]
    #[must_use]
    pub const fn short(&self) -> Option<u64> {
        // `simple`: the fields that the short form leaves out have the value it stands for.
        let (detail, simple) = match self.op {
            op::MALLOC | op::REALLOC_ENTER => (self.size, self.aux == 0),
            op::CALLOC => (self.size, self.aux == 1),
            op::REALLOC_EXIT => (self.seq.wrapping_sub(self.aux), self.size == 0),
            op::FREE | op::THREAD_START | op::THREAD_END => (0, self.size == 0 && self.aux == 0),
            _ => return None,
        };
        if simple && self.result & !ADDRESS_BITS == 0 && detail >> (u64::BITS - DETAIL_SHIFT) == 0 {
            Some(self.op as u64 | self.result | detail << DETAIL_SHIFT)
        } else {
            None
        }
    }

    /// The record as four words, whatever its values.
    #[must_use]
    pub const fn full(&self) -> [u64; MAX_WORDS] {
        [FULL | (self.op as u64) << 4 | self.seq << 8, self.result, self.size, self.aux]
    }

    /// The word that lets a short record have this `seq`, whatever stands before it.
    #[inline(always)]
    #[must_use]
    pub const fn jump(seq: u64) -> u64 {
        JUMP | seq << 8
    }
}

/// A word no recorder writes where a record should begin, or a record that is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadWord(pub u64);

/// The records of one chunk, from its words. Ends after the first bad word.
#[derive(Clone, Debug)]
pub struct Records<W> {
    words: W,
    seq: u64,
    ended: bool,
}

impl<W: Iterator<Item = u64>> Records<W> {
    /// Reads the words that follow a chunk header; `first` is [`ChunkHeader::first`].
    pub const fn new(words: W, first: u64) -> Self {
        Self { words, seq: first, ended: false }
    }

    /// The record that begins with `word`, or what is wrong with it.
    fn unpack(&mut self, mut word: u64) -> Result<Record, BadWord> {
        let bad = BadWord(word);
        if word & 0xf == JUMP {
            self.seq = word >> 8;
            word = self.words.next().ok_or(bad)?;
        }
        let record = if word & 0xf == FULL {
            let mut next = || self.words.next().ok_or(BadWord(word));
            let (op, seq) = ((word >> 4 & 0xf) as u8, word >> 8);
            Record { op, seq, result: next()?, size: next()?, aux: next()? }
        } else {
            let (op, seq, detail) = ((word & 0xf) as u8, self.seq, word >> DETAIL_SHIFT);
            let (size, aux) = match op {
                op::CALLOC => (detail, 1),
                op::REALLOC_EXIT => (0, seq.wrapping_sub(detail)),
                _ => (detail, 0),
            };
            Record { op, seq, result: word & ADDRESS_BITS, size, aux }
        };
        if !(op::MALLOC..=op::THREAD_END).contains(&record.op) {
            return Err(BadWord(word));
        }
        self.seq = record.seq.wrapping_add(1);
        Ok(record)
    }
}

impl<W: Iterator<Item = u64>> Iterator for Records<W> {
    type Item = Result<Record, BadWord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let word = self.words.find(|&word| word != PAD)?;
        let record = self.unpack(word);
        self.ended = record.is_err();
        Some(record)
    }
}

/// Words that fit one thread buffer.
pub const WORDS_PER_TAIL: usize =
    (TAIL_BYTES - core::mem::size_of::<ChunkHeader>()) / core::mem::size_of::<u64>();

const _: () = assert!(core::mem::size_of::<LogHeader>() == 56);
const _: () = assert!(core::mem::offset_of!(LogHeader, sequence) == 32);
const _: () = assert!(core::mem::size_of::<ChunkHeader>() == 32);
const _: () = assert!(core::mem::offset_of!(ChunkHeader, words) == 8);
const _: () = assert!(core::mem::offset_of!(ChunkHeader, first) == 16);
const _: () = assert!(TAIL_BYTES.is_multiple_of(4096));
const _: () = assert!((op::THREAD_END as u64) < PAD && PAD < JUMP);

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(words: &mut Vec<u64>, expected: &mut u64, record: Record) {
        match record.short() {
            Some(word) => {
                if record.seq != *expected {
                    words.push(Record::jump(record.seq));
                }
                words.push(word);
            }
            None => words.extend(record.full()),
        }
        *expected = record.seq + 1;
    }

    /// R4, over every kind of record and the values at which the form changes.
    #[test]
    fn every_record_reads_back_as_it_was_packed() {
        let sizes = [0, 1, 0xffff, 0x1_0000, u64::MAX];
        let addresses = [0, 0x10, 0x18, ADDRESS_BITS, 1 << 48, u64::MAX];
        let mut records = Vec::new();
        let mut seq = 5;
        for op in op::MALLOC..=op::THREAD_END {
            for size in sizes {
                for result in addresses {
                    for aux in [0, 1, 16, seq, seq + 3] {
                        let (size, aux) = match op {
                            op::MALLOC | op::REALLOC_ENTER => (size, 0),
                            op::CALLOC | op::ALIGNED => (size, aux),
                            op::REALLOC_EXIT => (0, aux),
                            _ => (0, 0),
                        };
                        seq += if result == 0x10 { 7 } else { 1 };
                        records.push(Record { op, seq, result, size, aux });
                    }
                }
            }
        }
        let (mut words, mut expected) = (Vec::new(), 6);
        for &record in &records {
            words.push(PAD);
            pack(&mut words, &mut expected, record);
        }
        let read: Vec<_> = Records::new(words.into_iter(), 6).map(Result::unwrap).collect();
        assert_eq!(read, records);
    }

    /// A small malloc and a free, the bulk of every log, take one word each.
    #[test]
    fn common_calls_take_one_word() {
        let malloc = Record { op: op::MALLOC, seq: 0, result: 0x5555_5555_5550, size: 48, aux: 0 };
        let free = Record { op: op::FREE, seq: 1, size: 0, ..malloc };
        assert!(malloc.short().is_some());
        assert!(free.short().is_some());
    }

    #[test]
    fn cut_or_unknown_words_are_reported_and_end_the_chunk() {
        let full = Record { op: op::ALIGNED, seq: 3, result: 64, size: 9, aux: 64 }.full();
        let read = |words: &[u64]| Records::new(words.iter().copied(), 0).collect::<Vec<_>>();
        assert_eq!(read(&full[..3]), [Err(BadWord(full[0]))]);
        assert_eq!(read(&[Record::jump(9)]), [Err(BadWord(Record::jump(9)))]);
        assert_eq!(read(&[0, 6]), [Err(BadWord(0))]);
        assert_eq!(read(&[FULL, 1, 2, 3]), [Err(BadWord(FULL))]);
        assert_eq!(read(&[12]), [Err(BadWord(12))]);
        assert_eq!(read(&[Record::jump(9), PAD]), [Err(BadWord(PAD))]);
    }
}
