//! Zeroed blocks where the kernel keeps the contents of freed ones: a page that the program has locked
//! is not given back by `madvise`, and what an allocator takes for given back is not zero then.

use std::ffi::c_void;
use std::ptr;

use super::trial::{DIRT, first_other, leave_dirt};
use crate::os::Mapping;
use crate::subject::Family;

/// Blocks that are locked, and dirty ones that come and go afterwards, for an allocator to look after
/// what was freed.
const LOCKED: usize = 36;
const PASSING: usize = 2000;
const PASSING_BYTES: usize = 60_000;
/// So much of a block is asked for again.
const AGAIN: (usize, usize) = (3, 4);

/// Whether this process may lock as much as a trial with blocks of `size` bytes does.
pub(super) fn is_allowed(size: usize) -> bool {
    Mapping::reserved(LOCKED * size).is_ok_and(|mapping| lock(mapping.start(), mapping.len()))
}

/// Locks blocks of `size` bytes, writes to them and frees them, and asks for zeroed ones.
///
/// # Errors
/// What was wrong with the first zeroed block that was. `None` when the subject lacks the function.
pub(super) fn zeroed(family: &Family, size: usize) -> Option<Result<(), String>> {
    let calloc = family.calloc?;
    let mut blocks = [ptr::null_mut::<u8>(); LOCKED];
    for block in &mut blocks {
        // SAFETY: malloc takes any size.
        *block = unsafe { (family.malloc)(size) }.cast();
        if block.is_null() || !lock(*block, size) {
            return Some(Err("null, or a block that cannot be locked".to_owned()));
        }
        // SAFETY: a live block of `size` bytes.
        unsafe { ptr::write_bytes(*block, DIRT, size) };
    }
    for block in blocks {
        // SAFETY: a live block, not used again.
        unsafe { (family.free)(block.cast()) };
    }
    for _ in 0..PASSING {
        leave_dirt(family, PASSING_BYTES);
    }
    let again = size * AGAIN.0 / AGAIN.1;
    let zeroed = |at| {
        // SAFETY: calloc takes any sizes.
        let block: *mut u8 = unsafe { calloc(1, again) }.cast();
        if block.is_null() {
            return Err("null".to_owned());
        }
        // Kept: a block that is freed is what the next one would be made of.
        let dirty = first_other(block, again, |_| 0);
        dirty.map_or(Ok(()), |byte| Err(format!("byte {byte} of block {at} is not zero")))
    };
    Some((1..=LOCKED).try_for_each(zeroed))
}

/// Locks the OS pages of a block that has been given out.
fn lock(start: *mut u8, len: usize) -> bool {
    // SAFETY: changes no contents and no mapping.
    unsafe { libc::mlock(start.cast::<c_void>(), len) == 0 }
}

#[cfg(test)]
mod tests {
    use super::super::child::told_apart;
    use super::*;
    use crate::alone::is_alone;
    use crate::subject::Subject;

    const SIZE: usize = 50_000;

    unsafe extern "C" fn calloc_as_it_comes(count: usize, size: usize) -> *mut c_void {
        // SAFETY: malloc takes any size.
        unsafe { libc::malloc(count * size) }
    }

    #[test]
    fn zeroed_blocks_with_old_contents_are_found() {
        if !is_alone() {
            return;
        }
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        if !is_allowed(SIZE) {
            println!("SKIPPED: this process may lock less than two megabytes");
            return;
        }
        // In a process of its own, which takes what it has locked with it.
        let found = |family: &Family| {
            told_apart(|| match zeroed(family, SIZE).unwrap() {
                Ok(()) => "all are served".to_owned(),
                Err(why) => why,
            })
        };
        assert_eq!(found(&system), "all are served");
        let why = found(&Family { calloc: Some(calloc_as_it_comes), ..system });
        assert!(why.ends_with(" is not zero"), "{why}");
    }
}
