//! Layout of the raw log: what the recorder writes and `workloads` reads.
//!
//! Both crates compile this one file, so that the two sides cannot drift apart. The recorder knows
//! nothing of traces and the reader nothing of the recorder's threads; this file is all they share.
//!
//! One process image writes two files into the recording folder:
//! ```text
//! <pid>.<n>.log    chunks, appended with one write() each:
//!                  0x00 ChunkHeader (32 B) | 0x20 units (4 B) x header.units
//! <pid>.<n>.tail   one LogHeader (4096 B), then one TAIL_BYTES slot per thread buffer, mapped
//!                  shared: a ChunkHeader and the units not yet appended to the log. What stands
//!                  here when the process dies, however it dies, is still read.
//! ```
//! `n` counts the images (exec, or fork into a reused process id) of one process id, from 0.
//!
//! A [`Record`] is stored in one of four forms, because the price of recording is the price of the
//! bytes written. Two bits tell them apart; what takes more than one unit has its low bits in the
//! first. Units are in the byte order of the machine that recorded.
//! ```text
//! malloc 0..2 MALLOC | 2..12 size | 12..32 step in address, 16 bytes each     1 unit
//! free   0..2 FREE | 2..32 step in address, 16 bytes each                     1 unit
//! wide   0..2 WIDE | 2..6 op | 6..20 detail | 20..64 address, 16 bytes each   2 units
//! full   0..2 OTHER | 2..6 op | 8..64 seq; then result, size, aux             8 units
//! jump   0..2 OTHER | 2..6 JUMP | 8..64 seq of the record that follows        2 units
//! pad    PAD: nothing, to be skipped                                          1 unit
//! ```
//! * Steps are signed and lead from the *base*: the address in the record before, or in the latest
//!   before that one can build on (a wide or full record does not count if its address is 0, odd
//!   to 16 or above 2^48); a chunk begins with `ChunkHeader::base`.
//! * `seq` is one more than that of the record before, or what the jump before the record says; a
//!   chunk begins with `ChunkHeader::first`.
//! * `detail` is the request size, or for [`op::REALLOC_EXIT`] the distance back to the `seq` of its
//!   enter record.
//! * A full slot is padded to `TAIL_BYTES`: kernels append whole aligned pieces about twice as fast
//!   as odd ones.
//!
//! Invariants:
//! * R1: `seq` values are unique within one image and order the calls: taken before a free, after a
//!   malloc, and on both sides of a realloc. They are dense: `LogHeader::sequence` of them were
//!   handed out.
//! * R2: a slot's `units` is stored after the units it counts (release) and never ends inside a
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

/// Low two bits of a full record, a jump and a pad.
const OTHER: u64 = 0;

/// Low two bits of a small malloc.
const MALLOC: u64 = 1;

/// Low two bits of a small free.
const FREE: u64 = 2;

/// Low two bits of a wide record.
const WIDE: u64 = 3;

/// Bits 2..6 of a jump, where a full record has its op.
const JUMP: u64 = 15;

/// A unit between records that means nothing.
pub const PAD: u32 = 14 << 2;

/// Bits of the size in a small malloc.
const SIZE_BITS: u32 = 10;

/// Bits of the detail in a wide record.
const DETAIL_BITS: u32 = 14;

/// Bits of an address; 2^48 ends the user half of every address space recorded.
const ADDRESS_BITS: u32 = 48;

/// Bits of the step in a small malloc and in a small free, and of an address counted so.
const MALLOC_STEP_BITS: u32 = 20;
const FREE_STEP_BITS: u32 = 30;

/// Bits below a step: blocks lie 16 bytes apart.
const STEP_SHIFT: u32 = 4;

