//! The whole family in random order: blocks of every origin and size, made larger and smaller, given back by
//! every function that may, on threads that come one after the other and take over each other's memory.
//! What one call leaves in the lists of a heap shows when others come to it.

use std::ffi::c_void;
use std::thread;

use super::crowd::{Flaw, begin, join};
use super::row::Origin;
use super::trial::made;
use crate::replay::team::Hooks;
use crate::subject::Family;

/// Threads, and calls of each.
const THREADS: u64 = 12;
const CALLS: usize = 6000;
/// Blocks that a thread holds.
const HELD: usize = 400;
/// Largest sizes of four calls in eight, two, one and one.
const SIZES: [usize; 8] = [200, 200, 600, 1200, 6000, 30_000, 300_000, 3_000_000];
/// Bytes at both ends of a block that are written and looked at.
const MARKED: usize = 16;

/// A block that is held.
#[derive(Clone, Copy)]
struct Held {
    block: *mut u8,
    /// Bytes that it was asked to have last, a byte and more.
    size: usize,
    /// Alignment that it was asked for; 1 where it was not.
    align: usize,
    mark: u8,
}

/// Numbers without a pattern that an allocator could have: xorshift64, by Marsaglia.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

/// Has blocks of all kinds on one thread after the other.
///
/// # Errors
/// What went wrong on the first thread that was not served.
pub(super) fn in_turn(family: &Family, hooks: Hooks) -> Result<(), String> {
    (1..=THREADS).try_for_each(|at| {
        thread::scope(|scope| {
            let thread = begin(scope, hooks, || play(family, at));
            thread.map_or(Ok(()), |thread| join(thread, &format!("thread {at}")))
        })
    })
}

fn play(family: &Family, seed: u64) -> Result<(), Flaw> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut held: Vec<Held> = Vec::with_capacity(HELD);
    for call in 0..CALLS {
        let mark = call as u8 | 1;
        if held.len() == HELD || (!held.is_empty() && dice.below(5) < 2) {
            let block = held.swap_remove(dice.below(held.len()));
            give_back(family, block, &mut dice)?;
        } else if !held.is_empty() && dice.below(8) == 0 {
            let at = dice.below(held.len());
            held[at] = resized(family, held[at], &mut dice, mark)?;
        } else {
            held.push(new(family, &mut dice, mark)?);
        }
    }
    held.into_iter().try_for_each(|block| give_back(family, block, &mut dice))
}

fn size(dice: &mut Dice) -> usize {
    let most = SIZES[dice.below(SIZES.len())];
    1 + dice.below(most)
}

fn new(family: &Family, dice: &mut Dice, mark: u8) -> Result<Held, Flaw> {
    let size = size(dice);
    let origin = match dice.below(8) {
        0 => Origin::Calloc(size),
        1 => Origin::Aligned { align: 32 << dice.below(12), size },
        2 => Origin::Realloc { from: 1 + dice.below(2 * size), to: size },
        _ => Origin::Malloc(size),
    };
    // Who lacks a function is asked for a plain block.
    let (origin, block) = match made(origin, family) {
        Some(block) => (origin, block),
        None => (Origin::Malloc(size), made(Origin::Malloc(size), family).ok_or(Flaw::Null)?),
    };
    if block.is_null() {
        return Err(Flaw::Null);
    }
    let align = origin.align();
    let held = Held { block, size, align, mark };
    if block.addr() % align != 0 {
        return Err(Flaw::Misplaced);
    }
    if matches!(origin, Origin::Calloc(_)) && !(Held { mark: 0, ..held }).is_kept() {
        return Err(Flaw::Lost);
    }
    held.fill();
    Ok(held)
}

/// The block with another size. It has lost its alignment then.
fn resized(family: &Family, old: Held, dice: &mut Dice, mark: u8) -> Result<Held, Flaw> {
    let Some(realloc) = family.realloc else { return Ok(old) };
    if !old.is_kept() {
        return Err(Flaw::Lost);
    }
    let size = if dice.below(2) == 0 { 1 + dice.below(old.size) } else { size(dice) };
    // SAFETY: a live block, not used again where another one comes.
    let block: *mut u8 = unsafe { realloc(old.block.cast(), size) }.cast();
    if block.is_null() {
        return Err(Flaw::Null);
    }
    let front = Held { block, size: old.size.min(size).min(MARKED), ..old };
    if !front.is_kept() {
        return Err(Flaw::Lost);
    }
    let held = Held { block, size, align: 1, mark };
    held.fill();
    Ok(held)
}

fn give_back(family: &Family, held: Held, dice: &mut Dice) -> Result<(), Flaw> {
    if !held.is_kept() {
        return Err(Flaw::Lost);
    }
    let block: *mut c_void = held.block.cast();
    let is_sized = dice.below(2) == 0;
    match (held.align, family.free_sized, family.free_aligned_sized) {
        // SAFETY: a live block of this size, not used again.
        (1, Some(free_sized), _) if is_sized => unsafe { free_sized(block, held.size) },
        (align @ 2.., _, Some(free_aligned_sized)) if is_sized => {
            // SAFETY: a live block of this alignment and size, not used again.
            unsafe { free_aligned_sized(block, align, held.size) };
        }
        // SAFETY: a live block, not used again.
        _ => unsafe { (family.free)(block) },
    }
    Ok(())
}

impl Held {
    /// The bytes that are looked at, from both ends.
    fn marked(self) -> impl Iterator<Item = *mut u8> {
        let ends = (0..self.size.min(MARKED)).chain(self.size.saturating_sub(MARKED)..self.size);
        ends.map(move |at| self.block.wrapping_add(at))
    }

    fn fill(self) {
        for byte in self.marked() {
            // SAFETY: within a block of `size` bytes, or the subject is at fault and may crash us.
            unsafe { byte.write_volatile(self.mark) };
        }
    }

    fn is_kept(self) -> bool {
        // SAFETY: as in `fill`.
        self.marked().all(|byte| unsafe { byte.read_volatile() } == self.mark)
    }
}

// SAFETY: blocks of memory, which one thread at a time uses.
unsafe impl Send for Held {}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::subject::Subject;

    /// Gives what was asked for last a second time, now and then.
    unsafe extern "C" fn malloc_twice(size: usize) -> *mut c_void {
        use std::cell::Cell;
        thread_local! {
            static LAST: Cell<(usize, *mut c_void)> = const { Cell::new((0, ptr::null_mut())) };
            static CALLS: Cell<u32> = const { Cell::new(0) };
        }
        let (room, last) = LAST.get();
        let calls = CALLS.replace(CALLS.get() + 1);
        if calls % 1000 == 999 && size <= room && !last.is_null() {
            return last;
        }
        // SAFETY: malloc takes any size.
        let block = unsafe { libc::malloc(size) };
        LAST.set((size, block));
        block
    }

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    unsafe extern "C" fn calloc_dirty(count: usize, size: usize) -> *mut c_void {
        // SAFETY: malloc takes any size.
        let block = unsafe { libc::malloc(count * size) };
        // SAFETY: a block of so many bytes.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 7, count * size) };
        block
    }

    #[test]
    fn blocks_that_overlap_and_zeroed_ones_that_are_not_are_found() {
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let hooks = Hooks::default();
        in_turn(&system, hooks).unwrap();
        let plain = Family { realloc: None, free: free_nothing, ..system };
        for planted in [
            Family { malloc: malloc_twice, ..plain },
            Family { calloc: Some(calloc_dirty), ..system },
        ] {
            let why = in_turn(&planted, hooks).unwrap_err();
            assert!(why.starts_with("a block with others' contents on thread "), "{why}");
        }
    }
}
