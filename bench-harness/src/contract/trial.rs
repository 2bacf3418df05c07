//! Tries one row on a subject: makes the call, looks at what comes back, uses it and gives it back.
//!
//! A trial is not careful: a subject that hands out a bad block makes it crash. It runs in a process
//! of its own, and tells the [`Stage`] it has come to as it goes.

use std::ffi::c_void;
use std::ptr;

use super::row::{Ask, Origin, Promise, Row};
use super::words::errno_name;
use super::{
    confined, crowd, extras, forks, grown, late, locked, mixed, resident, spanned, started,
};
use crate::subject::Family;

/// How far a trial has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Getting the block to begin with.
    Before,
    /// In the call under test.
    Call,
    /// Reading and writing what came back.
    Use,
    /// Giving it back, and asking for one more block.
    After,
}

impl Stage {
    /// All stages, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Before, Self::Call, Self::Use, Self::After];

    /// What was going on, for a message.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Before => "before the call",
            Self::Call => "in the call",
            Self::Use => "writing to the block",
            Self::After => "giving the block back",
        }
    }
}

/// What the call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Block(*mut u8),
    Null,
    Code { code: i32, slot_kept: bool },
    Number(usize),
    Nothing,
    Served(Result<(), String>),
    Told(Result<(), String>),
    Constant(Result<(), String>),
}

/// What was seen of a call.
pub(crate) struct Seen {
    returned: Returned,
    errno: i32,
    /// What is wrong whatever was promised.
    flaws: Vec<String>,
}

/// Blocks of more bytes are looked at but not written to.
const MOST_BYTES: usize = 1 << 30;
/// Byte that blocks are filled with before they are freed, so that zeroes are not there by chance.
pub(super) const DIRT: u8 = 0xA5;
/// `errno` before the call under test: a number that no function of the family sets.
const BEFORE: i32 = 0;
/// `errno` before a call that is to keep it.
pub(super) const KEPT: i32 = libc::EDOM;

/// Tries the row and calls `enter` at each stage; `None` when the subject lacks the function.
pub(crate) fn attempt(row: &Row, family: &Family, mut enter: impl FnMut(Stage)) -> Option<Seen> {
    enter(Stage::Before);
    let old = had(row.ask.old(), family)?;
    let mut flaws = Vec::new();
    let (size, zeroed) = match row.ask {
        Ask::Calloc { count, size } => {
            let bytes = count.wrapping_mul(size);
            if count.checked_mul(size).is_some_and(|bytes| bytes < MOST_BYTES) {
                leave_dirt(family, bytes);
            }
            (bytes, true)
        }
        // What was freed before must not come back where it does not fit.
        Ask::PosixMemalign { size, .. } | Ask::Memalign { size, .. } if size < MOST_BYTES => {
            leave_dirt(family, size);
            (size, false)
        }
        ref ask => (size_of_result(ask), false),
    };
    let old_size = row.ask.old().size();
    if row.confined && !confined::confine() {
        flaws.push("the process could not be confined".to_owned());
    }
    enter(Stage::Call);
    let (returned, errno) = call(&row.ask, old, family)?;
    enter(Stage::Use);
    match returned {
        Returned::Block(block) if size < MOST_BYTES => {
            if zeroed && let Some(at) = first_other(block, size, |_| 0) {
                flaws.push(format!("byte {at} is not zero"));
            }
            if !old.is_null()
                && let Some(at) = first_other(block, old_size.min(size), pattern)
            {
                flaws.push(format!("byte {at} of the old contents is lost"));
            }
            if let Some(usable_size) = family.usable_size {
                // SAFETY: a live block.
                let usable = unsafe { usable_size(block.cast()) };
                if usable < size {
                    flaws.push(format!("a usable size of {usable}"));
                }
            }
            fill(block, size);
            if first_other(block, size, pattern).is_some() {
                flaws.push("does not keep what is written".to_owned());
            }
            enter(Stage::After);
            release(block, family, &mut flaws);
        }
        Returned::Null | Returned::Code { .. } => {
            let kept = !freed(&row.ask, row.promise, errno);
            if kept && !old.is_null() {
                if first_other(old, old_size, pattern).is_some() {
                    flaws.push("the old block has changed".to_owned());
                }
                enter(Stage::After);
                release(old, family, &mut flaws);
            }
        }
        Returned::Number(number) if !old.is_null() && number < MOST_BYTES => {
            fill(old, number);
            if first_other(old, number, pattern).is_some() {
                flaws.push("does not keep what is written".to_owned());
            }
            enter(Stage::After);
            release(old, family, &mut flaws);
        }
        Returned::Block(_) | Returned::Number(_) | Returned::Nothing => {}
        Returned::Served(_) | Returned::Told(_) | Returned::Constant(_) => {}
    }
    enter(Stage::After);
    goes_on(family, &mut flaws);
    Some(Seen { returned, errno, flaws })
}