/// Units of the longest record.
pub const MAX_UNITS: usize = 8;

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
    /// 1 when the recorder had to stop (a full disk, no buffer to be had), or when the reader of the
    /// logs wrote this to end the log of a process that still runs: the log is truncated.
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
    /// Units that follow.
    pub units: u64,
    /// `seq` of the first record, unless that record states its own.
    pub first: u64,
    /// Address from which the first step leads.
    pub base: u64,
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
    /// The record as one unit, if it is a malloc or free near `base`.
    #[inline(always)]
    #[must_use]
    pub const fn small(&self, base: u64) -> Option<u32> {
        let step = self.result.wrapping_sub(base);
        match self.op {
            op::MALLOC if fits(step, MALLOC_STEP_BITS) && self.size >> SIZE_BITS == 0 => {
                let place = 2 + SIZE_BITS - STEP_SHIFT;
                Some((MALLOC | self.size << 2 | step << place) as u32)
            }
            op::FREE if fits(step, FREE_STEP_BITS) => {
                Some((FREE | step >> (STEP_SHIFT - 2)) as u32)
            }
            _ => None,
        }
    }

    /// The record as two units, if its values are small enough.
    #[must_use]
    pub const fn wide(&self) -> Option<[u32; 2]> {
        // `simple`: the fields that this form leaves out have the value it stands for.
        let (detail, simple) = match self.op {
            op::MALLOC | op::REALLOC_ENTER => (self.size, self.aux == 0),
            op::CALLOC => (self.size, self.aux == 1),
            op::REALLOC_EXIT => (self.seq.wrapping_sub(self.aux), self.size == 0),
            op::FREE | op::THREAD_START | op::THREAD_END => (0, self.size == 0 && self.aux == 0),
            _ => return None,
        };
        if simple && detail >> DETAIL_BITS == 0 && (self.result == 0 || is_base(self.result)) {
            let place = 6 + DETAIL_BITS - STEP_SHIFT;
            Some(halves(WIDE | (self.op as u64) << 2 | detail << 6 | self.result << place))
        } else {
            None
        }
    }

    /// The record as eight units, whatever its values.
    #[must_use]
    pub const fn full(&self) -> [u32; MAX_UNITS] {
        let [a, b] = halves(OTHER | (self.op as u64) << 2 | self.seq << 8);
        let [c, d] = halves(self.result);
        let [e, f] = halves(self.size);
        let [g, h] = halves(self.aux);
        [a, b, c, d, e, f, g, h]
    }

    /// The units that let the record after them have this `seq`, whatever stands before.
    #[must_use]
    pub const fn jump(seq: u64) -> [u32; 2] {
        halves(OTHER | JUMP << 2 | seq << 8)
    }

    /// The base for the record after this one when this is not stored small, in which case it would
    /// be its address; `base` is the one for this.
    #[must_use]
    pub const fn next_base(&self, base: u64) -> u64 {
        if is_base(self.result) { self.result } else { base }
    }
}

/// Whether a step, in bytes, is a multiple of 16 that fits `bits` bits, sign included.
#[inline(always)]
const fn fits(step: u64, bits: u32) -> bool {
    let half = 1 << (bits - 1 + STEP_SHIFT);
    let representable = (1 << (bits + STEP_SHIFT)) - (1 << STEP_SHIFT);
    step.wrapping_add(half) & !representable == 0
}

/// Whether steps may lead from `address`.
const fn is_base(address: u64) -> bool {
    address != 0 && address >> ADDRESS_BITS == 0 && address & ((1 << STEP_SHIFT) - 1) == 0
}

/// Both halves of a word, the low one first.
const fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

/// A unit no recorder writes where a record should begin, or the first of a record cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadUnit(pub u32);

/// The records of one chunk, from its units. Ends after the first bad unit.
#[derive(Clone, Debug)]
pub struct Records<U> {
    units: U,
    seq: u64,
    base: u64,
    ended: bool,
}

impl<U: Iterator<Item = u32>> Records<U> {
    /// Reads the units that follow `header`.
    pub const fn new(units: U, header: &ChunkHeader) -> Self {
        Self { units, seq: header.first, base: header.base, ended: false }
    }

