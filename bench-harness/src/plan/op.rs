//! One packed operation of a replay plan, and how to pack it.
//!
//! A plan is a row of 64-bit words. The two commonest calls take one word each, so that the replay
//! loop streams little memory beside the heap it measures:
//! ```text
//! bits  0..3    kind
//! bits  3..32   slot: index into the pointer table
//! bits 32..64   request size in bytes (the size of the block that dies, for a free)
//! MALLOC, FREE   one word; the size is at least HEADER_BYTES
//! SMALL          one word: a malloc or free of a smaller block, or nothing at all (which keeps
//!                operations inside a window); the size bits hold [`Small`] << 8 | size
//!                two words: what threads owe each other, see [`Meeting`]; the slot bits hold a
//!                thread's index, the second word the argument
//! CALLOC         one word
//! REALLOC        two words: the second is the old size in bytes
//! LONG           three words: the size bits of the first hold [`LongKind`];
//!                second word: size in bytes; third: old size << 8 | log2 alignment
//! ```
//! Invariants:
//! * P1: a slot is empty or holds one live block; `MALLOC`, `CALLOC` and the long births only name
//!   empty slots, all others only full ones.
//! * P2: an operation's words lie inside one window (see `plan::WINDOW_WORDS`).
//! * P3: a plan of one row holds no meetings, but for turns where it was compiled for them. In a plan of several (`plan::streams`), whenever two
//!   threads use a slot, the one use comes before the other by program order, starts, meetings and
//!   the gates between epochs.

/// `malloc`.
pub(crate) const MALLOC: u64 = 0;
/// `free`.
pub(crate) const FREE: u64 = 1;
/// Set in the kinds below, so that one test tells the two commonest kinds from all others.
pub(crate) const UNCOMMON: u64 = 4;
/// `calloc`, of one element of the whole size.
pub(crate) const CALLOC: u64 = UNCOMMON;
/// `realloc` of a block with default alignment, both sizes below 4 GiB.
pub(crate) const REALLOC: u64 = UNCOMMON | 1;
/// Any of [`LongKind`].
pub(crate) const LONG: u64 = UNCOMMON | 2;
/// Any of [`Small`].
pub(crate) const SMALL: u64 = UNCOMMON | 3;

/// Blocks of `MALLOC` and `FREE` have at least this size, in bytes, so that the replay loop need not
/// ask whether there is room for a header of two words.
pub(crate) const HEADER_BYTES: usize = 16;

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

/// Calls on blocks below [`HEADER_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Small {
    Malloc = 0,
    Free = 1,
    Nothing = 2,
    /// Two words: a [`Meeting`] in place of the size.
    Meeting = 3,
}

/// What the threads of a plan owe each other. Nothing of it is a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Meeting {
    /// Tell the others that this thread's progress is the argument.
    Publish = 0,
    /// Wait until the named thread has published at least the argument.
    Wait = 1,
    /// Start the named thread.
    Start = 2,
    /// Wait until so many nanoseconds of the measured region have passed.
    Until = 3,
    /// The calls that follow are the named thread's, which begins with its first turn. In plans of
    /// one row alone, as the next.
    Turn = 4,
    /// The named thread ends.
    End = 5,
}

/// Words of a meeting.
pub(crate) const MEETING_WORDS: u64 = 2;

/// Packs a meeting with `thread`, an index below [`MAX_SLOTS`].
pub(crate) fn meeting(kind: Meeting, thread: u32, argument: u64) -> [u64; 2] {
    [short(SMALL, thread, (Small::Meeting as u64) << 8 | kind as u64), argument]
}

impl Meeting {
    /// The meeting that stands in place of a size.
    pub(crate) fn of(size: usize) -> Self {
        match size {
            0 => Self::Publish,
            1 => Self::Wait,
            2 => Self::Start,
            3 => Self::Until,
            4 => Self::Turn,
            _ => Self::End,
        }
    }
}

/// Packs a [`SMALL`] operation. `size` is below [`HEADER_BYTES`].
pub(crate) fn small(kind: Small, slot: u32, size: u64) -> u64 {
    debug_assert!(size < HEADER_BYTES as u64);
    short(SMALL, slot, (kind as u64) << 8 | size)
}

/// What the size bits of a [`SMALL`] operation say.
pub(crate) fn small_of(size: usize) -> (Small, usize) {
    let kind = match size >> 8 {
        0 => Small::Malloc,
        1 => Small::Free,
        2 => Small::Nothing,
        _ => Small::Meeting,
    };
    (kind, size & 0xff)
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

/// Place of a first word's slot in a table of pointers, in bytes: the slot's number times eight.
#[inline(always)]
pub(crate) fn place(word: u64) -> Place {
    Place((word as u32 & (u32::MAX << SLOT_SHIFT)) as usize)
}

/// A slot, as the replay loop handles it: the byte offset of its pointer in the table. Taking it out
/// of a word is one instruction, and so is using it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(usize);

impl Place {
    /// Bytes from the start of the table.
    #[inline(always)]
    pub(crate) fn bytes(self) -> usize {
        self.0
    }

    /// The slot's number.
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        self.0 >> SLOT_SHIFT
    }
}

const _: () = assert!(size_of::<*mut u8>() == 1 << SLOT_SHIFT);

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
                for kind_in in [MALLOC, FREE, CALLOC, REALLOC, SMALL] {
                    let word = short(kind_in, slot_in, size_in);
                    assert_eq!(
                        (kind(word), place(word).index(), size(word)),
                        (kind_in, slot_in as usize, size_in as usize)
                    );
                }
            }
        }
    }

    #[test]
    fn small_operations_give_back_kind_and_size() {
        for kind_in in [Small::Malloc, Small::Free, Small::Nothing] {
            for size_in in 0..HEADER_BYTES {
                let word = small(kind_in, 9, size_in as u64);
                assert_eq!((kind(word), place(word).index()), (SMALL, 9));
                assert_eq!(small_of(size(word)), (kind_in, size_in));
            }
        }
    }

    #[test]
    fn meetings_give_back_kind_thread_and_argument() {
        for kind_in in [
            Meeting::Publish,
            Meeting::Wait,
            Meeting::Start,
            Meeting::Until,
            Meeting::Turn,
            Meeting::End,
        ] {
            let words = meeting(kind_in, 1 << 20, u64::MAX);
            assert_eq!((kind(words[0]), place(words[0]).index()), (SMALL, 1 << 20));
            let (small, number) = small_of(size(words[0]));
            assert_eq!((small, Meeting::of(number)), (Small::Meeting, kind_in));
            assert_eq!(words[1], u64::MAX);
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