/// Whether a null result of `realloc` means that the block is gone: asked for nothing and no error.
fn freed(ask: &Ask, promise: Promise, errno: i32) -> bool {
    let resizes = matches!(ask, Ask::Realloc { .. } | Ask::Reallocarray { .. });
    resizes && promise == Promise::Freed && errno == BEFORE
}

/// Bytes that the block which comes back is to have.
fn size_of_result(ask: &Ask) -> usize {
    match *ask {
        Ask::Reallocarray { count, size, .. } | Ask::Calloc { count, size } => {
            count.wrapping_mul(size)
        }
        Ask::Malloc { size }
        | Ask::Realloc { size, .. }
        | Ask::AlignedAlloc { size, .. }
        | Ask::PosixMemalign { size, .. }
        | Ask::Memalign { size, .. }
        | Ask::Valloc { size } => size,
        Ask::Pvalloc { size } => {
            size.checked_next_multiple_of(crate::os::page_bytes()).unwrap_or(size)
        }
        _ => 0,
    }
}

/// A block of this origin, filled; null for none, `None` when it cannot be had.
fn had(origin: Origin, family: &Family) -> Option<*mut u8> {
    let block = made(origin, family).filter(|block| !block.is_null() || origin == Origin::Null)?;
    fill(block, origin.size());
    Some(block)
}

/// A block of this origin as it comes, or null; `None` when the subject lacks the function.
pub(super) fn made(origin: Origin, family: &Family) -> Option<*mut u8> {
    let block: *mut c_void = match origin {
        Origin::Null => return Some(ptr::null_mut()),
        // SAFETY: malloc takes any size.
        Origin::Malloc(size) => unsafe { (family.malloc)(size) },
        // SAFETY: calloc takes any sizes.
        Origin::Calloc(size) => unsafe { (family.calloc?)(1, size) },
        Origin::Realloc { from, to } => {
            // SAFETY: malloc takes any size.
            let block = unsafe { (family.malloc)(from) };
            // SAFETY: the block just made, which is not used again.
            unsafe { (family.realloc?)(block, to) }
        }
        Origin::Aligned { align, size } => {
            let mut block = ptr::null_mut();
            match (family.posix_memalign, family.aligned_alloc) {
                (Some(posix_memalign), _) => {
                    // SAFETY: `block` is a place for the result.
                    let code = unsafe { posix_memalign(&raw mut block, align, size) };
                    if code == 0 { block } else { ptr::null_mut() }
                }
                // SAFETY: aligned_alloc takes any sizes.
                (None, Some(aligned_alloc)) => unsafe { aligned_alloc(align, size) },
                (None, None) => return None,
            }
        }
    };
    Some(block.cast())
}

