//! The replay loop: a plan's words turned into calls.
//!
//! `allocator` is what the loop calls, `touch` what it does to blocks besides, `player` brings it a
//! plan's phases, and `verify` wraps an allocator so that everything it hands out is checked. The loop itself is here and is compiled
//! once for every kind of allocator and every touch policy, so that it tests for neither.

pub(crate) mod allocator;
pub(crate) mod player;
pub(crate) mod touch;
pub(crate) mod verify;

use crate::plan::op::{self, Extent, LongKind};
use allocator::Allocator;

/// What a replay has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Calls made.
    pub(crate) calls: u64,
    /// Zero as long as no block has lost its header (`touch`, T1).
    pub(crate) damage: u64,
}

/// The subject returned null; [`Tally::calls`] tells at which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NullReturned {
    /// Bytes that were asked for.
    pub(crate) size: usize,
}

/// Replays the operations that begin in `words[start..stop]`, the last one to its end, and returns
/// the index of the word after it.
///
/// # Errors
/// At the first null the allocator returns.
///
/// # Safety
/// `words` is part of a plan that keeps P1 and P2 with `start` at an operation's first word;
/// `pointers` holds the plan's slots, in the state that the operations before left behind.
#[inline(never)]
pub(crate) unsafe fn run<A: Allocator, const TOUCH: u8>(
    words: &[u64],
    start: usize,
    stop: usize,
    pointers: *mut *mut u8,
    allocator: &mut A,
    tally: &mut Tally,
) -> Result<usize, NullReturned> {
    assert!(stop <= words.len());
    let mut at = start;
    let mut calls = 0;
    let mut damage = 0;
    let mut outcome = Ok(0);
    while at < stop {
        // SAFETY: `at < stop <= words.len()`.
        let word = unsafe { *words.get_unchecked(at) };
        let slot = op::slot(word);
        let size = op::size(word);
        // SAFETY: slots of a plan lie in its pointer table.
        let pointer = unsafe { pointers.add(slot) };
        at += 1;
        calls += 1;
        match op::kind(word) {
            op::MALLOC => {
                let block = allocator.malloc(slot, size);
                if block.is_null() {
                    outcome = Err(NullReturned { size });
                    break;
                }
                // SAFETY: a fresh block of `size` bytes.
                unsafe { touch::birth::<TOUCH>(block, slot, size) };
                // SAFETY: `pointer` lies in the table.
                unsafe { pointer.write(block) };
            }
            op::FREE => {
                // SAFETY: `pointer` lies in the table.
                let block = unsafe { pointer.read() };
                // SAFETY: P1: the slot holds a live block, which `birth` has touched.
                damage |= unsafe { touch::death::<TOUCH>(block, slot, size) };
                // SAFETY: P1: the slot holds a live block of this size.
                unsafe { allocator.free(slot, block, Extent { size, align: 1 }) };
            }
            op::REALLOC => {
                // SAFETY: P2: the second word of the operation lies in the same window.
                let old = unsafe { *words.get_unchecked(at) } as usize;
                at += 1;
                // SAFETY: P1, and `pointer` lies in the table.
                let moved = unsafe {
                    realloc::<A, TOUCH>(
                        allocator,
                        pointer,
                        slot,
                        Extent { size: old, align: 1 },
                        size,
                    )
                };
                let Some(bits) = moved else {
                    outcome = Err(NullReturned { size });
                    break;
                };
                damage |= bits;
            }
            op::CALLOC => {
                let block = allocator.calloc(slot, size);
                if block.is_null() {
                    outcome = Err(NullReturned { size });
                    break;
                }
                // SAFETY: a fresh block of `size` bytes.
                unsafe { touch::birth::<TOUCH>(block, slot, size) };
                // SAFETY: `pointer` lies in the table.
                unsafe { pointer.write(block) };
            }
            op::LONG => {
                // SAFETY: P2: all three words lie in the same window.
                let wide = unsafe { *words.get_unchecked(at) } as usize;
                // SAFETY: as above.
                let third = unsafe { *words.get_unchecked(at + 1) };
                at += 2;
                let old = op::old_extent(third);
                // SAFETY: P1, and `pointer` lies in the table.
                match unsafe { long::<A, TOUCH>(allocator, pointer, word, wide, old) } {
                    Some(bits) => damage |= bits,
                    None => {
                        outcome = Err(NullReturned { size: wide });
                        break;
                    }
                }
            }
            _ => calls -= 1,
        }
    }
    tally.calls += calls;
    tally.damage |= damage;
    outcome.map(|_| at)
}

