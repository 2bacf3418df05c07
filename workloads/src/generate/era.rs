//! The CPythons the generators imitate, and the request sizes of their objects.
//!
//! All sizes are requests in bytes on a 64-bit machine, GC header included, as the object
//! allocator passes them on. Sources: the object structs and `_PyObject_GC_Malloc` of each
//! release; from 2.7 on every size here also agrees with `sys.getsizeof` of that release.

use std::fmt;

/// A CPython release whose allocation behaviour a generator imitates.
///
/// Releases left out (2.4 to 2.6, 3.0 to 3.5) behave like their neighbours in nearly all that
/// matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// CPython 2.3: pymalloc's first release.
    V2_3,
    /// CPython 2.7.
    V2_7,
    /// CPython 3.6.
    V3_6,
    /// CPython 3.7.
    V3_7,
    /// CPython 3.8: the GC header shrinks to 16 bytes.
    V3_8,
    /// CPython 3.9.
    V3_9,
    /// CPython 3.10: the last with a heap block per frame.
    V3_10,
    /// CPython 3.11: frames on a data stack, 16-byte entries for dicts with only `str` keys.
    V3_11,
    /// CPython 3.12.
    V3_12,
    /// CPython 3.13.
    V3_13,
    /// CPython 3.14: a free list for one-digit ints.
    V3_14,
}

impl Era {
    /// Every era, oldest first.
    pub const ALL: [Era; 11] = [
        Era::V2_3,
        Era::V2_7,
        Era::V3_6,
        Era::V3_7,
        Era::V3_8,
        Era::V3_9,
        Era::V3_10,
        Era::V3_11,
        Era::V3_12,
        Era::V3_13,
        Era::V3_14,
    ];

    /// The era of a spec that names none.
    pub const DEFAULT: Era = Era::V3_11;

    /// Name in a spec: `3.11`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Era::V2_3 => "2.3",
            Era::V2_7 => "2.7",
            Era::V3_6 => "3.6",
            Era::V3_7 => "3.7",
            Era::V3_8 => "3.8",
            Era::V3_9 => "3.9",
            Era::V3_10 => "3.10",
            Era::V3_11 => "3.11",
            Era::V3_12 => "3.12",
            Era::V3_13 => "3.13",
            Era::V3_14 => "3.14",
        }
    }

    /// The era of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Era> {
        Era::ALL.into_iter().find(|era| era.name() == name)
    }

    /// Whether ints up to a C long live in blocks of 41 that the int type carves itself.
    pub(super) fn has_int_blocks(self) -> bool {
        self <= Era::V2_7
    }

    /// Bytes in front of every object the collector tracks.
    pub(super) fn gc_header(self) -> u64 {
        if self <= Era::V3_7 { 32 } else { 16 }
    }

    /// An int of one 30-bit digit, as arithmetic makes it (3.x).
    pub(super) fn one_digit_int(self) -> u64 {
        if self <= Era::V3_10 { 28 } else { 32 }
    }

    /// A long of `digits` digits: of 30 bits, or of 15 bits in 2.3.
    pub(super) fn long(self, digits: u64) -> u64 {
        match self {
            // Two bytes per digit behind a 22-byte head, rounded up to a word.
            Era::V2_3 => (22 + 2 * digits).next_multiple_of(8),
            _ => 24 + 4 * digits,
        }
    }

    /// A string of `chars` ASCII characters (`str` of the era: bytes in 2.x, compact in 3.x).
    pub(super) fn ascii_str(self, chars: u64) -> u64 {
        chars
            + match self {
                Era::V2_3 => 40,
                Era::V2_7 => 37,
                _ if self <= Era::V3_11 => 49,
                _ => 41,
            }
    }
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