/// Makes the call; `None` when the subject lacks the function.
fn call(ask: &Ask, old: *mut u8, family: &Family) -> Option<(Returned, i32)> {
    let block = |block: *mut c_void| {
        if block.is_null() { Returned::Null } else { Returned::Block(block.cast()) }
    };
    let old: *mut c_void = old.cast();
    let keeps =
        matches!(ask, Ask::Free { .. } | Ask::FreeSized { .. } | Ask::FreeAlignedSized { .. });
    set_errno(if keeps { KEPT } else { BEFORE });
    let returned = match *ask {
        // SAFETY: malloc takes any size.
        Ask::Malloc { size } => block(unsafe { (family.malloc)(size) }),
        // SAFETY: calloc takes any sizes.
        Ask::Calloc { count, size } => block(unsafe { (family.calloc?)(count, size) }),
        // SAFETY: `old` is null or live, and used afterwards only when the call failed.
        Ask::Realloc { size, .. } => block(unsafe { (family.realloc?)(old, size) }),
        Ask::Reallocarray { count, size, .. } => {
            // SAFETY: as for realloc.
            block(unsafe { (family.reallocarray?)(old, count, size) })
        }
        // SAFETY: these take any sizes and refuse those that make no sense.
        Ask::AlignedAlloc { align, size } => block(unsafe { (family.aligned_alloc?)(align, size) }),
        // SAFETY: as above.
        Ask::Memalign { align, size } => block(unsafe { (family.memalign?)(align, size) }),
        // SAFETY: as above.
        Ask::Valloc { size } => block(unsafe { (family.valloc?)(size) }),
        // SAFETY: as above.
        Ask::Pvalloc { size } => block(unsafe { (family.pvalloc?)(size) }),
        Ask::PosixMemalign { align, size } => {
            let untouched = ptr::without_provenance_mut(0x5EED);
            let mut slot = untouched;
            // SAFETY: `slot` is a place for the result.
            let code = unsafe { (family.posix_memalign?)(&raw mut slot, align, size) };
            match code {
                0 => block(slot),
                code => Returned::Code { code, slot_kept: slot == untouched },
            }
        }
        // SAFETY: `old` is null or live.
        Ask::UsableSize { .. } => Returned::Number(unsafe { (family.usable_size?)(old) }),
        Ask::Free { .. } => {
            // SAFETY: `old` is null or live, and not used again.
            unsafe { (family.free)(old) };
            Returned::Nothing
        }
        Ask::FreeSized { old: origin } => {
            // SAFETY: `old` is null or live and of this size, and not used again.
            unsafe { (family.free_sized?)(old, origin.size()) };
            Returned::Nothing
        }
        Ask::FreeAlignedSized { old: origin } => {
            // SAFETY: `old` is null or live and of this alignment and size, and not used again.
            unsafe { (family.free_aligned_sized?)(old, origin.align(), origin.size()) };
            Returned::Nothing
        }
        Ask::Fork { size } => Returned::Served(forks::forks(family, family.threads.ok()?, size)),
        Ask::Owned { mappings } => {
            Returned::Told(extras::owned(family, family.threads.ok()?, mappings)?)
        }
        Ask::Costs { new, beside } => {
            let hooks = family.threads.unwrap_or_default();
            Returned::Constant(grown::costs(family, hooks, new, beside)?)
        }
        Ask::GoodSizes => Returned::Told(extras::good_sizes(family)?),
        Ask::Purged { threads, bytes } => {
            extras::purged(family, family.threads.ok()?, threads, bytes)?
        }
        Ask::Swept { size, times } => {
            Returned::Served(extras::swept(family, family.threads.ok()?, size, times)?)
        }
        Ask::Ended { threads } => resident::ended(family, family.threads.ok()?, threads),
        Ask::Mixed => Returned::Served(mixed::in_turn(family, family.threads.ok()?)),
        Ask::Cycled { new, count, times } => spanned::cycled(family, new, count, times)?,
        Ask::Starts { bytes, limit } => Returned::Served(started::in_little(bytes, limit)?),
        Ask::Alike => Returned::Served(started::alike()?),
        Ask::Odd => Returned::Served(started::in_odd_environments()?),
        Ask::Apart => Returned::Served(forks::apart(family)?),
        Ask::Sparse { new, count } => resident::sparse(family, new, count)?,
        Ask::Mapped { size, count } => spanned::mapped(family, size, count)?,
        Ask::Vast => Returned::Served(spanned::vast(family)?),
        Ask::Generations => Returned::Served(forks::generations(family, family.threads.ok()?)),
        Ask::Late { threads, size } => {
            Returned::Served(late::destructors(family, family.threads.ok()?, threads, size))
        }
        Ask::Threads { count, size } => {
            Returned::Served(crowd::at_once(family, family.threads.ok()?, count, size))
        }
        Ask::Busy { threads, size } => {
            Returned::Served(crowd::busy(family, family.threads.ok()?, threads, size))
        }
        Ask::Relay { threads, size } => {
            Returned::Served(crowd::relay(family, family.threads.ok()?, threads, size))
        }
        Ask::Locked { size } => Returned::Served(locked::zeroed(family, size)?),
        Ask::Untouched { new } => resident::untouched(family, new)?,
        Ask::Freed { size } => resident::freed(family, size)?,
        Ask::Shrunk { from, to, count } => resident::shrunk(family, from, to, count)?,
        Ask::Inherited { count, size } => resident::inherited(family, count, size)?,
    };
    Some((returned, errno()))
}

