//! One packed operation of a replay plan, and how to pack it.
//!
//! A plan is a row of 64-bit words. The two commonest calls take one word each, so that the replay
//! loop streams little memory beside the heap it measures:
//! ```text
//! bits  0..3    kind
//! bits  3..32   slot: index into the pointer table
//! bits 32..64   request size in bytes (the size of the block that dies, for a free)
//! MALLOC, FREE, CALLOC    one word
//! REALLOC                 two words: the second is the old size in bytes
//! LONG                    three words: size bits of the first hold the long kind;
//!                         second word: size in bytes; third: old size << 8 | log2 alignment
//! PAD                     one word that does nothing (keeps operations inside a window)
//! ```
//! Invariants:
//! * P1: a slot is empty or holds one live block; `MALLOC`, `CALLOC` and the long births only name
//!   empty slots, all others only full ones.
//! * P2: an operation's words lie inside one window (see `plan::WINDOW_WORDS`).

/// `malloc`.
pub(crate) const MALLOC: u64 = 0;
/// `free`.
pub(crate) const FREE: u64 = 1;
/// `calloc`, of one element of the whole size.
pub(crate) const CALLOC: u64 = 2;
/// `realloc` of a block with default alignment, both sizes below 4 GiB.
pub(crate) const REALLOC: u64 = 3;
/// Any of [`LongKind`].
pub(crate) const LONG: u64 = 4;
/// Nothing.
pub(crate) const PAD: u64 = 5;

const SLOT_SHIFT: u32 = 3;
const SIZE_SHIFT: u32 = 32;

/// Largest number of slots a plan can name.
pub(crate) const MAX_SLOTS: u32 = 1 << (SIZE_SHIFT - SLOT_SHIFT);

/// Largest size that fits a one-word operation.
pub(crate) const MAX_SHORT_SIZE: u64 = u32::MAX as u64;

/// Operations too rare, or too wide, for one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum LongKind {
    Malloc = 0,
    Free = 1,
    Calloc = 2,
    Realloc = 3,
    Aligned = 4,
    ReallocNew = 5,
    ReallocFree = 6,
    FreeNull = 7,
}

impl LongKind {
    const ALL: [Self; 8] = [
        Self::Malloc,
        Self::Free,
        Self::Calloc,
        Self::Realloc,
        Self::Aligned,
        Self::ReallocNew,
        Self::ReallocFree,
        Self::FreeNull,
    ];

    /// The kind with this number, if there is one.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// Size and alignment of a block as a caller with Rust's `Layout` would know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Request size in bytes.
    pub(crate) size: usize,
    /// Alignment asked for in bytes; 1 when none was.
    pub(crate) align: usize,
}

/// Packs a one-word operation. `size` is at most [`MAX_SHORT_SIZE`].
pub(crate) fn short(kind: u64, slot: u32, size: u64) -> u64 {
    debug_assert!(slot < MAX_SLOTS && size <= MAX_SHORT_SIZE);
    kind | u64::from(slot) << SLOT_SHIFT | size << SIZE_SHIFT
}

/// Packs a long operation.
pub(crate) fn long(kind: LongKind, slot: u32, size: u64, old_size: u64, align: u64) -> [u64; 3] {
    debug_assert!(align.is_power_of_two());
    let first = short(LONG, slot, kind as u64);
    [first, size, old_size << 8 | u64::from(align.trailing_zeros())]
}

/// Kind of a first word.
#[inline(always)]
pub(crate) fn kind(word: u64) -> u64 {
    word & ((1 << SLOT_SHIFT) - 1)
}

/// Slot of a first word.
#[inline(always)]
pub(crate) fn slot(word: u64) -> usize {
    (word as u32 >> SLOT_SHIFT) as usize
}

/// Size of a first word, in bytes; the long kind's number for [`LONG`].
#[inline(always)]
pub(crate) fn size(word: u64) -> usize {
    (word >> SIZE_SHIFT) as usize
}

/// Old extent from the third word of a long operation.
#[inline(always)]
pub(crate) fn old_extent(word: u64) -> Extent {
    Extent { size: (word >> 8) as usize, align: 1 << (word & 63) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_gives_back_every_field_at_its_limits() {
        for slot_in in [0, 1, MAX_SLOTS - 1] {
            for size_in in [0, 1, 512, MAX_SHORT_SIZE] {
                for kind_in in [MALLOC, FREE, CALLOC, REALLOC, PAD] {
                    let word = short(kind_in, slot_in, size_in);
                    assert_eq!(
                        (kind(word), slot(word), size(word)),
                        (kind_in, slot_in as usize, size_in as usize)
                    );
                }
            }
        }
    }

    #[test]
    fn long_operations_give_back_wide_sizes_and_alignments() {
        let words = long(LongKind::Realloc, 7, 1 << 40, 1 << 33, 4096);
        assert_eq!(kind(words[0]), LONG);
        assert_eq!(LongKind::from_number(size(words[0]) as u64), Some(LongKind::Realloc));
        assert_eq!(words[1], 1 << 40);
        assert_eq!(old_extent(words[2]), Extent { size: 1 << 33, align: 4096 });
        assert_eq!(LongKind::from_number(8), None);
    }
}
