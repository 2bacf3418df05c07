//! What a plan makes of one event, and the words it becomes.
//!
//! Both compilers go this way: the one for a single row of operations (`compile`) and the one for a
//! row per thread (`streams`). They differ in which slots they give and in what they put between
//! operations.

use workloads::event::{BlockId, Op};

use super::op::{self, LongKind, Small};

/// Sizes of a plan are below this: the span of a process's addresses, in bytes.
const MAX_SIZE: u64 = 1 << 47;

/// A call, its sizes checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A block is born.
    Birth { block: BlockId, how: Birth, extent: Wide },
    /// A block changes its size.
    Resize { block: BlockId, size: u64 },
    /// A block dies.
    Death { block: BlockId, how: Death },
    /// `free(NULL)`.
    FreeNull,
}

/// Which call bears a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Birth {
    Malloc,
    Calloc,
    Aligned,
    ReallocNew,
}

/// Which call ends a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    Free,
    ReallocFree,
}

/// Size and alignment of a block, in bytes; alignment 1 when none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide {
    pub(super) size: u64,
    pub(super) align: u64,
}

impl Step {
    /// The step of an event; `None` for marks and thread events.
    ///
    /// A realloc to no bytes that returned a block becomes a realloc to one byte: some subjects would
    /// free the block instead, and the trace goes on to use it.
    ///
    /// # Errors
    /// The rule that a size breaks: no recorded call can have been served with it. Plans pack sizes
    /// into 56 bits, and sums of them must not wrap.
    pub(super) fn of(op: Op) -> Result<Option<Self>, &'static str> {
        let checked = |size: u64| {
            if size < MAX_SIZE { Ok(size) } else { Err("a block larger than address space") }
        };
        let birth = |block, how, size, align| {
            let extent = Wide { size: checked(size)?, align };
            Ok(Some(Self::Birth { block, how, extent }))
        };
        match op {
            Op::Malloc { block, size } => birth(block, Birth::Malloc, size, 1),
            Op::Calloc { block, count, size } => {
                let size = count.checked_mul(size).ok_or("calloc of more bytes than there are")?;
                birth(block, Birth::Calloc, size, 1)
            }
            Op::AlignedAlloc { block, align, size } => birth(block, Birth::Aligned, size, align),
            Op::ReallocNew { block, size } => birth(block, Birth::ReallocNew, size, 1),
            Op::Realloc { block, size } => {
                Ok(Some(Self::Resize { block, size: checked(size.max(1))? }))
            }
            Op::ReallocFree { block } => Ok(Some(Self::Death { block, how: Death::ReallocFree })),
            Op::Free { block, .. } => Ok(Some(Self::Death { block, how: Death::Free })),
            Op::FreeNull => Ok(Some(Self::FreeNull)),
            Op::ThreadStart | Op::ThreadEnd | Op::RegionStart | Op::RegionEnd => Ok(None),
        }
    }
}

/// The words of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    words: [u64; 3],
    len: usize,
}

impl Words {
    fn new<const N: usize>(of: [u64; N]) -> Self {
        let mut words = [0; 3];
        words[..N].copy_from_slice(&of);
        Self { words, len: N }
    }

    /// The words, first one first.
    pub(super) fn as_slice(&self) -> &[u64] {
        &self.words[..self.len]
    }
}

/// The birth of a block in `slot`.
pub(super) fn birth(how: Birth, slot: u32, extent: Wide) -> Words {
    let (short, long) = match how {
        Birth::Malloc => (Some(op::MALLOC), LongKind::Malloc),
        Birth::Calloc => (Some(op::CALLOC), LongKind::Calloc),
        Birth::Aligned => (None, LongKind::Aligned),
        Birth::ReallocNew => (None, LongKind::ReallocNew),
    };
    let Wide { size, align } = extent;
    match short {
        Some(op::MALLOC) if size < op::HEADER_BYTES as u64 => {
            Words::new([op::small(Small::Malloc, slot, size)])
        }
        Some(kind) if size <= op::MAX_SHORT_SIZE => Words::new([op::short(kind, slot, size)]),
        _ => Words::new(op::long(long, slot, size, 0, align)),
    }
}

/// The change of the block in `slot`, of extent `old`, to `size` bytes.
pub(super) fn resize(slot: u32, old: Wide, size: u64) -> Words {
    if old.align == 1 && size.max(old.size) <= op::MAX_SHORT_SIZE {
        Words::new([op::short(op::REALLOC, slot, size), old.size])
    } else {
        Words::new(op::long(LongKind::Realloc, slot, size, old.size, old.align))
    }
}

/// The death of the block in `slot`, of extent `old`.
pub(super) fn death(how: Death, slot: u32, old: Wide) -> Words {
    match how {
        Death::Free if old.align == 1 && old.size < op::HEADER_BYTES as u64 => {
            Words::new([op::small(Small::Free, slot, old.size)])
        }
        Death::Free if old.align == 1 && old.size <= op::MAX_SHORT_SIZE => {
            Words::new([op::short(op::FREE, slot, old.size)])
        }
        Death::Free => Words::new(op::long(LongKind::Free, slot, 0, old.size, old.align)),
        Death::ReallocFree => {
            Words::new(op::long(LongKind::ReallocFree, slot, 0, old.size, old.align))
        }
    }
}

/// `free(NULL)`.
pub(super) fn free_null() -> Words {
    Words::new(op::long(LongKind::FreeNull, 0, 0, 0, 1))
}