/// Frees a block and looks whether that keeps `errno`.
fn release(block: *mut u8, family: &Family, flaws: &mut Vec<String>) {
    set_errno(KEPT);
    // SAFETY: a live block, not used again.
    unsafe { (family.free)(block.cast()) };
    if errno() != KEPT {
        flaws.push(format!("free sets errno to {}", errno_name(errno())));
    }
}

/// Whether the heap serves an ordinary request after what was done to it.
fn goes_on(family: &Family, flaws: &mut Vec<String>) {
    // SAFETY: malloc takes any size.
    let block: *mut u8 = unsafe { (family.malloc)(24) }.cast();
    if block.is_null() {
        flaws.push("the next malloc(24) gives null".to_owned());
        return;
    }
    fill(block, 24);
    release(block, family, flaws);
}

/// Leaves a dirty free block of this size behind.
pub(super) fn leave_dirt(family: &Family, size: usize) {
    // SAFETY: malloc takes any size.
    let block: *mut u8 = unsafe { (family.malloc)(size) }.cast();
    if block.is_null() {
        return;
    }
    // SAFETY: a live block of `size` bytes.
    unsafe { ptr::write_bytes(block, DIRT, size) };
    // SAFETY: a live block, not used again.
    unsafe { (family.free)(block.cast()) };
}

/// What a trial writes at an offset of a block.
pub(super) fn pattern(at: usize) -> u8 {
    (at % 251) as u8 + 1
}

pub(super) fn fill(block: *mut u8, size: usize) {
    for at in 0..size {
        // SAFETY: the block is of `size` bytes, or the subject is at fault and may crash us.
        unsafe { block.wrapping_add(at).write_volatile(pattern(at)) };
    }
}

/// First byte that is not what `expected` says.
pub(super) fn first_other(
    block: *mut u8,
    size: usize,
    expected: impl Fn(usize) -> u8,
) -> Option<usize> {
    (0..size).find(|&at| {
        // SAFETY: as in `fill`.
        let found = unsafe { block.wrapping_add(at).read_volatile() };
        found != expected(at)
    })
}

pub(super) fn errno() -> i32 {
    // SAFETY: has no obligations.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: this thread's own errno.
    unsafe { *place }
}

pub(super) fn set_errno(errno: i32) {
    // SAFETY: has no obligations.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: this thread's own errno.
    unsafe { *place = errno };
}

