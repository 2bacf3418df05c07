//! Layout of the raw log: what the recorder writes and `workloads` reads.
//!
//! Both crates compile this one file, so that the two sides cannot drift apart. The recorder knows
//! nothing of traces and the reader nothing of the recorder's threads; this file is all they share.
//!
//! One process image writes two files into the recording folder:
//! ```text
//! <pid>.<n>.log    chunks, appended with one write() each:
//!                  0x00 ChunkHeader (32 B) | 0x20 Record (32 B) x header.records
//! <pid>.<n>.tail   one LogHeader (4096 B), then one TAIL_BYTES slot per thread buffer, mapped
//!                  shared: a ChunkHeader and the records not yet appended to the log. What stands
//!                  here when the process dies, however it dies, is still read.
//! ```
//! `n` counts the images (exec) of one process id, from 0.
//!
//! Invariants:
//! * R1: `seq` values are unique within one image and order the calls: taken before a free, after a
//!   malloc, and on both sides of a realloc.
//! * R2: a slot's `records` is stored after the records it counts (release), so a reader of a dead
//!   process never sees a half-written record counted.
//! * R3: a record stands in the log or in a tail slot, or, when the process died between append and
//!   reset, in both: the reader drops the second record with the same `seq`.

/// First bytes of every `.tail` file.
pub const MAGIC: [u8; 8] = *b"ABRAW\x00\x01\n";

/// Bytes before the first slot of a `.tail` file: one OS page.
pub const HEADER_BYTES: usize = 4096;

/// Bytes of one thread buffer, header included.
pub const TAIL_BYTES: usize = 64 * 1024;

/// First word of every chunk, so that a torn append is recognised.
pub const CHUNK_MAGIC: u32 = 0x4b48_4352;

/// Kinds of records, in the low byte of [`Record::seq_op`].
pub mod op {
    /// `malloc(size)`; `result`, `aux` unused.
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
    /// Allocator calls the library itself counted, failed ones and `free(NULL)` among them.
    /// Brought up to date whenever a buffer is appended, and at exit.
    pub calls: u64,
    /// Calls that returned null.
    pub failed: u64,
}

/// Start of a chunk, in the log and in a tail slot.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ChunkHeader {
    /// [`CHUNK_MAGIC`]; 0 in a slot that was never used.
    pub magic: u32,
    /// Thread of all records in the chunk: index in order of first call, from 0.
    pub thread: u32,
    /// Records that follow.
    pub records: u64,
    /// Zero.
    pub reserved: [u64; 2],
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    /// `seq << 8 | op` (R1).
    pub seq_op: u64,
    /// Address, as the record's kind says; 0 is NULL.
    pub result: u64,
    /// Request size in bytes.
    pub size: u64,
    /// Alignment, count or sequence number, as the record's kind says.
    pub aux: u64,
}

impl Record {
    /// Kind of the record, see [`op`].
    #[must_use]
    pub const fn op(&self) -> u8 {
        self.seq_op as u8
    }

    /// Place of the record in the order of the image's calls.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq_op >> 8
    }
}

/// Records that fit one thread buffer.
pub const RECORDS_PER_TAIL: usize =
    (TAIL_BYTES - core::mem::size_of::<ChunkHeader>()) / core::mem::size_of::<Record>();

const _: () = assert!(core::mem::size_of::<LogHeader>() == 48);
const _: () = assert!(core::mem::size_of::<ChunkHeader>() == 32);
const _: () = assert!(core::mem::size_of::<Record>() == 32);
const _: () = assert!(core::mem::offset_of!(ChunkHeader, records) == 8);
const _: () = assert!(core::mem::offset_of!(Record, result) == 8);
const _: () = assert!(core::mem::offset_of!(LogHeader, calls) == 32);
const _: () = assert!(TAIL_BYTES % 4096 == 0);