    /// The word made of `low` and the next unit.
    fn word(&mut self, low: u32) -> Result<u64, BadUnit> {
        let high = self.units.next().ok_or(BadUnit(low))?;
        Ok(u64::from(low) | u64::from(high) << 32)
    }

    fn next_word(&mut self, first: u32) -> Result<u64, BadUnit> {
        let low = self.units.next().ok_or(BadUnit(first))?;
        self.word(low).map_err(|_| BadUnit(first))
    }

    /// The record that begins with `unit`, or what is wrong with it.
    fn unpack(&mut self, mut unit: u32) -> Result<Record, BadUnit> {
        if unit & 0xff == (OTHER | JUMP << 2) as u32 {
            self.seq = self.word(unit)? >> 8;
            unit = self.units.next().ok_or(BadUnit(unit))?;
        }
        let seq = self.seq;
        let record = match u64::from(unit & 3) {
            MALLOC => {
                let step = i64::from((unit as i32) >> (2 + SIZE_BITS)) << STEP_SHIFT;
                let size = u64::from(unit >> 2 & ((1 << SIZE_BITS) - 1));
                let result = self.base.wrapping_add_signed(step);
                Record { op: op::MALLOC, seq, result, size, aux: 0 }
            }
            FREE => {
                let step = i64::from((unit as i32) >> 2) << STEP_SHIFT;
                let result = self.base.wrapping_add_signed(step);
                Record { op: op::FREE, seq, result, size: 0, aux: 0 }
            }
            WIDE => {
                let word = self.word(unit)?;
                let detail = word >> 6 & ((1 << DETAIL_BITS) - 1);
                let op = (word >> 2 & 0xf) as u8;
                let (size, aux) = match op {
                    op::CALLOC => (detail, 1),
                    op::REALLOC_EXIT => (0, seq.wrapping_sub(detail)),
                    _ => (detail, 0),
                };
                Record { op, seq, result: word >> (6 + DETAIL_BITS) << STEP_SHIFT, size, aux }
            }
            _ => {
                let word = self.word(unit)?;
                let (op, seq) = ((word >> 2 & 0xf) as u8, word >> 8);
                let mut next = || self.next_word(unit);
                Record { op, seq, result: next()?, size: next()?, aux: next()? }
            }
        };
        if !(op::MALLOC..=op::THREAD_END).contains(&record.op) {
            return Err(BadUnit(unit));
        }
        self.seq = record.seq.wrapping_add(1);
        let small = matches!(u64::from(unit & 3), MALLOC | FREE);
        self.base = if small { record.result } else { record.next_base(self.base) };
        Ok(record)
    }
}

impl<U: Iterator<Item = u32>> Iterator for Records<U> {
    type Item = Result<Record, BadUnit>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let unit = self.units.find(|&unit| unit != PAD)?;
        let record = self.unpack(unit);
        self.ended = record.is_err();
        Some(record)
    }
}

/// Units that fit one thread buffer.
pub const UNITS_PER_TAIL: usize =
    (TAIL_BYTES - core::mem::size_of::<ChunkHeader>()) / core::mem::size_of::<u32>();