impl Seen {
    /// In what ways this is not what was promised; empty when it is.
    pub(crate) fn against(&self, promise: Promise) -> Vec<String> {
        let mut wrong = self.flaws.clone();
        let errno_is = |expected: i32, wrong: &mut Vec<String>| {
            if self.errno != expected {
                let (found, expected) = (errno_name(self.errno), errno_name(expected));
                wrong.push(format!("{found}, not {expected}"));
            }
        };
        match (promise, &self.returned) {
            (Promise::Block { align, .. }, Returned::Block(block)) => {
                let aligned_to = 1_usize << block.addr().trailing_zeros();
                if aligned_to < align {
                    wrong.push(format!("aligned to {aligned_to}"));
                }
            }
            (Promise::Null { errno }, Returned::Null) => errno_is(errno, &mut wrong),
            (Promise::Anything, Returned::Null | Returned::Block(_)) => {}
            (Promise::Returns, Returned::Nothing) => errno_is(KEPT, &mut wrong),
            (Promise::Freed, Returned::Null) => errno_is(BEFORE, &mut wrong),
            (Promise::Code { code: expected }, Returned::Code { code, slot_kept }) => {
                if *code != expected {
                    wrong.push(format!("{}, not {}", errno_name(*code), errno_name(expected)));
                }
                if !slot_kept {
                    wrong.push("the pointer was written to".to_owned());
                }
            }
            (Promise::AtLeast(bytes), Returned::Number(number)) if *number >= bytes => {}
            (Promise::Exactly(bytes), Returned::Number(number)) if *number == bytes => {}
            (
                Promise::AtMost(most) | Promise::Spans(most) | Promise::Maps(most),
                Returned::Number(number),
            ) if *number <= most => {}
            (Promise::Served, Returned::Served(Ok(()))) => {}
            (Promise::Told, Returned::Told(Ok(())))
            | (Promise::Constant, Returned::Constant(Ok(()))) => {}
            _ => wrong.insert(0, self.describe()),
        }
        wrong
    }

    /// What came back, in a few words.
    pub(crate) fn describe(&self) -> String {
        match &self.returned {
            Returned::Block(_) => "a block".to_owned(),
            Returned::Null => format!("null, {}", errno_name(self.errno)),
            Returned::Code { code, .. } => errno_name(*code),
            Returned::Number(number) => number.to_string(),
            Returned::Nothing => "returns".to_owned(),
            Returned::Served(Ok(())) => "all are served".to_owned(),
            Returned::Told(Ok(())) => "what is so".to_owned(),
            Returned::Constant(Ok(())) => "takes about as long".to_owned(),
            Returned::Served(Err(why))
            | Returned::Told(Err(why))
            | Returned::Constant(Err(why)) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

    use super::super::row::Authority;
    use super::*;
    use crate::subject::Subject;

    static FREED_LAST: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

    unsafe extern "C" fn free_and_keep(block: *mut c_void) {
        FREED_LAST.store(block, Relaxed);
    }

    /// Gives what was freed last, whatever its alignment.
    unsafe extern "C" fn posix_memalign_again(
        slot: *mut *mut c_void,
        align: usize,
        size: usize,
    ) -> i32 {
        match FREED_LAST.swap(ptr::null_mut(), Relaxed) {
            // SAFETY: the caller's obligation.
            block if block.is_null() => unsafe { libc::posix_memalign(slot, align, size) },
            block => {
                // SAFETY: the caller's obligation.
                unsafe { slot.write(block) };
                0
            }
        }
    }

    #[test]
    fn a_freed_block_that_comes_back_where_it_does_not_fit_is_found() {
        let (align, size) = (1 << 16, 10_000);
        let promise = Promise::Block { align, usable: size };
        let row = Row::new(Ask::PosixMemalign { align, size }, promise, Authority::Posix);
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let wrong = |family| attempt(&row, family, |_| {}).unwrap().against(promise);
        assert_eq!(wrong(&system), [""; 0]);
        let again =
            Family { free: free_and_keep, posix_memalign: Some(posix_memalign_again), ..system };
        assert!(wrong(&again)[0].starts_with("aligned to "));
    }
}
