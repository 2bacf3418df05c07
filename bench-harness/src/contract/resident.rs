//! Calls with a look at the memory that the process occupies: what nobody has written to is to cost
//! nothing, and what was given back is to be gone or to be had again.
//!
//! Every function answers with the bytes that became resident besides what the program holds and has
//! written to, or with null where memory is refused; `None` when the subject lacks a function.

use std::io::{self, Write};
use std::thread;

use super::child::{end, forked};
use super::crowd::{Flaw, begin, join};
use super::row::Origin;
use super::trial::{Returned, fill, made};
use crate::os;
use crate::replay::team::Hooks;
use crate::subject::Family;

/// A block that is not written to.
pub(super) fn untouched(family: &Family, new: Origin) -> Option<Returned> {
    let before = resident();
    let block = made(new, family)?;
    let more = resident().saturating_sub(before);
    free(family, block);
    Some(if block.is_null() { Returned::Null } else { Returned::Number(more) })
}

/// A block that is written to and freed.
pub(super) fn freed(family: &Family, size: usize) -> Option<Returned> {
    let before = resident();
    let Some(block) = written(family, size) else { return Some(Returned::Null) };
    free(family, block);
    Some(Returned::Number(resident().saturating_sub(before)))
}

/// So many blocks, of each of which one byte is written.
pub(super) fn sparse(family: &Family, new: Origin, count: usize) -> Option<Returned> {
    let before = resident();
    let blocks = (0..count).map(|_| made(new, family)).collect::<Option<Vec<_>>>()?;
    let is_served = blocks.iter().all(|block| !block.is_null());
    for block in blocks.iter().filter(|block| !block.is_null()) {
        // SAFETY: a live block of more than half its size.
        unsafe { block.wrapping_add(new.size() / 2).write_volatile(1) };
    }
    let more = resident().saturating_sub(before + count * os::page_bytes());
    blocks.into_iter().for_each(|block| free(family, block));
    Some(if is_served { Returned::Number(more) } else { Returned::Null })
}

/// So many blocks that are written to and made smaller.
pub(super) fn shrunk(family: &Family, from: usize, to: usize, count: usize) -> Option<Returned> {
    let realloc = family.realloc?;
    let before = resident();
    let one = |_| {
        let block = written(family, from)?;
        // SAFETY: the block just made, which is not used again where another comes back.
        let smaller: *mut u8 = unsafe { realloc(block.cast(), to) }.cast();
        (!smaller.is_null()).then_some(smaller)
    };
    let Some(blocks) = (0..count).map(one).collect::<Option<Vec<_>>>() else {
        return Some(Returned::Null);
    };
    let more = resident().saturating_sub(before + count * to);
    blocks.into_iter().for_each(|block| free(family, block));
    Some(Returned::Number(more))
}

/// `count` blocks, freed by the child of a fork, which then asks for as many.
pub(super) fn inherited(family: &Family, count: usize, size: usize) -> Option<Returned> {
    let all = || -> Option<Vec<*mut u8>> { (0..count).map(|_| written(family, size)).collect() };
    let Some(mut blocks) = all() else { return Some(Returned::Null) };
    let more = in_a_child(|| {
        let before = resident();
        blocks.iter().for_each(|block| free(family, *block));
        for block in &mut blocks {
            *block = written(family, size)?;
        }
        Some(resident().saturating_sub(before))
    });
    blocks.into_iter().for_each(|block| free(family, block));
    Some(match more {
        Ok(more) => more.map_or(Returned::Null, Returned::Number),
        Err(error) => Returned::Served(Err(error.to_string())),
    })
}

/// So many threads, one after the other, that allocate, and for which the C library frees what it has
/// allocated for them when nothing else of them is left: the message of a failed search for a function.
pub(super) fn ended(family: &Family, hooks: Hooks, threads: usize) -> Returned {
    let in_turn = |count: usize| {
        (0..count).try_for_each(|_| {
            let thread = thread::scope(|scope| {
                begin(scope, hooks, || {
                    // SAFETY: malloc takes any size.
                    free(family, unsafe { (family.malloc)(100) }.cast());
                    // SAFETY: a string, and a handle that is always valid.
                    unsafe {
                        libc::dlsym(libc::RTLD_DEFAULT, c"arenabench has none of it".as_ptr())
                    };
                    Ok::<(), Flaw>(())
                })
                .map(|thread| join(thread, "a thread"))
            });
            // One that this computer refuses is done without.
            thread.unwrap_or(Ok(()))
        })
    };
    if let Err(why) = in_turn(threads / 10) {
        return Returned::Served(Err(why));
    }
    let before = resident();
    match in_turn(threads) {
        Ok(()) => Returned::Number(resident().saturating_sub(before)),
        Err(why) => Returned::Served(Err(why)),
    }
}

