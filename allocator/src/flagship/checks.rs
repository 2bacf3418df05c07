//! What the checked build does more: it knows of every block whether it is live.
//!
//! One bit for every 16 bytes of a range is set when a block that begins there is handed out and
//! cleared when it is freed, by atomic operations, so that of two threads that free the same block
//! one is told. A free of anything but a block's first byte finds no such bit. When a front
//! was popped, its new head must be a dead block of the same class.

use core::sync::atomic::Ordering;

use super::calls::{Kind, kind_of};
use super::class;
use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::range::{self, Range};
use super::settings;
use super::slice::SLICE_BYTES;

/// A level of checking.
pub(crate) trait Checks {
    /// Whether anything is checked.
    const ON: bool;

    /// `block` was taken from the front at `offset`.
    fn taken(heap: Heap, offset: usize, block: *mut u8);

    /// A block, or null, leaves for the program.
    fn handed_out(block: *mut u8) -> *mut u8;

    /// The program frees `block`, which may be anything.
    fn freeing(block: *mut u8);

    /// The program resizes `block`, which may be anything.
    fn resizing(block: *mut u8);
}

/// What libarenite.so does: nothing more than the heap needs.
pub(crate) struct Unchecked;

/// What libarenite-checked.so does.
pub(crate) struct Checked;

impl Checks for Unchecked {
    const ON: bool = false;

    #[inline(always)]
    fn taken(_heap: Heap, _offset: usize, _block: *mut u8) {}

    #[inline(always)]
    fn handed_out(block: *mut u8) -> *mut u8 {
        block
    }

    #[inline(always)]
    fn freeing(_block: *mut u8) {}

    #[inline(always)]
    fn resizing(_block: *mut u8) {}
}

impl Checks for Checked {
    const ON: bool = true;

    fn taken(heap: Heap, offset: usize, block: *mut u8) {
        let next = heap.front(offset);
        if !next.is_null() && !is_dead(next, heap.tag() | offset as u32) {
            die(Misuse::SmashedLink, block);
        }
    }

    fn handed_out(block: *mut u8) -> *mut u8 {
        if is_watched() {
            return block;
        }
        if let Some((range, _)) = range::locate(block) {
            let (word, bit) = range.live_bit(block);
            if word.fetch_or(bit, Ordering::Relaxed) & bit != 0 {
                // Only a list that was tampered with leads to a block that is live.
                die(Misuse::SmashedLink, block);
            }
        }
        block
    }

    fn freeing(block: *mut u8) {
        if is_watched() {
            return;
        }
        let Some((range, _)) = range::locate(block) else { return };
        examine(block);
        let (word, bit) = range.live_bit(block);
        // Relaxed: only the order of operations on this word matters.
        if word.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {
            die(Misuse::Double, block);
        }
    }

    fn resizing(block: *mut u8) {
        if is_watched() {
            return;
        }
        let Some((range, _)) = range::locate(block) else { return };
        examine(block);
        let (word, bit) = range.live_bit(block);
        if word.load(Ordering::Relaxed) & bit == 0 {
            die(Misuse::Double, block);
        }
    }
}

/// Whether a tool keeps the books instead (`watched.rs`).
fn is_watched() -> bool {
    settings::watch().is_some()
}

/// Whether `block`, which may be anything, is a dead block of a pool with this map entry.
fn is_dead(block: *mut u8, entry: u32) -> bool {
    let Some((range, index)) = range::locate(block) else { return false };
    if range.entry(index) != entry || !begins_block(range, index, block, entry) {
        return false;
    }
    let (word, bit) = range.live_bit(block);
    word.load(Ordering::Relaxed) & bit == 0
}

/// Whether `block` lies a whole number of blocks behind the start of the pool around it, which has
/// the map entry `entry`.
fn begins_block(range: &Range, index: usize, block: *mut u8, entry: u32) -> bool {
    let start = range.record(index).head().start();
    let size = class::at((entry & range::LARGE) as usize).size as usize;
    (block.addr() - start.addr()).is_multiple_of(size)
}

/// Dies unless `block`, an address in a range, is where a block begins or began.
fn examine(block: *mut u8) {
    let Some((range, index)) = range::locate(block) else { return };
    let entry = range.entry(index);
    match kind_of(entry) {
        Kind::Nothing => die(Misuse::Invalid, block),
        Kind::Large => {
            if !block.addr().is_multiple_of(SLICE_BYTES) {
                die(Misuse::Interior, block);
            }
        }
        Kind::Pool(_) => {
            if !begins_block(range, index, block, entry) {
                die(Misuse::Interior, block);
            }
        }
    }
}
