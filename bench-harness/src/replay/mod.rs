//! The replay loop: a plan's words turned into calls.
//!
//! `allocator` is what the loop calls, `touch` what it does to blocks besides, `player` brings it a
//! plan's phases on one thread, `calm` times it without what others do to the processor, `team` brings
//! them on the threads of the trace. `verify` wraps an allocator so that everything it hands out is
//! checked, `probe` so that every call is looked at by itself, `survey` so that what is alive is known.
//! The loop itself is here and is compiled once for every kind of allocator and every touch policy, so
//! that it tests for neither.

pub(crate) mod allocator;
pub(crate) mod calm;
pub(crate) mod distance;
pub(crate) mod mode;
pub(crate) mod player;
pub(crate) mod probe;
pub(crate) mod survey;
pub(crate) mod team;
pub(crate) mod touch;
pub(crate) mod turns;
pub(crate) mod verify;

use crate::plan::op::{self, Extent, LongKind, Meeting, Place, Small};
use allocator::Allocator;

/// What a replay has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Calls made.
    pub(crate) calls: u64,
    /// Zero as long as no block has lost its header (`touch`, T1).
    pub(crate) damage: u64,
}

/// Why a replay did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The subject returned null for this many bytes; [`Tally::calls`] tells at which call.
    Null { size: usize },
    /// Another thread of the replay has stopped all.
    Stopped,
}

/// Replays the operations that begin in `words[start..stop]`, the last one to its end, and returns
/// the index of the word after it.
///
/// # Errors
/// At the first null the allocator returns, or when another thread has stopped the replay.
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
) -> Result<usize, Halt> {
    assert!(start <= stop && stop <= words.len());
    let first = words.as_ptr();
    let (mut next, end) = (first.wrapping_add(start), first.wrapping_add(stop));
    // Words that begin no call: counted only where they occur, so that the two commonest calls keep
    // nothing but the loop's own pointers. The calls made are the words passed less these.
    let mut further = 0;
    let mut damage = 0;
    let mut halted = None;
    while next < end {
        // SAFETY: `next < end`, inside the slice.
        let word = unsafe { next.read() };
        next = next.wrapping_add(1);
        let slot = op::place(word);
        let size = op::size(word);
        let pointer = pointers.wrapping_byte_add(slot.bytes());
        if word & op::UNCOMMON != 0 {
            // SAFETY: P2: all words of the operation lie in the slice; P1 for the rest.
            let done = unsafe { uncommon::<A, TOUCH>(allocator, pointer, word, next) };
            further += done.further;
            next = next.wrapping_add(done.words);
            match done.outcome {
                Ok(bits) => damage |= bits,
                Err(halt) => {
                    halted = Some(halt);
                    break;
                }
            }
        } else if word & op::FREE == 0 {
            let block = if A::ASSIGNED {
                // SAFETY: slots of a plan lie in its pointer table.
                unsafe { pointer.read() }
            } else {
                let block = allocator.malloc(slot, size);
                if block.is_null() {
                    halted = Some(Halt::Null { size });
                    break;
                }
                // SAFETY: slots of a plan lie in its pointer table.
                unsafe { pointer.write(block) };
                block
            };
            // SAFETY: the compiler of plans gives blocks below this size another kind.
            unsafe { std::hint::assert_unchecked(size >= op::HEADER_BYTES) };
            // SAFETY: a fresh block of `size` bytes.
            unsafe { touch::birth::<TOUCH>(block, slot, size) };
        } else {
            // SAFETY: slots of a plan lie in its pointer table.
            let block = unsafe { pointer.read() };
            // SAFETY: as above.
            unsafe { std::hint::assert_unchecked(size >= op::HEADER_BYTES) };
            // SAFETY: P1: the slot holds a live block, which `birth` has touched.
            damage |= unsafe { touch::death::<TOUCH>(block, slot, size) };
            // SAFETY: P1: the slot holds a live block of this size.
            unsafe { allocator.free(slot, block, Extent { size, align: 1 }) };
        }
    }
    let passed = (next.addr() - first.addr()) / size_of::<u64>();
    tally.calls += (passed - start - further) as u64;
    tally.damage |= damage;
    match halted {
        None => Ok(passed),
        Some(halt) => Err(halt),
    }
}

/// The extent with at least the size that the allocator takes.
#[inline(always)]
fn filled<A: Allocator>(extent: Extent) -> Extent {
    Extent { size: extent.size.max(A::MIN_SIZE), ..extent }
}

/// What became of an uncommon operation.
struct Done {
    /// Words of the operation after the first.
    words: usize,
    /// Words of the operation that begin no call.
    further: usize,
    /// The damage found.
    outcome: Result<u64, Halt>,
}