/// What `work` gives in the child of a fork.
///
/// # Errors
/// When there is no child, or it dies.
fn in_a_child(work: impl FnOnce() -> Option<usize>) -> io::Result<Option<usize>> {
    let (text, status) =
        forked(|writer| writer.write_all(&work().unwrap_or(usize::MAX).to_ne_bytes()))?;
    let answer = text.try_into();
    let answer = answer.map_err(|_| io::Error::other(format!("{} in a child", end(status))))?;
    let number = usize::from_ne_bytes(answer);
    Ok((number != usize::MAX).then_some(number))
}

/// What a trial finds, in a process of its own, which takes what it leaves behind with it.
#[cfg(test)]
pub(super) fn found(trial: impl FnOnce() -> Option<Returned>) -> usize {
    let number = || match trial() {
        Some(Returned::Number(number)) => Some(number),
        _ => None,
    };
    in_a_child(number).unwrap().unwrap()
}

/// A block with every byte written.
fn written(family: &Family, size: usize) -> Option<*mut u8> {
    let block = made(Origin::Malloc(size), family).filter(|block| !block.is_null())?;
    fill(block, size);
    Some(block)
}

fn free(family: &Family, block: *mut u8) {
    // SAFETY: null, or a live block that is not used again.
    unsafe { (family.free)(block.cast()) };
}

/// Anonymous memory that is resident. Rows that ask for it are tried only where it can be read.
pub(super) fn resident() -> usize {
    os::anonymous_resident_bytes().map_or(0, |bytes| bytes as usize)
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;

    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const SIZE: usize = 8 << 20;

    fn system() -> Family {
        Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap()
    }

    unsafe extern "C" fn malloc_that_writes(size: usize) -> *mut c_void {
        let block = made(Origin::Calloc(size), &system()).unwrap();
        fill(block, size);
        block.cast()
    }

    unsafe extern "C" fn free_nothing(_: *mut c_void) {}

    unsafe extern "C" fn realloc_nothing(block: *mut c_void, _: usize) -> *mut c_void {
        block
    }

    #[test]
    fn a_block_that_is_written_to_before_it_comes_is_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: &Family| found(|| untouched(family, Origin::Malloc(SIZE)));
        assert!(trial(&system()) < SIZE / 8);
        assert!(trial(&Family { malloc: malloc_that_writes, ..system() }) >= SIZE);
    }

    #[test]
    fn blocks_that_are_written_to_before_they_come_are_found() {
        if !is_alone() {
            return;
        }
        if os::are_huge_pages_given_unasked() {
            return;
        }
        let new = Origin::Malloc(SIZE / 32);
        let trial = |family: &Family| found(|| sparse(family, new, 32));
        assert!(trial(&system()) < SIZE / 8);
        assert!(trial(&Family { malloc: malloc_that_writes, ..system() }) >= SIZE / 2);
    }

    #[test]
    fn memory_that_does_not_go_back_is_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: &Family| found(|| freed(family, SIZE));
        assert!(trial(&system()) < SIZE / 8);
        assert!(trial(&Family { free: free_nothing, ..system() }) >= SIZE);
    }

    /// Keeps something for every thread that it ever serves.
    unsafe extern "C" fn malloc_with_a_keepsake(size: usize) -> *mut c_void {
        use std::cell::Cell;
        thread_local! {
            static IS_KNOWN: Cell<bool> = const { Cell::new(false) };
        }
        if !IS_KNOWN.replace(true) {
            let keepsake = made(Origin::Malloc(20_000), &system()).unwrap();
            fill(keepsake, 20_000);
        }
        made(Origin::Malloc(size), &system()).unwrap().cast()
    }

    #[test]
    fn memory_that_every_thread_leaves_behind_is_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: &Family| found(|| Some(ended(family, Hooks::default(), 500)));
        assert!(trial(&system()) < SIZE / 2);
        assert!(trial(&Family { malloc: malloc_with_a_keepsake, ..system() }) >= SIZE);
    }

    #[test]
    fn a_block_that_does_not_shrink_is_found() {
        if !is_alone() {
            return;
        }
        let trial = |family: &Family| found(|| shrunk(family, SIZE, SIZE / 2, 1));
        assert!(trial(&system()) < SIZE / 8);
        assert!(trial(&Family { realloc: Some(realloc_nothing), ..system() }) >= SIZE / 2);
    }

    #[test]
    fn blocks_that_a_child_cannot_give_back_are_found() {
        if !is_alone() {
            return;
        }
        let count = SIZE / 100;
        let trial = |family: &Family| found(|| inherited(family, count, 100));
        assert!(trial(&system()) < SIZE / 8);
        assert!(trial(&Family { free: free_nothing, ..system() }) >= SIZE);
    }
}