const _: () = assert!(core::mem::size_of::<LogHeader>() == 56);
const _: () = assert!(core::mem::offset_of!(LogHeader, sequence) == 32);
const _: () = assert!(core::mem::size_of::<ChunkHeader>() == 32);
const _: () = assert!(core::mem::offset_of!(ChunkHeader, units) == 8);
const _: () = assert!(core::mem::offset_of!(ChunkHeader, first) == 16);
const _: () = assert!(TAIL_BYTES.is_multiple_of(4096));
const _: () = assert!(((op::THREAD_END as u32) << 2) < PAD && (PAD as u64) < JUMP << 2);
const _: () = assert!(2 + SIZE_BITS + MALLOC_STEP_BITS == u32::BITS);
const _: () = assert!(2 + FREE_STEP_BITS == u32::BITS);
const _: () = assert!(6 + DETAIL_BITS + ADDRESS_BITS - STEP_SHIFT == u64::BITS);

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0x5555_5555_0000;

    fn header(first: u64) -> ChunkHeader {
        ChunkHeader { magic: CHUNK_MAGIC, thread: 0, units: 0, first, base: BASE }
    }

    fn pack(units: &mut Vec<u32>, expected: &mut u64, base: &mut u64, record: Record) {
        let small = record.small(*base).map(|unit| vec![unit]);
        if record.seq != *expected {
            units.extend(Record::jump(record.seq));
        }
        *base = if small.is_some() { record.result } else { record.next_base(*base) };
        let wide = || record.wide().map(Vec::from);
        units.extend(small.or_else(wide).unwrap_or(record.full().into()));
        *expected = record.seq + 1;
    }

    /// R4, over every kind of record and the values at which the form changes.
    #[test]
    fn every_record_reads_back_as_it_was_packed() {
        let sizes = [0, 1, 0x3ff, 0x400, 0x3fff, 0x4000, u64::MAX];
        // Pairs around each edge: the second is a step away from the first.
        let mut addresses =
            vec![0, 0x10, 0, 0x18, 0x20, 0, (1 << 48) - 16, 1 << 48, u64::MAX, BASE];
        for edge in [1 << 23, 1_u64 << 33] {
            for off in [0, 8, 16, 32] {
                addresses.extend([BASE, BASE + edge - off, BASE, BASE - edge + off, BASE]);
                addresses.extend([BASE, BASE + edge + off, BASE, BASE - edge - off]);
            }
        }
        let mut records = Vec::new();
        let mut seq = 5;
        for op in op::MALLOC..=op::THREAD_END {
            for size in sizes {
                for &result in &addresses {
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
        let (mut units, mut expected, mut base) = (Vec::new(), 6, BASE);
        for &record in &records {
            units.push(PAD);
            pack(&mut units, &mut expected, &mut base, record);
        }
        let read: Vec<_> =
            Records::new(units.into_iter(), &header(6)).map(Result::unwrap).collect();
        for (read, record) in read.iter().zip(&records) {
            assert_eq!(read, record);
        }
        assert_eq!(read.len(), records.len());
    }

    /// A small malloc and a free nearby, the bulk of every log, take one unit each.
    #[test]
    fn common_calls_take_one_unit() {
        let malloc =
            Record { op: op::MALLOC, seq: 0, result: BASE + 0x7f_fff0, size: 1023, aux: 0 };
        let free = Record { op: op::FREE, seq: 1, result: BASE - (1 << 33), size: 0, aux: 0 };
        assert!(malloc.small(BASE).is_some());
        assert!(free.small(BASE).is_some());
        assert!(Record { result: malloc.result + 16, ..malloc }.small(BASE).is_none());
        assert!(Record { size: 1024, ..malloc }.small(BASE).is_none());
        assert!(Record { result: free.result - 16, ..free }.small(BASE).is_none());
    }

    #[test]
    fn cut_or_unknown_units_are_reported_and_end_the_chunk() {
        let full = Record { op: op::ALIGNED, seq: 3, result: 64, size: 9, aux: 64 }.full();
        let read =
            |units: &[u32]| Records::new(units.iter().copied(), &header(0)).collect::<Vec<_>>();
        for cut in 1..full.len() {
            assert_eq!(read(&full[..cut]), [Err(BadUnit(full[0]))]);
        }
        let jump = Record::jump(9);
        assert_eq!(read(&jump), [Err(BadUnit(jump[0]))]);
        assert_eq!(read(&jump[..1]), [Err(BadUnit(jump[0]))]);
        assert_eq!(read(&[0; 9]), [Err(BadUnit(0))]);
        assert_eq!(read(&[12 << 2, 1, 2, 3, 4, 5, 6, 7]), [Err(BadUnit(12 << 2))]);
        assert_eq!(read(&[3, 0, 6]), [Err(BadUnit(3))]);
    }
}