/// One operation of a kind other than malloc and free.
///
/// # Safety
/// `pointer` is the table's entry for the slot of `word`, an operation whose further words stand at
/// `rest`, and P1 holds for it.
#[inline(never)]
unsafe fn uncommon<A: Allocator, const TOUCH: u8>(
    allocator: &mut A,
    pointer: *mut *mut u8,
    word: u64,
    rest: *const u64,
) -> Done {
    let slot = op::place(word);
    let size = op::size(word);
    let null = |size| Halt::Null { size };
    match op::kind(word) {
        op::REALLOC => {
            // SAFETY: the caller's obligation.
            let old = Extent { size: unsafe { rest.read() } as usize, align: 1 };
            // SAFETY: the caller's obligation.
            let outcome = unsafe { realloc::<A, TOUCH>(allocator, pointer, slot, old, size) };
            Done { words: 1, further: 1, outcome: outcome.ok_or(null(size)) }
        }
        op::CALLOC => {
            let block = allocator.calloc(slot, size);
            if block.is_null() {
                return Done { words: 0, further: 0, outcome: Err(null(size)) };
            }
            // SAFETY: a fresh block of `size` bytes.
            unsafe { touch::birth::<TOUCH>(block, slot, size) };
            // SAFETY: the caller's obligation.
            unsafe { pointer.write(block) };
            Done { words: 0, further: 0, outcome: Ok(0) }
        }
        op::LONG => {
            // SAFETY: the caller's obligation.
            let size = unsafe { rest.read() } as usize;
            // SAFETY: the caller's obligation.
            let old = op::old_extent(unsafe { rest.wrapping_add(1).read() });
            // SAFETY: the caller's obligation.
            let outcome = unsafe { long::<A, TOUCH>(allocator, pointer, word, size, old) };
            Done { words: 2, further: 2, outcome: outcome.ok_or(null(size)) }
        }
        // SAFETY: the caller's obligation.
        _ => unsafe { small::<A, TOUCH>(allocator, pointer, word, rest) },
    }
}

/// One operation of kind [`op::SMALL`].
///
/// # Safety
/// `pointer` is the table's entry for the slot of `word`, an operation whose further words stand at
/// `rest`, and P1 holds for it.
#[inline(always)]
unsafe fn small<A: Allocator, const TOUCH: u8>(
    allocator: &mut A,
    pointer: *mut *mut u8,
    word: u64,
    rest: *const u64,
) -> Done {
    let slot = op::place(word);
    let (kind, size) = op::small_of(op::size(word));
    match kind {
        Small::Malloc => {
            let block = allocator.malloc(slot, size.max(A::MIN_SIZE));
            if block.is_null() {
                return Done { words: 0, further: 0, outcome: Err(Halt::Null { size }) };
            }
            // SAFETY: a fresh block of `size` bytes.
            unsafe { touch::birth::<TOUCH>(block, slot, size) };
            // SAFETY: the caller's obligation.
            unsafe { pointer.write(block) };
            Done { words: 0, further: 0, outcome: Ok(0) }
        }
        Small::Free => {
            // SAFETY: the caller's obligation.
            let block = unsafe { pointer.read() };
            // SAFETY: P1: the slot holds a live block, which `birth` has touched.
            let damage = unsafe { touch::death::<TOUCH>(block, slot, size) };
            // SAFETY: P1.
            unsafe { allocator.free(slot, block, filled::<A>(Extent { size, align: 1 })) };
            Done { words: 0, further: 0, outcome: Ok(damage) }
        }
        Small::Nothing => Done { words: 0, further: 1, outcome: Ok(0) },
        Small::Meeting => {
            // SAFETY: the caller's obligation: a meeting has two words.
            let argument = unsafe { rest.read() };
            let goes_on = allocator.meet(Meeting::of(size), slot.index() as u32, argument);
            Done { words: 1, further: 2, outcome: if goes_on { Ok(0) } else { Err(Halt::Stopped) } }
        }
    }
}

/// One realloc; `None` when the subject returned null, else the damage found.
///
/// # Safety
/// `pointer` is the table's entry for `slot`, which holds a live block of extent `old`.
#[inline(always)]
unsafe fn realloc<A: Allocator, const TOUCH: u8>(
    allocator: &mut A,
    pointer: *mut *mut u8,
    slot: Place,
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
    let slot = op::place(word);
    let block = match LongKind::from_number(op::size(word) as u64)? {
        LongKind::Malloc => allocator.malloc(slot, size.max(A::MIN_SIZE)),
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
            unsafe { allocator.free(slot, block, filled::<A>(old)) };
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
                unsafe { allocator.free(slot, left, filled::<A>(extent)) };
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
