//! What the replay does to a block besides allocating it: the touch policy.
//!
//! An untouched replay flatters allocators that write no headers, so by default the first 16 bytes
//! of a block are written when it is born, and read and written before it is freed, as a program
//! with object headers would. The first word holds a mark of the slot from birth to death, so that
//! every replay, timed or not, notices a block whose first word somebody else has written.
//!
//! * T1: while a block of at least 8 bytes is alive, its first word holds the mark of its slot, for
//!   every policy but `None`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::op::{HEADER_BYTES, Place};

/// How much of a block is touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Touch {
    /// Nothing.
    None,
    /// The first 16 bytes.
    #[default]
    Header,
    /// The first 16 bytes, and one byte of every further OS page when the block is born.
    Page,
    /// The first 16 bytes, and every byte when the block is born.
    All,
}

impl Touch {
    pub(crate) const NAMES: [&'static str; 4] = ["none", "header", "page", "all"];

    /// Name on the command line and in records.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Touch {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "none" => Ok(Self::None),
            "header" => Ok(Self::Header),
            "page" => Ok(Self::Page),
            "all" => Ok(Self::All),
            _ => Err(format!("no touch policy `{name}`; there are {}", Self::NAMES.join(", "))),
        }
    }
}

/// [`Touch`] as a constant of the replay loop.
pub(crate) const NONE: u8 = Touch::None as u8;
pub(crate) const HEADER: u8 = Touch::Header as u8;
pub(crate) const PAGE: u8 = Touch::Page as u8;
pub(crate) const ALL: u8 = Touch::All as u8;

/// Bytes between two touches of policy `page`.
const STRIDE: usize = 4096;

/// Touches a block that was just born.
///
/// # Safety
/// `[ptr, ptr + size)` is writable memory of the caller's.
#[inline(always)]
pub(crate) unsafe fn birth<const TOUCH: u8>(ptr: *mut u8, slot: Place, size: usize) {
    if TOUCH == NONE {
        return;
    }
    if TOUCH == ALL {
        // SAFETY: the caller's obligation.
        unsafe { ptr.write_bytes(0x5a, size) };
    }
    if TOUCH == PAGE {
        let mut at = STRIDE;
        while at < size {
            // SAFETY: `at < size`.
            let byte = unsafe { ptr.add(at) };
            // SAFETY: `byte` lies inside the block.
            unsafe { byte.write_volatile(0x5a) };
            at += STRIDE;
        }
    }
    if size < HEADER_BYTES {
        // SAFETY: the caller's obligation.
        unsafe { write_small(ptr, slot, size) };
    } else {
        // SAFETY: the caller's obligation, and there is room for the header.
        unsafe { write_header(ptr, slot) };
    }
}

/// Reads and writes the header of a block that is about to be freed; returns zero iff T1 held.
///
/// # Safety
/// `[ptr, ptr + size)` is writable memory of the caller's that [`birth`] has touched.
#[inline(always)]
pub(crate) unsafe fn death<const TOUCH: u8>(ptr: *mut u8, slot: Place, size: usize) -> u64 {
    if TOUCH == NONE {
        return 0;
    }
    // SAFETY: the caller's obligation.
    let damage = unsafe { check_header(ptr, slot, size) };
    if size < HEADER_BYTES {
        // SAFETY: the caller's obligation.
        unsafe { write_small(ptr, slot, size) };
    } else {
        // SAFETY: the caller's obligation, and there is room for the header.
        unsafe { write_header(ptr, slot) };
    }
    damage
}

/// What the first word of a block holds (T1).
#[inline(always)]
fn mark(slot: Place) -> u64 {
    slot.bytes() as u64
}

/// # Safety
/// `[ptr, ptr + HEADER_BYTES)` is writable memory of the caller's.
#[inline(always)]
unsafe fn write_header(ptr: *mut u8, slot: Place) {
    let words: *mut u64 = ptr.cast();
    // SAFETY: the block holds two words.
    unsafe { words.write_unaligned(mark(slot)) };
    // SAFETY: the block holds two words.
    unsafe { words.wrapping_add(1).write_unaligned(mark(slot)) };
}

/// Fills a block with no room for two words, its first word with the mark.
///
/// # Safety
/// `[ptr, ptr + size)` is writable memory of the caller's.
#[inline(never)]
unsafe fn write_small(ptr: *mut u8, slot: Place, size: usize) {
    let mark = mark(slot).to_ne_bytes();
    for at in 0..size {
        // SAFETY: `at < size`.
        unsafe { ptr.wrapping_add(at).write_volatile(mark[at % mark.len()]) };
    }
}

/// Zero iff the header's first word is the slot's mark, or there is no room for one.
///
/// # Safety
/// As for [`death`].
#[inline(always)]
pub(crate) unsafe fn check_header(ptr: *mut u8, slot: Place, size: usize) -> u64 {
    if size < size_of::<u64>() {
        return 0;
    }
    let words: *mut u64 = ptr.cast();
    // SAFETY: the block holds one word.
    unsafe { words.read_unaligned() ^ mark(slot) }
}