/// One realloc; `None` when the subject returned null, else the damage found.
///
/// # Safety
/// `pointer` is the table's entry for `slot`, which holds a live block of extent `old`.
#[inline(always)]
unsafe fn realloc<A: Allocator, const TOUCH: u8>(
    allocator: &mut A,
    pointer: *mut *mut u8,
    slot: usize,
    old: Extent,
    size: usize,
) -> Option<u64> {
    // SAFETY: the caller's obligation.
    let block = unsafe { pointer.read() };
    // SAFETY: the caller's obligation.
    let moved = unsafe { allocator.realloc(slot, block, old, size) };
    if moved.is_null() {
        return None;
    }
    let damage = if TOUCH == touch::NONE {
        0
    } else {
        // SAFETY: the new block holds the shorter of both sizes, and that prefix was touched.
        unsafe { touch::check_header(moved, slot, size.min(old.size)) }
    };
    // SAFETY: a block of `size` bytes.
    unsafe { touch::birth::<TOUCH>(moved, slot, size) };
    // SAFETY: the caller's obligation.
    unsafe { pointer.write(moved) };
    Some(damage)
}

/// One long operation; `None` when the subject returned null, else the damage found.
///
/// # Safety
/// `pointer` is the table's entry for the slot of `word`, and P1 holds for the operation.
#[cold]
#[inline(never)]
unsafe fn long<A: Allocator, const TOUCH: u8>(
    allocator: &mut A,
    pointer: *mut *mut u8,
    word: u64,
    size: usize,
    old: Extent,
) -> Option<u64> {
    let slot = op::slot(word);
    let block = match LongKind::from_number(op::size(word) as u64)? {
        LongKind::Malloc => allocator.malloc(slot, size),
        LongKind::Calloc => allocator.calloc(slot, size),
        LongKind::Aligned => allocator.aligned(slot, Extent { size, align: old.align }),
        LongKind::ReallocNew => allocator.realloc_new(slot, size),
        LongKind::Realloc => {
            // SAFETY: the caller's obligation.
            return unsafe { realloc::<A, TOUCH>(allocator, pointer, slot, old, size) };
        }
        LongKind::Free => {
            // SAFETY: the caller's obligation.
            let block = unsafe { pointer.read() };
            // SAFETY: P1: the slot holds a live block, which `birth` has touched.
            let damage = unsafe { touch::death::<TOUCH>(block, slot, old.size) };
            // SAFETY: P1.
            unsafe { allocator.free(slot, block, old) };
            return Some(damage);
        }
        LongKind::ReallocFree => {
            // SAFETY: the caller's obligation.
            let block = unsafe { pointer.read() };
            // SAFETY: P1: the slot holds a live block, which `birth` has touched.
            let damage = unsafe { touch::death::<TOUCH>(block, slot, old.size) };
            // SAFETY: P1.
            let left = unsafe { allocator.realloc(slot, block, old, 0) };
            if !left.is_null() {
                // Some subjects answer realloc(ptr, 0) with a fresh block of no bytes.
                let extent = Extent { size: 0, align: old.align };
                // SAFETY: the block was just handed out.
                unsafe { allocator.free(slot, left, extent) };
            }
            return Some(damage);
        }
        LongKind::FreeNull => {
            allocator.free_null();
            return Some(0);
        }
    };
    if block.is_null() {
        return None;
    }
    // SAFETY: a fresh block of `size` bytes.
    unsafe { touch::birth::<TOUCH>(block, slot, size) };
    // SAFETY: the caller's obligation.
    unsafe { pointer.write(block) };
    Some(0)
}
